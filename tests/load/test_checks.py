"""The counts' arithmetic and the shrinking month, without a warehouse."""

from __future__ import annotations

import pytest
from months import JANUARY

from taxietl.errors import CountMismatchError, TooManyRejectsError
from taxietl.load.checks import check_counts
from taxietl.steps.values import LoadRequest, SourceVersion, Tally

REQUEST = LoadRequest(
    SourceVersion(JANUARY, "file:///files", "file:///files/a.csv", None, None),
    table="yellow_trips",
    transforms=(),
    max_rejects=2,
    max_shrink=0.05,
    force=False,
    run_id="",
    run_name="",
)


def tally(read: int, counted: int, rejected: int, **dropped: int) -> Tally:
    """A tally of these figures."""
    return Tally("test", read, counted, rows_rejected=rejected, rows_dropped=dropped)


def test_rows_that_add_up_pass() -> None:
    check_counts(tally(10, 10, 2, rule=3, other=1), 4, REQUEST)


@pytest.mark.parametrize(
    ("told", "loaded"),
    [
        (tally(10, 11, 0), 10),
        (tally(10, 10, 0), 9),
        (tally(10, 10, 0), 11),
        (tally(10, 10, 1, rule=1), 10),
        (tally(10, 10, 0, rule=1), 8),
    ],
    ids=["other count", "one lost", "one too many", "counted twice", "dropped too few"],
)
def test_rows_that_do_not_add_up_are_refused(told: Tally, loaded: int) -> None:
    with pytest.raises(CountMismatchError, match="yellow-2021-01"):
        check_counts(told, loaded, REQUEST)


def test_a_wrong_sum_outranks_too_many_rejects() -> None:
    with pytest.raises(CountMismatchError):
        check_counts(tally(10, 10, 3), 8, REQUEST)


def test_one_reject_more_than_allowed_is_refused() -> None:
    with pytest.raises(TooManyRejectsError, match="3 lines"):
        check_counts(tally(10, 10, 3), 7, REQUEST)
