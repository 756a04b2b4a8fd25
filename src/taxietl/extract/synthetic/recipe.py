"""What makes one synthetic month the same on every run: colour, month, rows and seed.

Pure, and light enough for a command line: nothing here loads numpy.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from taxietl.errors import ConfigError
from taxietl.tlc.trip_file import trip_file

DEFAULT_SEED = 2021

# Rows of the files published for January 2021, of yellow and green as CSV; and how many of those
# are the incomplete ones at the end, where the TLC had no record from a taximeter.
DEFAULT_ROWS = {"yellow": 1_369_765, "green": 76_518, "fhv": 1_154_112, "fhvhv": 11_908_468}
_INCOMPLETE_ROWS = {"yellow": 98_246, "green": 35_951}

_FIRST_INCOMPLETE = (2019, 1)
"""Months before have no such block."""

CHUNK_ROWS = 131_072


@dataclass(frozen=True)
class Chunk:
    """A run of rows made at once, from a random generator of its own."""

    number: int
    dispatched: bool
    """Whether it belongs to the last block, of dispatched trips, which is incomplete."""
    first: int
    """Its first row, counted from the start of its block."""
    rows: int


@dataclass(frozen=True)
class Recipe:
    """One synthetic month; whatever can be wrong with it is refused when it is made.

    Raises:
        ConfigError: a colour or month that cannot be made, or rows or a seed out of range.
    """

    color: str
    year: int
    month: int
    rows: int | None = None
    seed: int = DEFAULT_SEED

    def __post_init__(self) -> None:
        if self.color not in DEFAULT_ROWS:
            raise ConfigError(
                f"Synthetic months of {self.color!r} cannot be made.",
                hint=f"Use --color {' or --color '.join(DEFAULT_ROWS)}.",
            )
        trip_file(self.color, self.year, self.month)  # raises if there can be no such month
        if self.rows is not None and self.rows < 1:
            raise ConfigError(f"{self.rows} rows make no month.", hint="Use --rows 1 or more.")
        if self.seed < 0:
            raise ConfigError(f"The seed {self.seed} is negative.", hint="Use --seed 0 or more.")

    @property
    def row_count(self) -> int:
        """Rows of the whole month."""
        return DEFAULT_ROWS[self.color] if self.rows is None else self.rows

    @property
    def incomplete_rows(self) -> int:
        """Rows of the last block: the same share as in January 2021, to the nearest row."""
        if self.color not in _INCOMPLETE_ROWS or (self.year, self.month) < _FIRST_INCOMPLETE:
            return 0
        return round(self.row_count * _INCOMPLETE_ROWS[self.color] / DEFAULT_ROWS[self.color])

    def chunks(self) -> Iterator[Chunk]:
        """The month cut into chunks, each wholly of one block."""
        numbers = itertools.count()
        complete_rows = self.row_count - self.incomplete_rows
        for dispatched, block_rows in ((False, complete_rows), (True, self.incomplete_rows)):
            for first in range(0, block_rows, CHUNK_ROWS):
                rows = min(CHUNK_ROWS, block_rows - first)
                yield Chunk(next(numbers), dispatched, first, rows)

    def entropy(self, stream: int) -> tuple[int, ...]:
        """Seeds the random generator of one of the month's streams of chance."""
        return (self.seed, self.year, self.month, list(DEFAULT_ROWS).index(self.color), stream)
