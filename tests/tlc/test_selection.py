"""Which months the options ask for, by a clock of the test's own."""

from __future__ import annotations

from datetime import date

import pytest

from taxietl.errors import ConfigError, UnknownNameError
from taxietl.tlc.datasets import DATASETS
from taxietl.tlc.month_texts import parse_months, parse_years
from taxietl.tlc.selection import MonthOptions
from taxietl.tlc.trip_file import TripFile

pytestmark = pytest.mark.dates

TODAY = date(2026, 11, 30)


def options(text: str) -> MonthOptions:
    """The options of a line such as `--color green --year 2021`."""
    words = iter(text.split())
    given: dict[str, list[str]] = {}
    for name in words:
        given.setdefault(name.removeprefix("--"), []).append(next(words))
    return MonthOptions(
        color=tuple(given.get("color", ())),
        month=tuple(given.get("month", ())),
        **{name: given[name][0] for name in ("year", "since", "until") if name in given},
    )


def selected(text: str, today: date = TODAY) -> list[str]:
    return [str(each) for each in options(text).trip_files(today)]


def ends(text: str, today: date = TODAY) -> dict[str, tuple[str, str, int]]:
    """For each colour its first month, its last and how many they are."""
    found: dict[str, list[str]] = {}
    for each in options(text).trip_files(today):
        found.setdefault(each.color, []).append(str(each.source_month)[:7])
    return {color: (months[0], months[-1], len(months)) for color, months in found.items()}


@pytest.mark.parametrize(
    ("texts", "months"),
    [
        (["1"], [1]),
        (["01"], [1]),
        (["1-3"], [1, 2, 3]),
        (["1,4"], [1, 4]),
        (["4, 1 ", "1"], [1, 4]),
        (["11-12", "2"], [2, 11, 12]),
        (["all"], list(range(1, 13))),
        ([], []),
    ],
)
def test_months_are_told_in_order_each_once(texts: list[str], months: list[int]) -> None:
    assert parse_months(texts) == months


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "'' is not a month"),
        ("january", "'january' is not a month"),
        ("1-3-5", "'1-3-5' is not a month"),
        ("-1", "'-1' is not a month"),
        ("1,", "'' is not a month"),
        ("0", "There is no month 0"),
        ("10-13", "There is no month 13"),
        ("3-1", "'3-1' runs backwards"),
    ],
)
def test_what_is_no_month_is_told(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as error:
        parse_months([text])
    assert error.value.hint


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("2021", [2021]),
        ("2019-2021", [2019, 2020, 2021]),
        ("2021, 2019", [2019, 2021]),
        ("2019-2020,2020-2021", [2019, 2020, 2021]),
    ],
)
def test_years_are_told_in_order_each_once(text: str, years: list[int]) -> None:
    assert parse_years(text) == years


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("--color green --year 2021 --month 1", ["green-2021-01"]),
        (
            "--color yellow,green --year 2021 --month 2,1",
            ["yellow-2021-01", "yellow-2021-02", "green-2021-01", "green-2021-02"],
        ),
        (
            "--color green --color yellow --color green --year 2021 --month 1",
            ["green-2021-01", "yellow-2021-01"],
        ),
        (
            "--color green --year 2019-2020 --month 12",
            ["green-2019-12", "green-2020-12"],
        ),
        (
            "--color green --since 2020-12 --until 2021-01",
            ["green-2020-12", "green-2021-01"],
        ),
        ("--color all --year 2010 --month 3", ["yellow-2010-03"]),
        ("--color green --year 2026 --month 11", ["green-2026-11"]),
        ("--color green --since 2026-09", ["green-2026-09"]),
    ],
)
def test_months_are_those_of_the_options_colour_by_colour(line: str, found: list[str]) -> None:
    assert selected(line) == found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("--color green --year 2013 --month all", {"green": ("2013-08", "2013-12", 5)}),
        ("--color green --year 2026 --month all", {"green": ("2026-01", "2026-09", 9)}),
        ("--color green --year 2026 --month 3 --month all", {"green": ("2026-01", "2026-09", 9)}),
        (
            "--color yellow,green --year 2009-2014 --month all",
            {"yellow": ("2009-01", "2014-12", 72), "green": ("2013-08", "2014-12", 17)},
        ),
        (
            "--color all --year 2015 --month 1-3",
            {
                "yellow": ("2015-01", "2015-03", 3),
                "green": ("2015-01", "2015-03", 3),
                "fhv": ("2015-01", "2015-03", 3),
            },
        ),
        ("--color fhvhv --since 2010-01", {"fhvhv": ("2019-02", "2026-09", 92)}),
        ("--color fhvhv --until 2019-04", {"fhvhv": ("2019-02", "2019-04", 3)}),
        ("--color green --since 2026-08 --until 2026-11", {"green": ("2026-08", "2026-09", 2)}),
    ],
)
def test_all_months_are_those_that_there_can_be(
    line: str, found: dict[str, tuple[str, str, int]]
) -> None:
    assert ends(line) == found


