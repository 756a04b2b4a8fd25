from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from runs_at_hand import Clock, double

from taxietl.errors import ConfigError, UnknownNameError
from taxietl.orchestrator import Engine, History, StateName, flow, task

pytestmark = pytest.mark.dates


@task
def step(number: int) -> int:
    return number


@flow(run_name="run-{number}")
def steps(number: int) -> None:
    for each in range(3):
        step(each)
    if number == 2:
        raise ValueError("two")


def test_runs_are_found_newest_first_by_name_id_and_state(engine: Engine) -> None:
    ids = [engine.run(steps, number).id for number in (1, 2, 3)]
    history = engine.history

    assert [each.id for each in history.runs()] == ids[::-1]
    assert [each.name for each in history.runs(limit=1)] == ["run-3"]
    assert [each.name for each in history.runs(state=StateName.FAILED)] == ["run-2"]
    assert history.run("run-1") == history.run(ids[0])


def test_an_unknown_run_is_an_error_that_guesses(engine: Engine) -> None:
    engine.run(steps, 1)

    with pytest.raises(UnknownNameError, match="no run named 'run-11'") as error:
        engine.history.run("run-11")

    assert "Did you mean 'run-1'?" in error.value.hint


def test_times_are_kept_as_utc_text_with_microseconds(engine: Engine) -> None:
    run = engine.run(steps, 1)

    kept = engine.history.run(run.id)
    ((text,),) = engine.history.database.rows("SELECT created_at FROM runs")
    assert kept.created_at == datetime(2021, 1, 2, 16, 5, 11, 752_000, tzinfo=UTC)
    assert text == "2021-01-02T16:05:11.752000+00:00"
    assert kept.started_at == kept.ended_at == kept.state.at == kept.created_at
    assert kept.process_start is not None
    assert kept.process_start < datetime.now(UTC)


def test_a_transaction_that_breaks_leaves_nothing_behind(engine: Engine) -> None:
    run = engine.run(steps, 1)
    before = engine.history.task_runs(run.id)

    def break_off() -> None:
        with engine.history.transaction(engine.clock()) as change:
            change.keep(before[0].id, result="gone")
            raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        break_off()

    assert engine.history.task_runs(run.id) == before
    assert str(engine.run(steps, 3).state) == "Completed('All states completed.')"


WORKER = """
import sys
from pathlib import Path
from taxietl.orchestrator import Engine, configure_logging, flow, task

@task
def step(number: int) -> int:
    return number

@flow
def steps() -> None:
    for number in range(5):
        step(number)

configure_logging(40)
with Engine(Path(sys.argv[1])) as engine:
    for _ in range(20):
        engine.run(steps).result()
"""


def test_four_processes_write_one_history_at_once(home: Path) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(home)], stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    errors = [worker.communicate(timeout=60)[1] for worker in workers]

    assert errors == [""] * 4
    history = History.open(home)
    runs = history.runs(limit=1000)
    assert len({run.name for run in runs}) == 80
    assert {run.state.name for run in runs} == {"Completed"}
    assert len(history.database.rows("SELECT 1 FROM task_runs WHERE state = 'Completed'")) == 400
    assert len(history.database.rows("SELECT 1 FROM states")) == 80 * 3 + 400 * 3
    assert len(history.database.rows("SELECT 1 FROM logs")) == 80 * 2 + 400 * 3
    assert [tuple(row) for row in history.database.rows("PRAGMA integrity_check")] == [("ok",)]
    assert list((home / "runs").iterdir()) == []
    history.close()


def test_a_history_of_a_newer_version_is_refused_and_not_touched(home: Path) -> None:
    Engine(home).close()
    with sqlite3.connect(home / "history.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(ConfigError, match="written by a newer taxietl") as error:
        Engine(home)

    assert error.value.exit_code == 2
    with sqlite3.connect(home / "history.db") as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (99,)
    connection.close()


@pytest.mark.parametrize(
    ("table", "of_one"),
    [
        ("states", "run_id = ? AND task_run_id IS ?"),
        ("task_runs", "run_id = ? AND task = ? AND ordinal = ?"),
    ],
)
def test_the_rows_of_one_call_are_found_without_reading_the_others(
    engine: Engine, table: str, of_one: str
) -> None:
    plan = engine.history.database.rows(
        f"EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE {of_one}",
        ("x",) * of_one.count("?"),
    )

    assert of_one.replace("IS", "=").replace(" ", "") in plan[0]["detail"].replace(" ", "")


def test_a_name_means_the_newest_run_that_was_to_have_it(engine: Engine, clock: Clock) -> None:
    runs = []
    for name in ("month", "month-1", "month", "other", "month"):
        clock.sleep(1)
        runs.append(engine.run(flow(run_name=name)(lambda: None)))
    history = engine.history

    assert [run.name for run in runs] == ["month", "month-1", "month-2", "other", "month-3"]
    assert history.run("month").id == runs[4].id
    assert history.run("month-1").id == runs[1].id
    assert history.run("month-2").id == runs[2].id
    assert history.run(runs[0].id).id == runs[0].id
    assert [history.handle(history.run(run.id)) for run in runs] == [
        *(runs[0].id, "month-1", "month-2", "other", "month-3")
    ]


def test_a_clock_that_was_once_ahead_makes_no_run_the_newest(engine: Engine, clock: Clock) -> None:
    ids = []
    for years in (0, 70, -70):
        clock.sleep(years * 365 * 86_400)
        ids.append(engine.run(flow(run_name="month")(lambda: None)).id)

    assert engine.history.run("month").id == ids[2]
    assert [run.id for run in engine.history.runs()] == ids[::-1]


def test_log_lines_are_read_while_they_are_used(engine: Engine) -> None:
    run = engine.run(flow(lambda: double(1)))
    lines = engine.history.each_log(run.id)

    first = next(lines)
    engine.run(flow(lambda: double(2)))  # nobody waits for who reads

    assert [first, *lines] == engine.history.logs(run.id)
