"""A history that an earlier version wrote is brought up, whole or not at all."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from taxietl.errors import ConfigError
from taxietl.orchestrator import Engine, History, flow
from taxietl.orchestrator.store.schema import STEPS, bring_up

pytestmark = pytest.mark.dates

VERSION_1 = Path(__file__).with_name("history-version-1.sql")
"""What the first version wrote: two runs of a flow with child runs, streams and a cached task."""
WRITTEN = datetime(2026, 11, 22, 13, tzinfo=UTC)
"""Soon after it: later the cached result expires, and later still the runs are forgotten."""


@pytest.fixture
def old_home(home: Path) -> Path:
    home.mkdir()
    with closing(sqlite3.connect(home / "history.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(VERSION_1.read_text())
    return home


def schema_of(home: Path) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(home / "history.db")) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master")]
        columns = [
            (table, *row[1:])
            for table in sorted(tables)
            for row in connection.execute(f"PRAGMA table_info({table})")
        ]
        return [*columns, *((name,) for name in sorted(tables))]


def test_a_version_1_file_is_brought_up_with_all_it_holds(old_home: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(old_home / "history.db")) as connection:
        before = {
            table: connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
            for table in ("runs", "task_runs", "states", "logs", "cache")
        }

    with Engine(old_home, clock=lambda: WRITTEN) as engine:
        runs = {run.name: run for run in engine.history.runs()}
        assert {name: run.state.name for name, run in runs.items()} == {
            "year": "Completed",
            "month-1": "Completed",
            "year-2": "Failed",
            "month-1-2": "Completed",
            "month-2": "Failed",
        }
        assert engine.history.run("year").name == "year-2"
        assert engine.history.run("month-1").name == "month-1-2"
        assert runs["year-2"].resumed_from is None
        (extract, *_) = engine.history.task_runs(runs["month-1-2"].id)
        assert (extract.state.name, extract.digest) == ("Cached", None)
        with pytest.raises(ConfigError, match="'year-2'"):
            engine.resume("year-2")
        assert str(engine.run(flow(lambda: 1)).state) == "Completed()"

    with closing(sqlite3.connect(old_home / "history.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == len(STEPS)
        assert connection.execute("SELECT bytes FROM cache").fetchone()[0] == len('{"month":1}')
        for table, rows in before.items():
            assert connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] >= rows
    Engine(tmp_path / "new").close()
    assert schema_of(old_home) == schema_of(tmp_path / "new")


def test_what_stood_in_messages_only_is_data_afterwards(home: Path) -> None:
    """Whose result a task run reused, and why the cache had none for it."""
    home.mkdir()
    with closing(sqlite3.connect(home / "history.db")) as connection:
        bring_up(connection, STEPS[:4])
        run = "INSERT INTO runs (id, name, flow, root_id, parameters, state, state_type, message,"
        run += " state_at, created_at, ended_at, host, pid, version) VALUES"
        run += " (?, ?, 'f', ?, '{}', 'Failed', 'FAILED', '', ?1, ?1, ?1, 'h', 1, '0')"
        at = WRITTEN.isoformat(timespec="microseconds")
        task = "INSERT INTO task_runs (id, run_id, task, name, ordinal, kind, version, tags, state,"
        task += " state_type, message, state_at, attempts, cache_key, created_at)"
        task += " VALUES (?, ?, 't', 't-0', 0, 'task', '1', '[]', ?, 'COMPLETED', ?, ?, 1, ?, ?)"
        for number in ("1", "2"):
            connection.execute(run.replace("?1", f"'{at}'"), (number, f"it's-{number}", number))
        for id_, state, message, key in (
            ("reused", "Cached", 'Completed in run "it\'s-1".', None),
            ("pruned", "Cached", "Completed in run 'gone'.", None),
            ("hit", "Cached", "", "key"),
            ("made", "Completed", "", "key"),
        ):
            connection.execute(task, (id_, "2", state, message, at, key, at))
        connection.execute(
            "INSERT INTO states VALUES ('2', 'made', 'Running', 'RUNNING',"
            " 'Cache miss: nothing is kept under its key.', ?, 1, NULL)",
            (at,),
        )
        connection.commit()

    with History.opened(home) as history:
        found = {each.id: (each.reused_from, each.miss) for each in history.task_runs("2")}

    assert found == {
        "reused": ("1", None),
        "pruned": ("", None),
        "hit": (None, None),
        "made": (None, "nothing is kept under its key"),
    }


def test_a_step_that_fails_leaves_the_file_as_it_was(old_home: Path) -> None:
    before = schema_of(old_home)
    with closing(sqlite3.connect(old_home / "history.db", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE chores (mine)")
        with pytest.raises(sqlite3.OperationalError, match="chores already exists"):
            bring_up(connection, STEPS)
        connection.execute("DROP TABLE chores")
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 1

    assert schema_of(old_home) == before


def test_eight_processes_at_once_bring_up_one_file(old_home: Path) -> None:
    command = [sys.executable, "-m", "taxietl", "--home", str(old_home), "runs", "ls", "--json"]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(8)
    ]

    told = [process.communicate() for process in processes]

    assert [process.returncode for process in processes] == [0] * 8, told
    assert len({out for out, _ in told}) == 1
    assert {err for _, err in told} == {""}
