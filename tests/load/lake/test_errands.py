"""Several requests at once, in threads that nobody need wait for."""

from __future__ import annotations

import threading

import pytest

from taxietl.errors import TargetError
from taxietl.load.lake.errands import Errands, all_of, result


def test_results_come_in_the_items_order() -> None:
    assert all_of(lambda item: item * 2, range(100)) == [item * 2 for item in range(100)]


def test_some_are_done_at_once_and_no_more() -> None:
    """Eight wait for one another; a ninth does not begin."""
    together, errands, begun = threading.Barrier(8), Errands(), threading.Event()
    futures = [errands.begin(lambda: together.wait(10)) for _ in range(8)]
    assert sorted(result(each) for each in futures) == list(range(8))

    hold = threading.Event()
    held = [errands.begin(lambda: hold.wait(10)) for _ in range(8)]
    ninth = errands.begin(begun.set)
    assert not begun.is_set()
    hold.set()
    assert all(result(each) for each in held)
    result(ninth)
    errands.stop()


def test_what_goes_wrong_is_raised_where_the_result_is_asked_for() -> None:
    with pytest.raises(ZeroDivisionError):
        all_of(lambda item: 1 // item, [1, 0])


def test_who_waits_for_what_was_stopped_is_told_at_once() -> None:
    errands, hold = Errands(), threading.Event()
    futures = [errands.begin(lambda: hold.wait(10)) for _ in range(9)]

    errands.stop()

    for each in [*futures, errands.begin(lambda: True)]:
        with pytest.raises(TargetError, match="stopped"):
            result(each)
    hold.set()
