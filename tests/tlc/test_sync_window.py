"""Which months a sync asks for: the latest, the gaps, and what the options add."""

from __future__ import annotations

from datetime import date

import pytest

from taxietl.tlc.sync_window import is_overdue, months_to_ask
from taxietl.tlc.trip_file import TripFile

TODAY = date(2021, 3, 31)
LATEST = ["2020-07", "2020-08", "2020-09", "2020-10", "2020-11", "2020-12", "2021-01", "2021-02"]


def months(*texts: str, color: str = "yellow") -> list[TripFile]:
    return [TripFile(color, int(each[:4]), int(each[5:])) for each in texts]


def asked(loaded: tuple[str, ...] = (), **options: object) -> list[str]:
    dropped = months(*options.pop("dropped", ()))  # type: ignore[misc]
    found = months_to_ask("yellow", TODAY, loaded=months(*loaded), dropped=dropped, **options)  # type: ignore[arg-type]
    return [f"{each.year}-{each.month:02d}" for each in found]


def test_the_latest_eight_months_that_have_ended_are_asked_for() -> None:
    assert asked() == LATEST
    assert asked(("2020-12", "2021-01")) == LATEST


def test_months_missing_since_the_first_that_is_loaded_are_asked_for() -> None:
    assert asked(("2020-03", "2020-05")) == ["2020-04", "2020-06", *LATEST]


def test_loaded_months_that_are_old_are_left_alone_unless_all_are_wanted() -> None:
    loaded = ("2019-12", "2020-01", "2020-02", "2020-03", "2020-04", "2020-05", "2020-06")

    assert asked(loaded) == LATEST
    assert asked(loaded, every=True) == [*loaded, *LATEST]


def test_since_widens_and_never_narrows() -> None:
    assert asked(since=(2020, 5)) == ["2020-05", "2020-06", *LATEST]
    assert asked(since=(2021, 3)) == LATEST


def test_a_month_that_was_taken_out_stays_out() -> None:
    found = asked(
        ("2020-03", "2020-06"), dropped=("2020-05", "2021-01"), since=(2020, 2), every=True
    )

    assert found == ["2020-02", "2020-03", "2020-04", "2020-06", *LATEST[:6], "2021-02"]


def test_no_month_before_the_colours_first_is_asked_for() -> None:
    found = months_to_ask("fhvhv", date(2019, 4, 1), loaded=(), since=(2009, 1))

    assert found == months("2019-02", "2019-03", color="fhvhv")


@pytest.mark.parametrize(
    ("today", "said"), [(date(2020, 9, 27), False), (date(2020, 9, 28), True)], ids=str
)
def test_a_month_is_overdue_180_days_after_its_end(today: date, said: bool) -> None:
    assert is_overdue(TripFile("green", 2020, 3), today) is said
