"""How colours, years and months are written on a command line. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from taxietl.errors import ConfigError
from taxietl.tlc.datasets import DATASETS, dataset

ALL = "all"
_NUMBERS = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?")
_MONTH = re.compile(r"(\d{4})-(\d{1,2})")

Month = tuple[int, int]
"""A year and a number of 1 to 12."""


def parse_colors(texts: Iterable[str]) -> tuple[str, ...]:
    """The colours asked for by `yellow`, `yellow,green` or `all`, each once; all if by nothing.

    Raises:
        UnknownNameError: there is no such colour.
    """
    given = list(texts)
    if not given or has_all(given):
        for each in _parts(given):
            if each != ALL:
                dataset(each)
        return tuple(DATASETS)
    return tuple(dict.fromkeys(dataset(each).color for each in _parts(given)))


def parse_months(texts: Iterable[str]) -> list[int]:
    """The months asked for by `1`, `1-3`, `1,4` or `all`, in order, each once.

    Raises:
        ConfigError: not of these forms, or not a month.
    """

    def check(text: str) -> None:
        if len(text) > 2 or not 1 <= int(text) <= 12:
            raise ConfigError(f"There is no month {int(text)}.", hint="Months are 1 to 12.")

    forms = "Write --month 1, --month 1-3, --month 1,4 or --month all."
    return _numbers(texts, range(1, 13), check, what="a month", option="--month", hint=forms)


def parse_years(text: str) -> list[int]:
    """The years asked for by `2021`, `2019-2021` or `2019,2021`, in order, each once.

    Raises:
        ConfigError: not of these forms, or no year that a month can be of.
    """
    forms = "Write --year 2021, --year 2019-2021 or --year 2019,2021."

    def check(text: str) -> None:
        if len(text) != 4:
            raise ConfigError(f"{text!r} is not a year.", hint=forms)

    return _numbers([text], None, check, what="a year", option="--year", hint=forms)


def parse_month(text: str, option: str) -> Month:
    """The month written as `2019-03`.

    Raises:
        ConfigError: not of this form, or not a month.
    """
    match = _MONTH.fullmatch(text.strip())
    month = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= month[1] <= 12:
        raise ConfigError(f"{option} {text} is not a month.", hint=f"Write {option} 2019-03.")
    return month


def _numbers(
    texts: Iterable[str],
    every: range | None,
    check: Callable[[str], None],
    *,
    what: str,
    option: str,
    hint: str,
) -> list[int]:
    found: set[int] = set()
    for part in _parts(texts):
        if part == ALL and every is not None:
            found.update(every)
            continue
        match = _NUMBERS.fullmatch(part)
        if match is None:
            raise ConfigError(f"{part!r} is not {what}.", hint=hint)
        first, last = match[1], match[2] or match[1]
        for each in (first, last):
            check(each)
        if int(first) > int(last):
            raise ConfigError(f"{part!r} runs backwards.", hint=f"Write {option} {last}-{first}.")
        found.update(range(int(first), int(last) + 1))
    return sorted(found)


def has_all(texts: Iterable[str]) -> bool:
    """Whether one of them is, or has among others, `all`."""
    return ALL in _parts(texts)


def _parts(texts: Iterable[str]) -> list[str]:
    return [part.strip() for text in texts for part in text.split(",")]
