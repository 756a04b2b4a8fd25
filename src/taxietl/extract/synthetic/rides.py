"""What every kind of trip has: when it begins, how far it goes, how long it takes.

Knows neither column names nor files. Loads numpy, so import it on use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np  # noqa: TID253  the module is loaded only to make trips

from taxietl.extract.synthetic import odds
from taxietl.extract.synthetic.odds import Numbers
from taxietl.extract.synthetic.recipe import Chunk, Recipe

Cells = dict[str, Numbers]

HOUR, DAY = 3_600, 86_400


@dataclass(frozen=True)
class Trips:
    """Some rows of one block, a whole number in every cell.

    Times are seconds since 1970 of the New York wall clock, distances hundredths of a mile, amounts
    cents, degrees millionths; `odds.NOTHING` is no value. Cells of a dispatched block are filled
    like any other: what of them a form of the file leaves empty is for its columns to say.
    """

    dispatched: bool
    cells: Mapping[str, Numbers]
    """Arrays of the same length, by the lower-case name of their column."""

    @property
    def row_count(self) -> int:
        return len(self.cells["pickup_datetime"])


def hour_edges(recipe: Recipe, *, dispatched: bool) -> Numbers:
    """For each hour of the month, how many of a block's rows are picked up before its end."""
    first = np.datetime64(f"{recipe.year:04d}-{recipe.month:02d}", "M")
    next_month = first + np.timedelta64(1, "M")
    days = np.arange(first.astype("datetime64[D]"), next_month.astype("datetime64[D]"))
    weekdays = (days.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    weights = np.outer(np.asarray(odds.DAY_WEIGHTS)[weekdays], odds.HOUR_WEIGHTS).ravel()
    rows = recipe.incomplete_rows if dispatched else recipe.row_count - recipe.incomplete_rows
    # Longer than any chunk's entropy, so the plan of a block shares no chance with its rows.
    rng = np.random.default_rng((*recipe.entropy(0), int(dispatched) + 1))
    return np.cumsum(rng.multinomial(rows, weights / weights.sum()))


def pickups(rng: np.random.Generator, recipe: Recipe, chunk: Chunk, edges: Numbers) -> Numbers:
    month = np.datetime64(f"{recipe.year:04d}-{recipe.month:02d}-01", "s").astype(np.int64)
    until = np.clip(edges, chunk.first, chunk.first + chunk.rows)
    hours = np.repeat(np.arange(len(edges)), np.diff(until, prepend=chunk.first))
    return month + hours * HOUR + rng.integers(0, HOUR, chunk.rows)


def distances(rng: np.random.Generator, count: int, *, mean: float, spread: float) -> Numbers:
    """Log-normal, so with a long tail, cut at 65 miles."""
    miles = np.minimum(rng.lognormal(mean, spread, count), 65)
    hundredths: Numbers = np.rint(miles * 100).astype(np.int64)
    return hundredths


def durations(rng: np.random.Generator, distance: Numbers) -> Numbers:
    """Seconds for that many hundredths of a mile: some minutes a mile, some to get going."""
    pace = 3.3 * np.exp(rng.normal(0, 0.33, len(distance)))
    minutes = 2.0 + distance / 100 * pace + rng.exponential(1.6, len(distance))
    return np.rint(minutes * 60).astype(np.int64)
