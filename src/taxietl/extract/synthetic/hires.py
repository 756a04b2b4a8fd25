"""Invent trips of for-hire vehicles: fhv, of which little is told, and fhvhv, with its fares.

What is imitated: bases that send a few trips or many; zones that are missing; shared rides;
drop-offs days later or before the pick-up; of fhvhv four companies, of which only Uber tells who
was asked and when the driver came.

Knows neither column names nor files. Loads numpy, so import it on use.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np  # noqa: TID253  the module is loaded only to make trips

from taxietl.extract.synthetic import odds
from taxietl.extract.synthetic.odds import NOTHING, Numbers
from taxietl.extract.synthetic.recipe import Recipe
from taxietl.extract.synthetic.rides import (
    DAY,
    Cells,
    Trips,
    distances,
    durations,
    hour_edges,
    pickups,
)

_UBER = 3
_COMPANIES = odds.Odds({2: 0.02, _UBER: 0.70, 4: 0.03, 5: 0.25})
_BASES = 900
_A_MINUTE = 60
_SPACE = 2  # Uber has neither yes nor no to whether a trip was one of Access-A-Ride
_SHARED = (2017, 7)
_AIRPORT_FEE = (2021, 4)
_CONGESTION_ZONE = (2025, 1)


def hire_trips(recipe: Recipe) -> Iterator[Trips]:
    """An fhv or fhvhv month's trips in the order of its file, chunk by chunk."""
    edges = hour_edges(recipe, dispatched=False)
    for chunk in recipe.chunks():
        rng = np.random.default_rng(recipe.entropy(chunk.number))
        cells = _rides(rng, recipe, pickups(rng, recipe, chunk, edges))
        if recipe.color == "fhvhv":
            cells |= _fares(rng, recipe, cells)
        yield Trips(chunk.dispatched, cells)


def _rides(rng: np.random.Generator, recipe: Recipe, pickup: Numbers) -> Cells:
    """Who sent a vehicle from where to where, and when."""
    count = len(pickup)
    miles = distances(rng, count, mean=1.3, spread=0.8)
    seconds = durations(rng, miles)
    seconds = np.where(rng.random(count) < 0.01, rng.integers(-_A_MINUTE, 3 * DAY, count), seconds)
    bases = np.minimum(rng.geometric(0.01, count), _BASES)
    zones_told = 1.0 if recipe.color == "fhvhv" else 0.6
    shared = 0.1 if (recipe.year, recipe.month) >= _SHARED else 0.0
    return {
        "dispatching_base_num": _some(rng, bases, 1.0 if recipe.color == "fhvhv" else 0.99),
        "affiliated_base_number": _some(rng, bases, 0.95),
        "pickup_datetime": pickup,
        "dropoff_datetime": pickup + seconds,
        "pulocationid": _some(rng, odds.PICKUP_ZONE.draw(rng, count), zones_told),
        "dolocationid": _some(rng, odds.DROPOFF_ZONE.draw(rng, count), zones_told),
        "sr_flag": _some(rng, np.ones(count, np.int64), shared),
        "trip_miles": miles,
        "trip_time": np.maximum(seconds, 0),
    }


def _fares(rng: np.random.Generator, recipe: Recipe, rides: Cells) -> Cells:
    """What a company tells of a trip beyond the ride, in cents."""
    count, month = len(rides["pickup_datetime"]), (recipe.year, recipe.month)
    company = _COMPANIES.draw(rng, count)
    uber = company == _UBER
    asked = rides["pickup_datetime"] - rng.integers(60, 900, count)
    fare = 250 + rides["trip_miles"] * 2 + rides["trip_time"] // 60 * 35
    fare = np.where(rng.random(count) < 0.001, -fare, fare)
    tips = np.where(rng.random(count) < 0.15, rng.integers(100, 900, count), 0)
    flags = {name: (rng.random(count) < share).astype(np.int64) for name, share in _FLAGS.items()}
    return flags | {
        "hvfhs_license_num": company,
        "originating_base_num": np.where(uber, rides["dispatching_base_num"], NOTHING),
        "request_datetime": asked,
        "on_scene_datetime": np.where(uber, asked + 45, NOTHING),
        "base_passenger_fare": fare,
        "tolls": odds.TOLLS_CENTS.draw(rng, count),
        "bcf": fare * 3 // 100,
        "sales_tax": fare * 9 // 100,
        "congestion_surcharge": np.where(rng.random(count) < 0.35, 275, 0),
        "airport_fee": np.where(rng.random(count) < 0.08, 250 * (month >= _AIRPORT_FEE), 0),
        "tips": tips,
        "driver_pay": fare * 3 // 4,
        "cbd_congestion_fee": np.where(
            rng.random(count) < 0.3, 150 * (month >= _CONGESTION_ZONE), 0
        ),
        "access_a_ride_flag": np.where(uber, _SPACE, 0),
    }


def _some(rng: np.random.Generator, values: Numbers, share: float) -> Numbers:
    """That share of the values, the others missing."""
    return np.where(rng.random(len(values)) < share, values, NOTHING)


_FLAGS = {
    "shared_request_flag": 0.05,
    "shared_match_flag": 0.02,
    "wav_request_flag": 0.002,
    "wav_match_flag": 0.06,
}
