"""In which months a file's trips begin."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pytest
from months import GREEN_JANUARY, batch_of

from taxietl.steps.values import Pickups
from taxietl.transform.pickups import PickupMonths

JANUARY, FEBRUARY, LONG_AGO = datetime(2021, 1, 31, 23), datetime(2021, 2, 1), datetime(2009, 1, 1)


def counted(*batches: list[object]) -> Pickups:
    found = PickupMonths(GREEN_JANUARY)
    for times in batches:
        starts = pa.array(times, pa.timestamp("us"))
        found.count(batch_of("green", len(times), lpep_pickup_datetime=starts))
    return found.pickups


def test_trips_outside_the_month_are_counted_by_their_own() -> None:
    found = counted([JANUARY, LONG_AGO, None], [FEBRUARY, FEBRUARY, JANUARY], [None])

    assert found == Pickups(5, {"2021-02": 2, "2009-01": 1})
    assert list(found.outside) == ["2021-02", "2009-01"]


def test_a_year_that_python_has_no_date_for_is_counted_too() -> None:
    assert counted([9_000_000_000_000_000_00, JANUARY]).outside == {"30489-11": 1}


@pytest.mark.parametrize(
    ("times", "is_another", "said"),
    [
        ([], False, ""),
        ([None, None], False, ""),
        ([JANUARY], False, ""),
        ([JANUARY, FEBRUARY], False, ""),
        ([FEBRUARY, None, None], True, "1 of 1 pick-ups in 2021-02"),
        ([JANUARY, FEBRUARY, FEBRUARY], True, "2 of 3 pick-ups in 2021-02"),
        (
            [JANUARY, FEBRUARY, LONG_AGO],
            True,
            "2 of 3 pick-ups outside the month, most in 2021-02",
        ),
    ],
)
def test_more_than_half_outside_make_it_another_months_file(
    times: list[object], is_another: bool, said: str
) -> None:
    found = counted(times)

    assert found.are_mostly_outside is is_another
    assert not is_another or str(found) == said
