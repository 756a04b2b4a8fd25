"""Loads beside other loads, and beside those who read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import pytest
from months import FEBRUARY, GREEN_JANUARY, JANUARY, Held, Postgres, batch_of
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ
from punctual import check_in_time

from taxietl.errors import Cancelled, TryLaterError
from taxietl.load.postgres.locks import SWAP_LOCK_MS
from taxietl.orchestrator.stop.cancellation import Cancellation


def test_of_two_loads_of_one_month_one_loads_and_the_other_is_told_by_whom(
    server: Postgres,
) -> None:
    held = Held()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(server.load, held, run_name="amber-fox")
        assert held.is_pulled.wait(30)

        with pytest.raises(TryLaterError, match=r"being loaded by run 'amber-fox' \(server") as no:
            server.load(3, run_name="blue-gnu")

        held.let_go.set()
        assert first.result().action == "loaded"
    assert no.value.exit_code == 75
    assert server.load(3).action == "nothing to do"


@pytest.mark.parametrize("isolation", ["read committed", "serializable"])
def test_a_load_that_ends_soon_is_waited_for_and_seen(server: Postgres, isolation: str) -> None:
    server.set_for_database("default_transaction_isolation", isolation)
    held = Held()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(server.load, held)
        assert held.is_pulled.wait(30)
        second = pool.submit(server.load, 3)
        time.sleep(0.3)
        held.let_go.set()

        assert first.result().action == "loaded"
        assert second.result().action == "nothing to do"


@pytest.mark.parametrize("loaded_before", [0, 3], ids=["first", "again"])
@pytest.mark.parametrize("other", [FEBRUARY, GREEN_JANUARY], ids=str)
def test_other_months_are_loaded_while_one_is_under_way(
    server: Postgres, other: Any, loaded_before: int
) -> None:
    if loaded_before:
        for each in (JANUARY, other):
            server.load(loaded_before, each)
    held = Held()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(server.load, held, force=True)
        assert held.is_pulled.wait(30)

        report = server.load([batch_of(other.color, 4, new=["x"] * 4)], other, force=True)

        assert report.rows_loaded == 4
        assert not first.done()
        held.let_go.set()
        assert first.result().rows_loaded == 3
    assert server.ask("SELECT count(*) FROM trips") == [(7,)]


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@contextmanager
def reading(
    server: Postgres, isolation: int | None, statement: str, seconds: list[float] | None = None
) -> Iterator[list[Any]]:
    """All answers to a statement that is asked again and again while the block runs.

    `seconds` is told how long each took, unless it is asked from a snapshot.
    """
    answers: list[Any] = []
    taken = [] if seconds is None else seconds
    is_over = threading.Event()
    begun = threading.Event()

    def ask() -> None:
        with closing(server.connect()) as connection, connection.cursor() as cursor:
            while not is_over.is_set():
                asked = time.monotonic()
                cursor.execute(statement)
                answers.append(cursor.fetchone())
                taken.append(time.monotonic() - asked)
                connection.commit()
                begun.set()

    def ask_from_a_snapshot() -> None:
        with closing(server.connect()) as connection, connection.cursor() as cursor:
            connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ)
            cursor.execute("SELECT 1")
            while not is_over.is_set():
                cursor.execute("SAVEPOINT kept")
                cursor.execute(statement)
                answers.append(cursor.fetchone())
                # Its locks would keep the swap waiting; its snapshot stays.
                cursor.execute("ROLLBACK TO SAVEPOINT kept")
                begun.set()

    with ThreadPoolExecutor() as pool:
        future = pool.submit(ask_from_a_snapshot if isolation else ask)
        try:
            assert begun.wait(30)
            yield answers
        finally:
            is_over.set()
            future.result()


LOADS = 20
HELD_UP_SECONDS = 1.2
"""The longest, says docs/postgres.md: `deadlock_timeout` and 0.2 s."""


@pytest.mark.parametrize(
    "isolation", [None, ISOLATION_LEVEL_REPEATABLE_READ], ids=["read committed", "repeatable read"]
)
def test_a_reader_never_sees_another_number_than_a_full_one(
    server: Postgres, isolation: int | None
) -> None:
    server.load(5000)
    server.load(10, FEBRUARY)
    count = "SELECT count(*), count(*) FILTER (WHERE source_month = '2021-02-01') FROM yellow_trips"

    with reading(server, isolation, count) as answers:
        for _ in range(LOADS):
            seen = len(answers)
            server.load(5000, force=True)
            wait_for(lambda: len(answers) > seen + 1)  # noqa: B023 - asked at once

    assert set(answers) == {(5010, 10)}
    assert server.ask("SELECT count(*) FROM taxietl_loads") == [(LOADS + 2,)]


def test_readers_of_other_months_are_hardly_held_up_by_twenty_loads(server: Postgres) -> None:
    server.load(5000)
    server.load(4, FEBRUARY)
    february = "SELECT count(*) FROM yellow_trips WHERE source_month = '2021-02-01'"

    def attempt(_: int) -> float:
        held_up: list[float] = []
        with reading(server, None, february, held_up) as answers:
            for _ in range(LOADS):
                server.load(5000, force=True)

        assert set(answers) == {(4,)}
        return max(held_up)

    check_in_time(HELD_UP_SECONDS, attempt)


def test_readers_of_other_months_are_held_up_for_a_moment_only_by_a_swap_that_waits(
    server: Postgres,
) -> None:
    server.load(3)
    server.load(4, FEBRUARY)
    february = "SELECT count(*) FROM yellow_trips WHERE source_month = '2021-02-01'"

    def attempt(_: int) -> float:
        held_up: list[float] = []
        with (
            closing(server.connect()) as long_reader,
            long_reader.cursor() as cursor,
            ThreadPoolExecutor() as pool,
        ):
            cursor.execute("SELECT count(*) FROM yellow_trips")  # its transaction stays open
            with reading(server, None, february, held_up):
                load = pool.submit(server.load, 5, force=True)
                # The fifth try of the swap is the long one.
                wait_for(lambda: max(held_up) > HELD_UP_SECONDS - 0.2)
                assert not load.done()
                long_reader.rollback()
                assert load.result().rows_loaded == 5
        return max(held_up)

    # The machine's own delays are on top of the server's.
    check_in_time(HELD_UP_SECONDS + 0.5, attempt)


def test_a_swap_that_nobody_lets_through_is_given_up_and_changes_nothing(
    server: Postgres,
) -> None:
    server = replace(server, swap_patience_seconds=0.5)
    server.load(3)
    before = server.facts()
    with closing(server.connect()) as long_reader, long_reader.cursor() as cursor:
        cursor.execute("SET application_name = 'the-report'")
        cursor.execute("SELECT count(*) FROM yellow_trips")

        with pytest.raises(TryLaterError, match=r"now by server process \d+ \(the-report, user"):
            server.load(4, force=True)

    assert server.facts() == before
    assert server.left_behind() == []


def test_a_ledger_that_is_locked_for_a_while_is_waited_for(server: Postgres) -> None:
    server.load(3)
    impatient = replace(server, swap_patience_seconds=0.3)
    with closing(server.connect()) as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLE taxietl_loads IN SHARE MODE")
        with pytest.raises(TryLaterError, match=r"taxietl_loads in .* now by server process \d+"):
            impatient.load(4, force=True)
        with ThreadPoolExecutor() as pool:
            load = pool.submit(server.load, 5, force=True)
            wait_for(lambda: server.ask("SELECT 1 FROM pg_locks WHERE NOT granted") != [])
            time.sleep(SWAP_LOCK_MS / 1000)
            other.rollback()

            assert load.result().rows_loaded == 5


def test_a_cancel_ends_a_swap_that_waits(server: Postgres) -> None:
    server.load(3)

    def attempt(_: int) -> float:
        cancellation = Cancellation()
        with closing(server.connect()) as long_reader, long_reader.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM yellow_trips")
            with ThreadPoolExecutor() as pool:
                load = pool.submit(server.load, 4, force=True, cancellation=cancellation)
                time.sleep(1)
                cancellation.request("enough")
                begun = time.monotonic()
                with pytest.raises(Cancelled):
                    load.result()
                seconds = time.monotonic() - begun
        assert server.ask("SELECT count(*) FROM yellow_trips") == [(3,)]
        return seconds

    check_in_time(2, attempt)


class CancelledAt:
    """A run that is stopped at its n-th safe point."""

    def __init__(self, points: int) -> None:
        self._left = points

    def check(self) -> None:
        """Raise at that point and ever after."""
        self._left -= 1
        if self._left < 0:
            raise Cancelled("at that point")

    def on_cancel(self, callback: Callable[[], object]) -> AbstractContextManager[object]:
        """Stops at safe points alone."""
        return nullcontext()


def test_a_run_stopped_at_any_safe_point_leaves_the_month_as_it_was(server: Postgres) -> None:
    server.load(3)
    before = server.facts()
    load: Callable[..., Any] = server.load
    stopped = 0
    for points in range(200):
        try:
            load([batch_of("yellow", 4)] * 2, force=True, cancellation=CancelledAt(points))
        except Cancelled:
            stopped += 1
            assert server.facts() == before
            assert server.left_behind() == []
        else:
            break

    assert stopped >= 5
    assert server.ask("SELECT count(*) FROM yellow_trips") == [(8,)]
