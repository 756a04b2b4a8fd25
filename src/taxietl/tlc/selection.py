"""Which months of which colours: what --color, --year, --month, --since and --until ask for.

Pure: the date comes by argument. `all` takes only the months that there can be, from the colour's
first one on; what is named by its number has to exist.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from taxietl.errors import ConfigError
from taxietl.tlc.datasets import DATASETS, dataset
from taxietl.tlc.month_texts import (
    ALL,
    Month,
    has_all,
    parse_colors,
    parse_month,
    parse_months,
    parse_years,
)
from taxietl.tlc.trip_file import MONTHS_LATE, TripFile, trip_file


@dataclass(frozen=True)
class MonthOptions:
    """The five options, as they were given."""

    color: tuple[str, ...] = ()
    year: str | None = None
    month: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None

    @property
    def names_months(self) -> bool:
        """Whether any of them, the colour aside, was given."""
        return bool(self.year or self.month or self.since or self.until)

    @property
    def names_each(self) -> bool:
        """Whether every month was named by itself, none by `all` or as part of a time."""
        return bool(self.color and self.month) and not has_all((*self.color, *self.month))

    def trip_files(self, today: date, *, late: int = MONTHS_LATE) -> list[TripFile]:
        """The months asked for, colour by colour, oldest first.

        Args:
            today: no month after it can be asked for.
            late: `all` ends so many months before today.

        Raises:
            UnknownNameError: there is no such colour.
            ConfigError: no colour or no month is given, they contradict one another, one cannot
                be read, does not exist or is in the future, or none is left.
        """
        if not self.color:
            raise ConfigError(
                "No colour was given.", hint=f"Add --color {' or '.join(DATASETS)}, or all."
            )
        if not self.names_months:
            raise ConfigError(
                "No month was given.",
                hint="Add --year 2021 --month 1 (or all), or --since 2019-03 --until 2021-02.",
            )
        if self.year and not (self.month or self.since or self.until):
            raise ConfigError(
                f"No month of {self.year} was given.", hint="Add --month 1, or --month all."
            )
        found = self._selected(today, late)
        there = {each.color for each in found}
        missing = [each for each in parse_colors(self.color) if each not in there]
        if missing and not (found and has_all(self.color)):
            raise _no_months(missing, self._wanted(today))
        return found

    def to_sync(self, today: date) -> tuple[Month | None, list[TripFile] | None]:
        """Where to begin, if only --since was given; else the months named, if any were.

        Raises:
            UnknownNameError: there is no such colour.
            ConfigError: as for `trip_files`.
        """
        if self.since and not (self.year or self.month or self.until):
            return month_since(self.since, today), None
        return None, self.trip_files(today) if self.names_months else None

    def filter(self, today: date) -> Selection:
        """What is asked for among the months that are there; each option narrows it.

        Raises:
            UnknownNameError: there is no such colour.
            ConfigError: as for `trip_files`; but no option has to be given, and none may be left.
        """
        colors = parse_colors(self.color)
        is_every_color = not self.color or has_all(self.color)
        months = frozenset(self._selected(today, 0)) if self.names_months else None
        return Selection(colors, is_every_color, months)

    def _selected(self, today: date, late: int) -> list[TripFile]:
        """Those wanted that there can be; of colours and months that were named, all."""
        wanted = self._wanted(today)
        is_by_number = self.month and not has_all(self.month)
        latest = _moved((today.year, today.month), 0 if is_by_number else -late)
        found: list[TripFile] = []
        for color in parse_colors(self.color):
            if self.names_each:
                found += [trip_file(color, *each) for each in wanted]
                continue
            first = dataset(color).first_month
            found += [TripFile(color, *each) for each in wanted if first <= each <= latest]
        return found

    def _wanted(self, today: date) -> list[Month]:
        """The months asked for, whatever the colour; no end of a time is in the future."""
        now = today.year, today.month
        if not (self.since or self.until):
            return self._of_years(now)
        if self.year or self.month:
            given = "--since" if self.since else "--until"
            raise ConfigError(
                f"{given} cannot be combined with {'--year' if self.year else '--month'}.",
                hint="Write --year 2021 --month 1-3, or --since 2021-01 --until 2021-03.",
            )
        oldest = min(each.first_month for each in DATASETS.values())
        first = _not_to_come("--since", self.since, now) if self.since else oldest
        last = _not_to_come("--until", self.until, now) if self.until else now
        if first > last:
            raise ConfigError(
                f"--since {self.since} is after --until {self.until}.",
                hint=f"Write --since {self.until} --until {self.since}.",
            )
        return list(_between(first, last))

    def _of_years(self, now: Month) -> list[Month]:
        """The months of --year and --month."""
        if self.year is None:
            raise ConfigError("--month needs --year.", hint="Add --year 2021.")
        years = parse_years(self.year)
        months = self.month or (ALL,)
        if years[-1] > now[0]:
            raise _future(str(years[-1]), now)
        wanted = [(year, month) for year in years for month in parse_months(months)]
        if wanted[-1] > now and not has_all(months):
            raise _future(_text(wanted[-1]), now)
        return wanted


@dataclass(frozen=True)
class Selection:
    """What is asked for among the months that are there."""

    colors: tuple[str, ...]
    is_every_color: bool
    """They were not named one by one."""

    months: frozenset[TripFile] | None
    """None for all of these colours."""

    def has(self, color: str, month: str) -> bool:
        """Whether a month, as `2021-01`, is among them."""
        if self.months is None:
            return color in self.colors
        year, _, number = month.partition("-")
        return TripFile(color, int(year), int(number)) in self.months

    def of(self, color: str) -> frozenset[str] | None:
        """The months of one colour, as `2021-01`; None for all."""
        if self.months is None:
            return None
        return frozenset(
            _text((each.year, each.month)) for each in self.months if each.color == color
        )


def check_table(table: str | None, colors: Collection[str]) -> None:
    """Demand one colour where a table is named: each has columns of its own.

    Raises:
        ConfigError: there are several.
    """
    if table is not None and len(colors) > 1:
        raise ConfigError(
            f"--table {table} is one table, and {len(colors)} colours are asked for.",
            hint="Name one colour, or leave --table out: each colour has a table of its own.",
        )


def month_since(text: str, today: date) -> Month:
    """The month that --since names.

    Raises:
        ConfigError: it is no month, or one in the future.
    """
    return _not_to_come("--since", text, (today.year, today.month))


def _not_to_come(option: str, text: str, now: Month) -> Month:
    month = parse_month(text, option)
    if month > now:
        raise _future(f"{option} {text}", now)
    return month


def _future(what: str, now: Month) -> ConfigError:
    return ConfigError(
        f"{what} is in the future.",
        hint=f"It is {_text(now)} now by this machine's clock, and the TLC publishes a month about "
        "two months late.",
    )


def _no_months(colors: Sequence[str], wanted: list[Month]) -> ConfigError:
    """Why none is left of those asked for."""
    color = " or ".join(colors)
    first = min(dataset(each).first_month for each in colors)
    begin, end = _text(wanted[0]), _text(wanted[-1])
    if wanted[0][0] == wanted[-1][0] and wanted[0][1] == 1 and wanted[-1][1] == 12:
        when = begin[:4]
    else:
        when = begin if begin == end else f"{begin} to {end}"
    yet = " yet" if wanted[-1] >= first else ""
    return ConfigError(
        f"There are no {color} trips of {when}{yet}.",
        hint=f"The TLC's {color} records begin with {_text(first)}, and a month is published about "
        "two months late; --month with its number asks for it all the same.",
    )


def _between(first: Month, last: Month) -> Iterator[Month]:
    while first <= last:
        yield first
        first = _moved(first, 1)


def _moved(month: Month, by: int) -> Month:
    years, rest = divmod(month[1] - 1 + by, 12)
    return month[0] + years, rest + 1


def _text(month: Month) -> str:
    return f"{month[0]:04d}-{month[1]:02d}"
