"""Old runs are forgotten by whole trees; what is in progress, or needed by it, is not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from runs_at_hand import Clock

from taxietl.orchestrator import Cache, Engine, flow, get_run_logger, task
from taxietl.orchestrator.store.retention import Pruned, prune

pytestmark = pytest.mark.dates

DAY = timedelta(days=1)


@task
def speak(times: int) -> int:
    for _ in range(times):
        get_run_logger().info("x" * 1000)
    return times


@flow(run_name="child")
def child(times: int) -> None:
    speak(times)


@flow(run_name="root")
def root(times: int = 1) -> None:
    child(times)


@pytest.fixture
def old_to_new(engine: Engine, clock: Clock) -> Engine:
    """Five runs with a child each, a day apart: `root` is four days old, `root-5` of today."""
    for _ in range(5):
        engine.run(root)
        clock.sleep(DAY.total_seconds())
    clock.sleep(-DAY.total_seconds())
    return engine


def roots(engine: Engine) -> list[str]:
    return [run.name for run in engine.history.runs() if run.parent_id is None][::-1]


def rows(home: Path) -> dict[str, int]:
    with closing(sqlite3.connect(home / "history.db")) as connection:
        return {
            table: connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
            for table in ("runs", "task_runs", "states", "logs", "cache")
        }


def test_what_ended_before_a_time_goes_with_all_that_hangs_on_it(
    old_to_new: Engine, clock: Clock, home: Path
) -> None:
    before = rows(home)

    pruned = prune(old_to_new.history.database, before=clock() - 2 * DAY + timedelta(hours=1))

    assert (pruned.trees, pruned.runs, pruned.task_runs) == (3, 6, 6)
    assert roots(old_to_new) == ["root-4", "root-5"]
    after = rows(home)
    assert {table: count * 5 for table, count in after.items()} == {
        table: count * 2 for table, count in before.items()
    }
    assert before["logs"] - after["logs"] == pruned.log_lines > 0


@pytest.mark.parametrize("has_age", [True, False])
def test_the_newest_are_kept_whatever_their_age(
    old_to_new: Engine, clock: Clock, has_age: bool
) -> None:
    prune(old_to_new.history.database, before=clock() + DAY if has_age else None, keep=2)

    assert roots(old_to_new) == ["root-4", "root-5"]


def test_a_dry_run_counts_and_forgets_nothing(old_to_new: Engine, home: Path) -> None:
    before = rows(home)

    counted = prune(old_to_new.history.database, keep=2, dry_run=True)

    assert rows(home) == before
    assert prune(old_to_new.history.database, keep=2) == counted
    assert prune(old_to_new.history.database, keep=2) == Pruned(0, 0, 0, 0, 0)


def test_a_run_in_progress_and_what_it_takes_up_stay(engine: Engine, clock: Clock) -> None:
    @flow(run_name="long")
    def long(is_last: bool) -> list[str]:
        clock.sleep(200 * DAY.total_seconds())
        if not is_last:
            raise ValueError
        prune(engine.history.database)
        return roots(engine)

    engine.run(root)
    failed = engine.run(long, False)
    engine.history.database.rows("UPDATE runs SET replay = '{\"is_last\": true}'")

    again = engine.resume(failed.name, long)

    assert again is not None
    assert again.result() == ["long", "long-2"]


def test_freed_space_is_given_back_where_there_is_much_of_it(engine: Engine, home: Path) -> None:
    for _ in range(2):
        engine.run(root, 1000)
    engine.run(root)
    size = (home / "history.db").stat().st_size

    pruned = prune(engine.history.database, keep=1)

    now = (home / "history.db").stat().st_size
    assert pruned.freed_bytes > 2_000_000
    assert size - now > 2_000_000
    assert (home / "history.db-wal").stat().st_size < 1_000_000
    assert roots(engine) == ["root-3"]
    assert engine.run(root).state.name == "Completed"


def test_what_is_cached_stays_though_its_run_is_forgotten(engine: Engine) -> None:
    @task(cache=Cache())
    def kept() -> int:
        return 1

    @flow
    def body() -> None:
        kept()

    engine.run(body)
    prune(engine.history.database)

    again = engine.run(body)

    (task_run,) = engine.history.task_runs(again.id)
    assert task_run.state.name == "Cached"
    (entry,) = engine.cache.entries()
    assert entry.run_name is None


class TestByItself:
    """An engine forgets what is older than its `keep_days`, once a day."""

    def test_old_runs_are_gone_when_the_next_engine_opens(self, home: Path, clock: Clock) -> None:
        with Engine(home, clock=clock, keep_days=10) as engine:
            engine.run(root)
        clock.sleep(9 * DAY.total_seconds())
        with Engine(home, clock=clock, keep_days=10) as engine:
            engine.run(root)
            assert roots(engine) == ["root", "root-2"]
        clock.sleep(2 * DAY.total_seconds())
        with Engine(home, clock=clock, keep_days=10) as engine:
            assert roots(engine) == ["root-2"]

    def test_it_is_done_at_most_once_a_day(self, home: Path, clock: Clock) -> None:
        with Engine(home, clock=clock) as engine:
            engine.run(root)
        clock.sleep(DAY.total_seconds() - 1)
        with Engine(home, clock=clock, keep_days=0.1) as engine:
            assert roots(engine) == ["root"]
        clock.sleep(2)
        with Engine(home, clock=clock, keep_days=0.1) as engine:
            assert roots(engine) == []

    def test_a_clock_that_was_ahead_keeps_it_from_nothing(self, home: Path, clock: Clock) -> None:
        clock.sleep(10_000 * DAY.total_seconds())
        Engine(home, clock=clock).close()
        clock.sleep(-10_000 * DAY.total_seconds())
        with Engine(home, clock=clock) as engine:
            engine.run(root)
        clock.sleep(2 * DAY.total_seconds())

        with Engine(home, clock=clock, keep_days=1) as engine:
            assert roots(engine) == []

    def test_without_an_age_all_is_kept(self, home: Path, clock: Clock) -> None:
        with Engine(home, clock=clock, keep_days=None) as engine:
            engine.run(root)
        clock.sleep(10_000 * DAY.total_seconds())

        with Engine(home, clock=clock, keep_days=None) as engine:
            assert roots(engine) == ["root"]

    def test_a_clock_that_is_wrong_forgets_nothing_and_says_so(
        self, home: Path, clock: Clock, caplog: pytest.LogCaptureFixture
    ) -> None:
        with Engine(home, clock=clock) as engine:
            engine.run(root)
        years = 80 * 365 * DAY.total_seconds()
        clock.sleep(years)
        for _ in range(3):  # for days, with runs of its own
            clock.sleep(2 * DAY.total_seconds())
            with Engine(home, clock=clock) as engine:
                engine.run(root)
        assert roots(engine) == ["root", "root-2", "root-3", "root-4"]
        assert caplog.text.count("nothing was forgotten. Set the clock; or") == 3
        clock.sleep(-years)

        with Engine(home, clock=clock) as engine:
            assert roots(engine) == ["root", "root-2", "root-3", "root-4"]
        assert caplog.text.count("nothing was forgotten") == 3

    def test_after_a_pause_of_months_it_goes_on_in_some_days(
        self, home: Path, clock: Clock, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO", "taxietl")
        with Engine(home, clock=clock) as engine:
            engine.run(root)
        clock.sleep(100 * DAY.total_seconds())
        left = []
        for _ in range(5):
            with Engine(home, clock=clock) as engine:
                left.append(len(roots(engine)))
            clock.sleep(DAY.total_seconds())

        assert left == [1, 1, 1, 0, 0]
        assert "Forgot 2 runs with 2 task runs that ended before 2021-01-" in caplog.text

    def test_the_time_of_an_older_history_is_that_of_its_newest_run(
        self, home: Path, clock: Clock
    ) -> None:
        with Engine(home, clock=clock) as engine:
            engine.run(root)
            with engine.history.database.transaction() as connection:
                connection.execute("DELETE FROM chores")
        clock.sleep(10_000 * DAY.total_seconds())

        with Engine(home, clock=clock) as engine:
            assert roots(engine) == ["root"]

    def test_a_mark_that_cannot_be_read_keeps_it_from_nothing(
        self, home: Path, clock: Clock
    ) -> None:
        with Engine(home, clock=clock) as engine:
            engine.run(root)
            with engine.history.database.transaction() as connection:
                connection.execute("UPDATE chores SET done_at = 'yesterday'")
        clock.sleep(2 * DAY.total_seconds())

        with Engine(home, clock=clock, keep_days=1) as engine:
            assert roots(engine) == []
