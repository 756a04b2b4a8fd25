"""Invent taxi trips, chunk by chunk, with the dirt that published months have.

What is imitated: rows in the order of the pick-up hour, shuffled inside it; metered fares with
surcharges by the hour, tips on cards, tolls and airport flat rates; no passengers in 2.0 % of the
complete rows; refunds, each the exact reversal of the row before it; distances of nothing and of a
hundred thousand miles; trips of nearly a day; pick-ups in other months and years; and the last block
of dispatched trips, from the first of the month again, of which little but the trip itself is known
and some of which end before they begin. Fares and habits are those of January 2021 in every month,
but for the fees that came later.

Knows neither column names nor files. Loads numpy, so import it on use.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import numpy as np  # noqa: TID253  the module is loaded only to make trips
from numpy.typing import NDArray  # noqa: TID253

from taxietl.extract.synthetic import odds
from taxietl.extract.synthetic.odds import Numbers
from taxietl.extract.synthetic.recipe import Chunk, Recipe

_AIRPORTS = (132, 138)  # JFK and LaGuardia, where the airport fee is due
_HOUR, _DAY = 3_600, 86_400


@dataclass(frozen=True)
class Trips:
    """Some rows, a whole number in every cell: each field is an array of the same length.

    Times are seconds since 1970 of the New York wall clock, distances hundredths of a mile, amounts
    cents. In a dispatched block every cell is filled too; what of it a file leaves empty is for its
    columns to say.
    """

    dispatched: bool
    vendor: Numbers
    pickup: Numbers
    dropoff: Numbers
    pickup_zone: Numbers
    dropoff_zone: Numbers
    passengers: Numbers
    distance: Numbers
    rate: Numbers
    stored: Numbers
    payment: Numbers
    trip_type: Numbers
    fare: Numbers
    extra: Numbers
    mta_tax: Numbers
    improvement: Numbers
    tolls: Numbers
    congestion: Numbers
    airport: Numbers
    congestion_zone: Numbers
    tip: Numbers
    total: Numbers

    @property
    def rows(self) -> int:
        return len(self.pickup)


@dataclass(frozen=True)
class _Fees:
    """Fees that depend on the colour or the month, in cents."""

    congestion: int
    congestion_share: float
    airport: int
    congestion_zone: int


def trips(recipe: Recipe) -> Iterator[Trips]:
    """The month's trips, in the order of its file."""
    fees = _fees(recipe)
    edges = {block: _hour_edges(recipe, dispatched=block) for block in (False, True)}
    for chunk in recipe.chunks():
        rng = np.random.default_rng(recipe.entropy(chunk.number))
        pickup = _pickups(rng, recipe, chunk, edges[chunk.dispatched])
        yield (_dispatched if chunk.dispatched else _metered)(rng, pickup, fees)


def _fees(recipe: Recipe) -> _Fees:
    # The airport fee came in spring 2021, the congestion zone's in January 2025.
    congestion, share = (250, 0.919) if recipe.color == "yellow" else (275, 0.30)
    since = (recipe.year, recipe.month)
    return _Fees(
        congestion,
        share,
        airport=125 if recipe.color == "yellow" and since >= (2021, 4) else 0,
        congestion_zone=75 if since >= (2025, 1) else 0,
    )


def _hour_edges(recipe: Recipe, *, dispatched: bool) -> Numbers:
    """For each hour of the month, how many of a block's rows lie before its end."""
    first = np.datetime64(f"{recipe.year:04d}-{recipe.month:02d}", "M")
    days = np.arange(first.astype("datetime64[D]"), (first + 1).astype("datetime64[D]"))
    weekdays = (days.astype(np.int64) + 3) % 7  # day 0, 1970-01-01, was a Thursday
    weights = np.outer(np.asarray(odds.DAY_WEIGHTS)[weekdays], odds.HOUR_WEIGHTS).ravel()
    rows = recipe.incomplete_rows if dispatched else recipe.row_count - recipe.incomplete_rows
    # No chunk has these numbers, so the plan of the month shares no chance with its rows.
    rng = np.random.default_rng((*recipe.entropy(0), 1 + dispatched))
    return np.cumsum(rng.multinomial(rows, weights / weights.sum()))


def _pickups(rng: np.random.Generator, recipe: Recipe, chunk: Chunk, edges: Numbers) -> Numbers:
    start = np.datetime64(f"{recipe.year:04d}-{recipe.month:02d}", "s").astype(np.int64)
    here = np.diff(np.clip(edges, chunk.first, chunk.first + chunk.rows), prepend=chunk.first)
    hours = np.repeat(np.arange(len(edges)), here)
    return start + hours * _HOUR + rng.integers(0, _HOUR, chunk.rows)


def _metered(rng: np.random.Generator, pickup: Numbers, fees: _Fees) -> Trips:
    """Trips with a taximeter's record, of which everything is known."""
    count = len(pickup)
    reversals = _reversals(rng, count)
    vendor = odds.VENDOR.draw(rng, count)
    payment = odds.PAYMENT.draw(rng, count)
    vendor[reversals - 1], payment[reversals - 1] = 2, odds.REVERSED_PAYMENT.draw(rng, len(reversals))

    distance = _distances(rng, count, mean=0.50, spread=0.75)
    # vendor 1's meters report tenths of a mile
    distance = np.where(vendor == 1, (distance + 5) // 10 * 10, distance)
    distance[rng.random(count) < odds.ZERO_MILES_SHARE] = 0
    seconds = _durations(rng, distance)
    rate = odds.RATE.draw(rng, count)
    fare = _meter(distance, seconds)
    fare = np.where(rate == 2, 5_200, fare)  # the flat rate to and from JFK
    fare = np.where(rate == 5, fare + rng.integers(1, 1_400, count), fare)  # negotiated
    nearly_a_day = rng.random(count) < odds.NEARLY_A_DAY_SHARE
    seconds[nearly_a_day] = 86_000 - rng.integers(0, 600, np.count_nonzero(nearly_a_day))
    absurd = rng.integers(0, count, max(1, count // odds.ROWS_PER_ABSURD_DISTANCE))
    distance[absurd] = rng.integers(100_000_00, 270_000_00, len(absurd))

    congestion = np.where(rng.random(count) < fees.congestion_share, fees.congestion, 0)
    extra = _rush_and_night(pickup)
    # vendor 1 counts the congestion surcharge into extra as well, and adds it to the total once
    extra = np.where(vendor == 1, extra + congestion, extra)
    rides = Trips(
        dispatched=False,
        vendor=vendor,
        pickup=pickup,
        dropoff=pickup + seconds,
        pickup_zone=odds.PICKUP_ZONE.draw(rng, count),
        dropoff_zone=odds.DROPOFF_ZONE.draw(rng, count),
        passengers=odds.PASSENGERS.draw(rng, count),
        distance=distance,
        rate=rate,
        stored=odds.STORED_AND_FORWARDED.draw(rng, count),
        payment=payment,
        trip_type=odds.TRIP_TYPE.draw(rng, count),
        **_taxes(rng, count),
        fare=fare,
        extra=extra,
        congestion=congestion,
        airport=np.zeros(count, np.int64),
        congestion_zone=np.zeros(count, np.int64),
        tip=np.zeros(count, np.int64),
        total=np.zeros(count, np.int64),
    )
    return rides