def test_january_comes_in_march() -> None:
    line = "--color green --year 2026 --month all"

    assert [len(selected(line, date(2026, month, 1))) for month in (3, 4)] == [1, 2]


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("--year 2021 --month 1", "No colour was given", "--color yellow"),
        ("--color green", "No month was given", "--since 2019-03"),
        ("--color green --year 2021", "No month of 2021 was given", "--month all"),
        ("--color green --month 1", "--month needs --year", "--year 2021"),
        ("--color yellow,gren --year 2021 --month 1", "no colour named 'gren'", "'green'"),
        ("--color all,gren --year 2021 --month 1", "no colour named 'gren'", "'green'"),
        ("--color yellow, --year 2021 --month 1", "no colour named ''", "yellow"),
        ("--color green --year 2021-2019 --month 1", "'2021-2019' runs backwards", "2019-2021"),
        ("--color green --year 21 --month 1", "'21' is not a year", "--year 2021"),
        ("--color green --year last --month 1", "'last' is not a year", "--year 2021"),
        ("--color green --year all --month 1", "'all' is not a year", "--year 2021"),
        ("--color green --year 2026 --month 12", "2026-12 is in the future", "2026-11 now"),
        ("--color green --year 2026 --month 1-12", "2026-12 is in the future", "2026-11 now"),
        ("--color green --year 2027 --month all", "2027 is in the future", "2026-11 now"),
        ("--color green --year 2025-2027 --month all", "2027 is in the future", "2026-11 now"),
        ("--color green --since 2026-12", "--since 2026-12 is in the future", "2026-11 now"),
        ("--color green --until 2027-01", "--until 2027-01 is in the future", "2026-11 now"),
        ("--color green --since 2021-03 --until 2021-01", "after --until", "--since 2021-01"),
        ("--color green --since 2021-13", "2021-13 is not a month", "--since 2019-03"),
        ("--color green --since 2021", "--since 2021 is not a month", "--since 2019-03"),
        ("--color green --since 2021-01 --year 2021", "combined with --year", "--month 1-3"),
        ("--color green --until 2021-01 --month 1", "--until cannot be combined", "--month 1-3"),
        ("--color green --year 2013 --month 7", "no green trips of 2013-07", "2013-08"),
        ("--color yellow,green --year 2013 --month 7", "no green trips of 2013-07", "2013-08"),
        ("--color green --year 2012 --month all", "no green trips of 2012.", "2013-08"),
        ("--color yellow,fhv --year 2012 --month all", "no fhv trips of 2012.", "2015-01"),
        ("--color green --until 2012-05", "no green trips of 2009-01 to 2012-05.", "2013-08"),
        ("--color all --since 2026-11", "trips of 2026-11 yet", "2009-01"),
        ("--color green,fhv --year 2012 --month all", "no green or fhv trips of 2012.", "2013-08"),
        ("--color all --year 2008 --month all", "yellow or green or fhv or fhvhv", "2009-01"),
    ],
)
def test_what_cannot_be_is_told_with_what_to_type(line: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        selected(line)
    assert hint in error.value.hint


def test_a_year_that_has_only_begun_has_no_months_yet() -> None:
    with pytest.raises(ConfigError, match="no green trips of 2026 yet"):
        selected("--color green --year 2026 --month all", date(2026, 2, 28))


@pytest.mark.parametrize("text", ["gren", "yellow,gren", "all,gren"])
def test_an_unknown_colour_of_a_filter_is_told(text: str) -> None:
    with pytest.raises(UnknownNameError):
        MonthOptions(color=(text,)).filter(TODAY)


def test_a_filter_of_nothing_has_every_month_of_every_colour() -> None:
    every = MonthOptions().filter(TODAY)

    assert every.colors == tuple(DATASETS)
    assert every.has("fhvhv", "2031-01")
    assert every.of("green") is None


def test_a_filter_has_the_months_of_its_options() -> None:
    found = options("--color yellow,green --year 2026").filter(TODAY)

    assert found.has("green", "2026-11")
    assert not found.has("green", "2026-12")
    assert not found.has("green", "2025-12")
    assert not found.has("fhv", "2026-01")
    assert len(found.of("yellow") or ()) == 11
    assert TripFile("green", 2026, 11) in (found.months or ())


def test_a_filter_s_month_of_every_colour_is_theirs_that_had_begun() -> None:
    found = options("--year 2013 --month 7").filter(TODAY)

    assert [color for color in DATASETS if found.of(color)] == ["yellow"]


def test_a_filter_may_leave_nothing() -> None:
    assert options("--color fhv --year 2014").filter(TODAY).months == frozenset()
