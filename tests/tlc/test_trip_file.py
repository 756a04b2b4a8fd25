"""A month of one colour: its names, and which months there are."""

from __future__ import annotations

from datetime import date

import pytest

from taxietl.errors import ConfigError, UnknownNameError
from taxietl.tlc.trip_file import TripFile, trip_file

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
