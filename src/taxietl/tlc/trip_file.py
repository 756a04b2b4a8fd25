"""One colour, one month: the unit that is fetched, loaded and replaced whole.

The month is the *file's*. Every real file holds some trips of other months; they belong to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from taxietl.errors import ConfigError
from taxietl.tlc.colors import COLORS
from taxietl.tlc.datasets import Dataset, dataset

MONTHS_LATE = 2
"""The TLC publishes a month in the second one after it.

Source: TLC, "TLC Trip Record Data": monthly, with two months' delay, since 13 May 2022."""

_PUBLISHED = re.compile(
    # The longest first: fhv begins fhvhv.
    rf"({'|'.join(sorted(COLORS, key=len, reverse=True))})_tripdata_(\d{{4}})-(\d{{2}})"
)


@dataclass(frozen=True, order=True)
class TripFile:
    """A month of one colour, as the TLC names its files; `str()` gives `green-2021-01`."""

    color: str
    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.color}-{self.year:04d}-{self.month:02d}"

    @property
    def dataset(self) -> Dataset:
        """The colour's contract."""
        return dataset(self.color)

    @property
    def source_month(self) -> date:
        """The first day of the month: the value of `source_month` on each of its rows."""
        return date(self.year, self.month, 1)

    @property
    def next_month(self) -> date:
        """The first day after the month."""
        return date(self.year + self.month // 12, self.month % 12 + 1, 1)

    def months_before(self, today: date) -> int:
        """How many months ago it was; 0 in that month, less before it."""
        return 12 * (today.year - self.year) + today.month - self.month

    @property
    def stem(self) -> str:
        """The published file's name without its ending, `green_tripdata_2021-01`."""
        return f"{self.color}_tripdata_{self.year:04d}-{self.month:02d}"


def trip_file(color: str, year: int, month: int) -> TripFile:
    """A month that the TLC can have published.

    Raises:
        UnknownNameError: no such colour.
        ConfigError: no such month, or one before the colour's first.
    """
    known = dataset(color)
    if not 1 <= month <= 12:
        raise ConfigError(f"There is no month {month}.", hint="Months are 1 to 12.")
    first_year, first_month = known.first_month
    if not (first_year, first_month) <= (year, month) <= (2100, 12):
        raise ConfigError(
            f"There are no {color} trips of {year:04d}-{month:02d}.",
            hint=f"The TLC's {color} records begin with {first_year:04d}-{first_month:02d}.",
        )
    return TripFile(color, year, month)


def named_month(file: str) -> TripFile | None:
    """The month that a file's name is that of, if it is one of the TLC's."""
    found = _PUBLISHED.search(file)
    return TripFile(found[1], int(found[2]), int(found[3])) if found else None
