"""One colour, one month: the unit that is fetched, loaded and replaced whole.

The month is the *file's*. Every real file holds some trips of other months; they belong to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from taxietl.errors import ConfigError
from taxietl.tlc.datasets import Dataset, dataset

_MONTHS = re.compile(r"(\d{1,2})(?:-(\d{1,2}))?")

_PUBLISHED = re.compile(r"(yellow|green|fhvhv|fhv)_tripdata_(\d{4})-(\d{2})")


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


def parse_months(texts: Iterable[str]) -> list[int]:
    """The months asked for by `1`, `1-3`, `1,4` or `all`, in order, each once.

    Raises:
        ConfigError: not of these forms, or not a month.
    """
    months: set[int] = set()
    for part in (part.strip() for text in texts for part in text.split(",")):
        if part == "all":
            months.update(range(1, 13))
            continue
        match = _MONTHS.fullmatch(part)
        if match is None:
            raise ConfigError(
                f"{part!r} is not a month.",
                hint="Write --month 1, --month 1-3, --month 1,4 or --month all.",
            )
        first, last = int(match[1]), int(match[2] or match[1])
        for month in (first, last):
            if not 1 <= month <= 12:
                raise ConfigError(f"There is no month {month}.", hint="Months are 1 to 12.")
        if first > last:
            raise ConfigError(f"{part!r} runs backwards.", hint=f"Write --month {last}-{first}.")
        months.update(range(first, last + 1))
    return sorted(months)
