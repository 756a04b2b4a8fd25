"""Invent taxi trips, chunk by chunk, with the dirt that published months have.

What is imitated: rows in the order of the pick-up hour, shuffled inside it; metered fares with
surcharges by the hour, tips on cards, tolls and an airport's flat rate; no passengers in 2.0 % of
the complete rows; refunds, each the exact reversal of the row before it; distances of nothing and
of a hundred thousand miles; trips of nearly a day; pick-ups in other months and years; and the last
block, of dispatched trips, from the first of the month again, of which little but the trip itself
is known and some of which end before they begin. Fares and habits are those of January 2021 in
every month, but for the fees that came later.

Knows neither column names nor files. Loads numpy, so import it on use.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np  # noqa: TID253  the module is loaded only to make trips

from taxietl.extract.synthetic import odds
from taxietl.extract.synthetic.odds import Numbers
from taxietl.extract.synthetic.places import coordinates
from taxietl.extract.synthetic.recipe import Recipe
from taxietl.extract.synthetic.rides import (
    DAY,
    HOUR,
    Cells,
    Trips,
    distances,
    durations,
    hour_edges,
    pickups,
)

_AIRPORT_ZONES = (132, 138)  # JFK and LaGuardia, where the airport fee is due
_ZONES_ALONE = (2016, 7)  # until then a trip was told by its coordinates

_ADDENDS = (
    "fare_amount",
    "extra",
    "mta_tax",
    "improvement_surcharge",
    "tolls_amount",
    "congestion_surcharge",
    "airport_fee",
    "cbd_congestion_fee",
)
_MONEY = {*_ADDENDS, "tip_amount", "total_amount"}


@dataclass(frozen=True)
class _Fees:
    """What depends on the colour or the month, in cents."""

    congestion: int
    congestion_share: float
    dispatched_congestion_share: float
    airport: int
    congestion_zone: int
    improvement: int


def taxi_trips(recipe: Recipe) -> Iterator[Trips]:
    """A yellow or green month's trips in the order of its file, chunk by chunk."""
    fees = _fees(recipe)
    edges = {block: hour_edges(recipe, dispatched=block) for block in (False, True)}
    for chunk in recipe.chunks():
        rng = np.random.default_rng(recipe.entropy(chunk.number))
        pickup = pickups(rng, recipe, chunk, edges[chunk.dispatched])
        make = _dispatched if chunk.dispatched else _metered
        cells = make(rng, pickup, fees)
        if (recipe.year, recipe.month) < _ZONES_ALONE:
            cells |= coordinates(
                np.random.default_rng((*recipe.entropy(0), 0, chunk.number)), cells
            )
        yield Trips(chunk.dispatched, cells)


def _fees(recipe: Recipe) -> _Fees:
    """The congestion surcharge, and the fees that came in spring 2021 and in January 2025."""
    yellow, month = recipe.color == "yellow", (recipe.year, recipe.month)
    return _Fees(
        congestion=0 if month < (2019, 1) else 250 if yellow else 275,
        congestion_share=0.919 if yellow else 0.30,
        dispatched_congestion_share=0.23 if yellow else 0.30,
        airport=125 if yellow and month >= (2021, 4) else 0,
        congestion_zone=75 if month >= (2025, 1) else 0,
        improvement=30 if month >= (2015, 1) else 0,
    )


def _metered(rng: np.random.Generator, pickup: Numbers, fees: _Fees) -> Cells:
    """Trips with a taximeter's record, the dirt included."""
    count = len(pickup)
    cells = _rides(rng, pickup)
    reversals = _reversals(rng, cells)
    congestion = np.where(rng.random(count) < fees.congestion_share, fees.congestion, 0)
    cells["extra"] = _rush_and_night(pickup)
    cells["congestion_surcharge"] = congestion
    _bill(rng, cells, fees)
    # vendor 1 counts the congestion surcharge as an extra too; the total has it once
    cells["extra"] += np.where(cells["vendorid"] == 1, congestion, 0)
    _tip(rng, cells)
    _soil(rng, cells)
    _reverse(cells, reversals)
    return cells


