"""Which months a caller asks for: `"2021-01"`, several of them, or from one to another. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Protocol

from taxietl.errors import ConfigError
from taxietl.tlc.datasets import DATASETS
from taxietl.tlc.month_texts import parse_colors, parse_month
from taxietl.tlc.selection import MonthOptions, month_since
from taxietl.tlc.trip_file import TripFile


class DateLike(Protocol):
    """A date, a pandas Timestamp or a Period."""

    def strftime(self, text: str, /) -> str:
        """As Python's dates have it."""


Month = str | DateLike
Colors = str | Iterable[str]

_EXAMPLE = 'Write month="2021-01", month=["2021-01", "2021-02"], or since="2021-01".'


def months_asked_for(
    color: Colors,
    month: Month | Iterable[Month] | None,
    *,
    since: Month | None,
    until: Month | None,
    today: date,
) -> tuple[TripFile, ...]:
    """The months, colour by colour, oldest first, each once.

    Raises:
        UnknownNameError: there is no such colour.
        ConfigError: no month is given, one cannot be read or does not exist, or they contradict
            one another.
    """
    colors = _texts(color)
    if month is None:
        if since is None and until is None:
            raise ConfigError("No month was given.", hint=_EXAMPLE)
        first = None if since is None else _text(_month("since", since))
        last = None if until is None else _text(_month("until", until))
        return tuple(MonthOptions(colors, since=first, until=last).trip_files(today))
    if since is not None or until is not None:
        raise ConfigError("month cannot be combined with since or until.", hint=_EXAMPLE)
    months = [_month("month", each) for each in several(month)]
    if not months:
        raise ConfigError("The list of months is empty.", hint=_EXAMPLE)
    found: set[TripFile] = set()
    for year, number in months:
        found.update(MonthOptions(colors, str(year), (str(number),)).trip_files(today))
    order = list(DATASETS)
    return tuple(sorted(found, key=lambda each: (order.index(each.color), each)))


def months_to_sync(
    color: Colors,
    month: Month | Iterable[Month] | None,
    *,
    since: Month | None,
    until: Month | None,
    today: date,
) -> tuple[tuple[int, int] | None, tuple[TripFile, ...] | None]:
    """The month to begin with, if only `since` is given; else those named, if any are.

    Raises:
        UnknownNameError: there is no such colour.
        ConfigError: as for `months_asked_for`.
    """
    if month is not None or until is not None:
        return None, months_asked_for(color, month, since=since, until=until, today=today)
    return None if since is None else month_since(_text(_month("since", since)), today), None


def colors_asked_for(color: Colors | None) -> tuple[str, ...]:
    """The colours, each once; all of them if none is given.

    Raises:
        UnknownNameError: there is no such colour.
        ConfigError: that is no text.
    """
    return parse_colors(() if color is None else _texts(color))


def _texts(color: Colors) -> tuple[str, ...]:
    """The colours as they are given."""
    colors = tuple(several(color))
    if not all(isinstance(each, str) for each in colors):
        raise ConfigError(
            f"A colour is text, not {color!r}.",
            hint='Write "yellow", ["yellow", "green"] or "all".',
        )
    return tuple(map(str, colors))


def several(value: object) -> list[object]:
    """A list of one, unless it is some already."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return [value]
    return list(value)


def _month(name: str, month: object) -> tuple[int, int]:
    """The year and the number of a month, whatever kind of date it is."""
    text = month.strftime("%Y-%m") if hasattr(month, "strftime") else month
    try:
        return parse_month(str(text), name)
    except ConfigError:
        raise ConfigError(
            f"{name}={month!r} is not a month.", hint=f'Write {name}="2021-01".'
        ) from None


def _text(month: tuple[int, int]) -> str:
    return f"{month[0]:04d}-{month[1]:02d}"
