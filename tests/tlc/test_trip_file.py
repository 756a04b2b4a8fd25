"""A month of one colour: its names, and which months there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from taxietl.errors import ConfigError, UnknownNameError
from taxietl.tlc.trip_file import TripFile, parse_months, trip_file, trip_files

pytestmark = pytest.mark.dates


def test_a_month_knows_its_names_and_its_first_day() -> None:
    january = TripFile("green", 2021, 1)

    assert str(january) == "green-2021-01"
    assert january.stem == "green_tripdata_2021-01"
    assert january.source_month == date(2021, 1, 1)
    assert january.dataset.table == "green_trips"


@pytest.mark.parametrize(
    ("color", "first"), [("yellow", (2009, 1)), ("green", (2013, 8)), ("fhvhv", (2019, 2))]
)
def test_records_begin_with_the_colour_s_first_month(color: str, first: tuple[int, int]) -> None:
    year, month = first
    assert trip_file(color, year, month) == TripFile(color, year, month)

    with pytest.raises(ConfigError, match=f"no {color} trips") as error:
        trip_file(color, year - (month == 1), month - 1 or 12)
    assert error.value.hint.endswith(f"begin with {year}-{month:02d}.")


@pytest.mark.parametrize("month", [0, 13, -1])
def test_there_are_twelve_months(month: int) -> None:
    with pytest.raises(ConfigError, match=f"There is no month {month}"):
        trip_file("yellow", 2021, month)


def test_an_unknown_colour_is_told_with_a_guess() -> None:
    with pytest.raises(UnknownNameError, match="no colour named 'yelow'") as error:
        trip_file("yelow", 2021, 1)
    assert "'yellow'" in error.value.hint


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
    ("color", "year", "texts", "months"),
    [
        ("green", 2013, ["all"], range(8, 13)),
        ("fhvhv", 2019, ["all"], range(2, 13)),
        ("yellow", 2009, ["all"], range(1, 13)),
        ("green", 2020, ["3", "all"], range(1, 13)),
        ("green", 2026, ["all"], range(1, 10)),
        ("green", 2026, ["10"], [10]),
        ("green", 2026, ["1-12"], range(1, 13)),
    ],
)
def test_all_months_are_those_that_there_can_be(
    color: str, year: int, texts: list[str], months: Sequence[int]
) -> None:
    found = trip_files(color, year, texts, today=date(2026, 11, 30))

    assert found == [TripFile(color, year, each) for each in months]


@pytest.mark.parametrize(
    ("year", "today", "words"),
    [
        (2012, date(2026, 11, 30), "no green trips of 2012."),
        (2026, date(2026, 2, 28), "no green trips of 2026 yet."),
        (2027, date(2026, 11, 30), "no green trips of 2027 yet."),
    ],
)
def test_a_year_without_any_month_is_refused(year: int, today: date, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as error:
        trip_files("green", year, ["all"], today=today)
    assert "2013-08" in error.value.hint


def test_january_comes_in_march() -> None:
    assert [len(trip_files("green", 2026, ["all"], today=date(2026, month, 1))) for month in
            (3, 4)] == [1, 2]  # fmt: skip
