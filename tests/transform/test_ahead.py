"""Working ahead: order, bounds, errors, and no thread left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from threads import new_threads

from taxietl.transform.ahead import ahead, in_order

Threads = Callable[[], list[threading.Thread]]


@pytest.fixture
def ours() -> Threads:
    return new_threads()


def counting(made: list[int], until: int = 1000) -> Iterator[int]:
    for number in range(until):
        made.append(number)
        yield number


def test_items_made_ahead_come_in_order() -> None:
    assert list(ahead(range(500), depth=3)) == list(range(500))


def test_no_more_than_depth_items_wait_to_be_pulled() -> None:
    made: list[int] = []
    reached = threading.Event()

    def items() -> Iterator[int]:
        for number in counting(made):
            if number == 3:
                reached.set()
            yield number

    with closing(ahead(items(), depth=2)) as stream:
        assert next(stream) == 0
        # One pulled, two waiting, and one in the hand of the thread that cannot put it down.
        assert reached.wait(30)
        assert not threading.Event().wait(0.25)
        assert len(made) == 4


def test_an_error_comes_after_the_items_made_before_it(ours: Threads) -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    stream = ahead(failing(), depth=2)

    assert next(stream) == 1
    with pytest.raises(OSError, match="the disk is gone"):
        next(stream)
    assert ours() == []


def test_closing_early_ends_the_thread(ours: Threads) -> None:
    made: list[int] = []
    stream = ahead(counting(made), depth=2)
    next(stream)
    assert ours() != []

    stream.close()

    assert ours() == []
    assert len(made) < 10


def test_results_come_in_the_order_of_the_items_however_long_each_takes() -> None:
    second_done = threading.Event()

    def slow_first(number: int) -> int:
        if number == 0:
            assert second_done.wait(30)
        if number == 1:
            second_done.set()
        return number * 10

    assert list(in_order(slow_first, range(4), threads=2, depth=3)) == [0, 10, 20, 30]


def test_no_more_than_depth_items_are_taken_beyond_the_one_pulled() -> None:
    made: list[int] = []

    def slow(number: int) -> str:
        deadline = time.monotonic() + 30
        while len(made) < 4 and time.monotonic() < deadline:
            time.sleep(0.001)
        return str(number)

    with closing(in_order(slow, counting(made), threads=2, depth=3)) as stream:
        assert next(stream) == "0"
        assert len(made) == 4


def test_what_is_ready_is_yielded_before_many_more_are_asked_for() -> None:
    is_second_under_way = threading.Event()
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in counting(made):
            if number == 2:  # the one thread has gone on: the first is done
                assert is_second_under_way.wait(30)
            yield number

    def told(number: int) -> int:
        if number == 1:
            is_second_under_way.set()
        return number

    with closing(in_order(told, items(), threads=1, depth=100)) as stream:
        assert next(stream) == 0
        assert len(made) <= 3


def test_an_error_of_the_function_reaches_the_consumer(ours: Threads) -> None:
    def inverse(number: int) -> float:
        return 1 / number

    stream = in_order(inverse, [1, 0, 1], threads=2, depth=1)

    assert next(stream) == 1
    with pytest.raises(ZeroDivisionError):
        next(stream)
    assert ours() == []


def test_an_error_of_the_items_reaches_the_consumer(ours: Threads) -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(in_order(str, failing(), threads=2, depth=3))
    assert ours() == []


def test_closing_early_ends_the_pool(ours: Threads) -> None:
    stream = in_order(str, range(1000), threads=2, depth=3)
    next(stream)
    assert ours() != []

    stream.close()

    assert ours() == []