def _rides(rng: np.random.Generator, pickup: Numbers) -> Cells:
    """Who rode from where to where, how long, and what the meter says."""
    count = len(pickup)
    vendor = odds.VENDOR.draw(rng, count)
    rate = odds.RATE.draw(rng, count)
    distance = distances(rng, count, mean=0.50, spread=0.75)
    # vendor 1's meters tell tenths of a mile
    distance = np.where(vendor == 1, (distance + 5) // 10 * 10, distance)
    distance[rng.random(count) < odds.ZERO_DISTANCE_SHARE] = 0
    seconds = durations(rng, distance)
    fare = np.where(rate == 2, 5_200, _meter(distance, seconds))  # 2: the flat rate of JFK
    fare += np.where(rate == 5, rng.integers(1, 1_400, count), 0)  # 5: negotiated, to the cent
    return {
        "vendorid": vendor,
        "pickup_datetime": pickup,
        "dropoff_datetime": pickup + seconds,
        "passenger_count": odds.PASSENGERS.draw(rng, count),
        "trip_distance": distance,
        "ratecodeid": rate,
        "store_and_fwd_flag": odds.STORED_AND_FORWARDED.draw(rng, count),
        "pulocationid": odds.PICKUP_ZONE.draw(rng, count),
        "dolocationid": odds.DROPOFF_ZONE.draw(rng, count),
        "payment_type": odds.PAYMENT.draw(rng, count),
        "trip_type": odds.TRIP_TYPE.draw(rng, count),
        "fare_amount": fare,
    }


def _dispatched(rng: np.random.Generator, pickup: Numbers, fees: _Fees) -> Cells:
    """Trips ordered through a base, with no taximeter's record: longer, and oddly timed."""
    count = len(pickup)
    share = fees.dispatched_congestion_share
    distance = distances(rng, count, mean=1.55, spread=0.85)
    seconds = durations(rng, distance)
    started, ended = pickup, pickup + seconds
    to_the_minute = rng.random(count) < odds.TO_THE_MINUTE_SHARE
    started = np.where(to_the_minute, started - started % 60, started)
    ended = np.where(to_the_minute, ended - ended % 60, ended)
    backwards = rng.random(count) < odds.BACKWARDS_SHARE
    ended = np.where(backwards, started - rng.integers(1, 60, count), ended)
    cells = {
        "vendorid": odds.VENDOR.draw(rng, count),
        "pickup_datetime": started,
        "dropoff_datetime": ended,
        "trip_distance": distance,
        "pulocationid": odds.ANY_ZONE.draw(rng, count),
        "dolocationid": odds.DROPOFF_ZONE.draw(rng, count),
        "payment_type": np.zeros(count, np.int64),
        "fare_amount": _meter(distance, seconds) + rng.integers(1, 1_400, count),
        "extra": np.where(rng.random(count) < 0.05, _rush_and_night(pickup), 0),
        "congestion_surcharge": np.where(rng.random(count) < share, fees.congestion, 0),
    }
    _bill(rng, cells, fees)
    cells["tip_amount"] = np.where(rng.random(count) < 0.7, 275, 0)
    cells["total_amount"] += cells["tip_amount"]
    return cells


def _meter(distance: Numbers, seconds: Numbers) -> Numbers:
    """The fare of the meter: 2.50, then 50 cents a unit of distance or of waiting."""
    units = np.rint(np.rint(distance / 20) * 0.72 + seconds / 60 * 0.32)
    return 250 + 50 * units.astype(np.int64)


def _rush_and_night(pickup: Numbers) -> Numbers:
    """1.00 on weekdays from 16 to 20 o'clock, 0.50 from 20 to 6."""
    hour, weekday = pickup // HOUR % 24, (pickup // DAY + 3) % 7
    rush = (hour >= 16) & (hour < 20) & (weekday < 5)
    return np.where(rush, 100, np.where((hour >= 20) | (hour < 6), 50, 0))


def _bill(rng: np.random.Generator, cells: Cells, fees: _Fees) -> None:
    """Add taxes, tolls and fees, and the total before the tip."""
    count = len(cells["fare_amount"])
    cells["mta_tax"] = np.where(rng.random(count) < 0.995, 50, 0)
    cells["improvement_surcharge"] = np.where(rng.random(count) < 0.999, fees.improvement, 0)
    cells["tolls_amount"] = odds.TOLLS_CENTS.draw(rng, count)
    from_airport = np.isin(cells["pulocationid"], _AIRPORT_ZONES)
    cells["airport_fee"] = np.where(from_airport, fees.airport, 0)
    in_zone = (cells["congestion_surcharge"] > 0) & (rng.random(count) < 0.7)
    cells["cbd_congestion_fee"] = np.where(in_zone, fees.congestion_zone, 0)
    cells["total_amount"] = np.sum([cells[name] for name in _ADDENDS], axis=0)


def _tip(rng: np.random.Generator, cells: Cells) -> None:
    """Tip those who pay by card: a percentage offered on the screen, whole dollars, or anything."""
    count = len(cells["fare_amount"])
    percent = odds.TIP_PERCENT.draw(rng, count)
    offered = (cells["total_amount"] * percent + 50) // 100
    typed = (cells["fare_amount"] * rng.uniform(0.05, 0.4, count)).astype(np.int64)
    style = rng.random(count)
    tip = np.select(
        [style < 0.045, style < 0.60, style < 0.85],
        [0, offered, odds.TIP_DOLLARS.draw(rng, count) * 100],
        typed,
    )
    cells["tip_amount"] = np.where(cells["payment_type"] == 1, tip, 0)
    cells["total_amount"] += cells["tip_amount"]


def _soil(rng: np.random.Generator, cells: Cells) -> None:
    """Break some meters and clocks."""
    count = len(cells["fare_amount"])
    endless = np.flatnonzero(rng.random(count) < odds.NEARLY_A_DAY_SHARE)
    lasted = 86_000 - rng.integers(0, 600, len(endless))
    cells["dropoff_datetime"][endless] = cells["pickup_datetime"][endless] + lasted
    absurd = rng.integers(0, count, max(1, count // odds.ROWS_PER_ABSURD_DISTANCE))
    cells["trip_distance"][absurd] = rng.integers(100_000_00, 270_000_00, len(absurd))
    # Distinct rows, or the second shift of one could bring it back into its month.
    strays = rng.choice(count, max(1, count // odds.ROWS_PER_STRAY), replace=False)
    shift = odds.STRAY_DAYS.draw(rng, len(strays)) * DAY
    cells["pickup_datetime"][strays] += shift
    cells["dropoff_datetime"][strays] += shift


def _reversals(rng: np.random.Generator, cells: Cells) -> Numbers:
    """Choose the rows to be refunds, and make those before them trips that get refunded."""
    count = len(cells["vendorid"])
    # Odd rows only: a refund's own row is never the one refunded next.
    rows = np.flatnonzero(rng.random(count // 2) < 2 * odds.REVERSED_SHARE) * 2 + 1
    cells["vendorid"][rows - 1] = 2
    cells["payment_type"][rows - 1] = odds.REVERSED_PAYMENT.draw(rng, len(rows))
    return rows


def _reverse(cells: Cells, rows: Numbers) -> None:
    for name, values in cells.items():
        values[rows] = -values[rows - 1] if name in _MONEY else values[rows - 1]
