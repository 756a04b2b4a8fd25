"""How far a task run is: kept now and then, shown while it runs, no weight on it."""

from __future__ import annotations

import importlib
import threading
from pathlib import Path

import pytest

from taxietl.orchestrator import Engine, flow, report_progress, task
from taxietl.orchestrator.query.progress import progress_below
from taxietl.orchestrator.run.progress import ProgressReporter
from taxietl.orchestrator.store.attached_rows import ProgressRow
from taxietl.orchestrator.store.lines import Identity
from taxietl.orchestrator.store.retention import prune

ME = Identity("run", "a run", "a flow", "run", task_run_id="task")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_is_kept_about_once_a_second_and_not_of_what_is_over_at_once() -> None:
    kept: list[ProgressRow] = []
    clock = Clock()
    report = ProgressReporter(kept.append, ME, clock=clock)

    for quarter in range(12):
        clock.now = 100 + quarter / 4
        report(quarter * 1000, 50_000, unit="rows")

    assert [(each.done, each.total, each.unit) for each in kept] == [
        (done, 50_000, "rows") for done in (2000, 6000, 10_000)
    ]
    assert {each.done_before for each in kept} == {0}


def test_fewer_than_before_begin_anew() -> None:
    kept: list[ProgressRow] = []
    clock = Clock()
    report = ProgressReporter(kept.append, ME, clock=clock)
    report(9000, unit="rows")
    clock.now += 2

    report(1000, unit="rows")

    assert kept[0].done_before == 1000
    assert kept[0].rate is None


def test_while_it_runs_the_history_tells_and_afterwards_no_more(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taxietl.orchestrator.run.progress._FIRST_AFTER_SECONDS", -1.0)
    monkeypatch.setattr("taxietl.orchestrator.run.progress._EVERY_SECONDS", 0.0)
    seen: list[ProgressRow] = []

    @task
    def count() -> None:
        report_progress(10, 40)
        report_progress(30, 40)
        (root,) = engine.history.open_roots()
        seen.extend(progress_below(engine.history, root.id).values())

    @flow
    def counts() -> None:
        count()

    run = engine.run(counts)

    assert [(each.done, each.total, each.unit) for each in seen] == [(30, 40, "items")]
    assert seen[0].task_run_id == engine.history.task_runs(run.id)[0].id
    assert progress_below(engine.history, run.id) == {}
    prune(engine.history.database)
    assert engine.history.database.rows("SELECT * FROM progress") == []


def test_outside_a_run_it_is_nobodys() -> None:
    report_progress(1, 2)


def test_any_thread_may_tell(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taxietl.orchestrator.run.progress._FIRST_AFTER_SECONDS", -1.0)
    from taxietl.orchestrator.run.progress import current_progress

    seen: list[float] = []

    @flow
    def downloads() -> None:
        report = current_progress()
        threads = [threading.Thread(target=report, args=(done,)) for done in (1, 2)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        (root,) = engine.history.open_roots()
        seen.extend(each.done for each in progress_below(engine.history, root.id).values())

    engine.run(downloads)

    assert len(seen) == 1


def test_a_progress_that_cannot_be_kept_is_no_failure(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taxietl.orchestrator.run.progress._FIRST_AFTER_SECONDS", -1.0)

    @flow
    def counts() -> str:
        engine.history.database.rows("SELECT 1")
        with engine.history.transaction(engine.history.open_roots()[0].created_at) as change:
            change._connection.execute("DROP TABLE progress")
        report_progress(1)
        return "done"

    assert engine.run(counts).result() == "done"


ISOLATED = """
import taxietl.orchestrator.run.progress as own
from taxietl.orchestrator import report_progress, task


@task(isolate=True)
def apart():
    own._FIRST_AFTER_SECONDS = -1.0
    report_progress(7, 8, unit="rows")
"""


def test_an_isolated_task_tells_the_history_of_its_run(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "far_away_progress.py").write_text(ISOLATED)
    monkeypatch.syspath_prepend(tmp_path)
    apart = importlib.import_module("far_away_progress").apart

    @flow
    def isolates() -> None:
        apart()

    engine.run(isolates)

    (row,) = engine.history.database.rows("SELECT done, total, unit FROM progress")
    assert tuple(row) == (7, 8, "rows")
