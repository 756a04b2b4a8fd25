"""A Ctrl-C outside a run, in what loses it or makes something else of it."""

from __future__ import annotations

import signal
import threading
from contextlib import suppress

import pytest
from threads import new_threads

from taxietl.load.duckdb.ctrl_c import heard_ctrl_c


def lose_a_ctrl_c() -> None:
    with suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_one_that_was_lost_interrupts_again_and_again_and_is_raised_in_the_end() -> None:
    left = new_threads()
    times = threading.Semaphore(0)

    def work() -> None:
        with heard_ctrl_c(times.release):
            lose_a_ctrl_c()
            for _ in range(3):
                assert times.acquire(timeout=30)

    with pytest.raises(KeyboardInterrupt):
        work()

    assert left() == []


def test_one_that_became_another_error_is_itself_again() -> None:
    is_heard = threading.Event()

    def work() -> None:
        with heard_ctrl_c(is_heard.set):
            lose_a_ctrl_c()
            assert is_heard.wait(30)
            raise RuntimeError("Query interrupted")

    with pytest.raises(KeyboardInterrupt):
        work()


def test_other_errors_and_other_signals_are_let_be() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))

    def work() -> None:
        with heard_ctrl_c(lambda: heard.append(0)):
            signal.raise_signal(signal.SIGTERM)
            raise RuntimeError("a bug")

    try:
        with pytest.raises(RuntimeError, match="a bug"):
            work()
    finally:
        signal.signal(signal.SIGTERM, before)

    assert heard == [signal.SIGTERM]


def test_a_handler_of_somebody_elses_is_left_its_ctrl_c() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        with heard_ctrl_c(lambda: heard.append(0)):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)

    assert heard == [signal.SIGINT]
