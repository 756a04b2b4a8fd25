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

MONTHS_LATE = 2
"""The TLC publishes a month in the second one after it.

Source: TLC, "TLC Trip Record Data": monthly, with two months' delay, since 13 May 2022."""

_ALL = "all"
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


def trip_files(color: str, year: int, texts: Iterable[str], *, today: date) -> list[TripFile]:
    """The months of a year asked for, as `parse_months` reads them; `all` are those there can be.

    Raises:
        UnknownNameError: no such colour.
        ConfigError: not a month, one before the colour's first, or of `all` there is none.
    """
    given = list(texts)
    numbers = parse_months(given)
    if not any(part.strip() == _ALL for text in given for part in text.split(",")):
        return [trip_file(color, year, each) for each in numbers]
    first = dataset(color).first_month
    every = [TripFile(color, year, each) for each in numbers]
    found = [
        each
        for each in every
        if (each.year, each.month) >= first and each.months_before(today) >= MONTHS_LATE
    ]
    if not found:
        raise ConfigError(
            f"There are no {color} trips of {year:04d} yet."
            if (year, 12) >= first
            else f"There are no {color} trips of {year:04d}.",
            hint=f"The TLC's {color} records begin with {first[0]:04d}-{first[1]:02d}, and a month "
            "is published about two months late; --month with its number asks for it all the same.",
        )
    return found


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
        if part == _ALL:
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
