"""Everything that runs did, kept: runs, task runs, their states and log lines.

The engine writes through a `Writer`, whose block is one transaction. Opening the history first
tells the runs whose process died (see `liveness.py`), so nobody reads of them as running. Here
is what the engine and users ask; what only a command shows is asked in `query/runs.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from taxietl.errors import UnknownNameError
from taxietl.orchestrator.store.beginnings import NewTaskRun
from taxietl.orchestrator.store.database import BUSY_SECONDS, Database
from taxietl.orchestrator.store.liveness import reconcile
from taxietl.orchestrator.store.logs import Line
from taxietl.orchestrator.store.records import (
    LogRecord,
    RunRecord,
    StateRecord,
    TaskRunRecord,
    log_record,
    run_record,
    state_record,
    task_run_record,
    when,
)
from taxietl.orchestrator.store.states import StateName
from taxietl.orchestrator.store.writer import Writer

RUNS = (
    "SELECT runs.*,"
    " COALESCE((SELECT name FROM runs AS old WHERE old.id = runs.resumed_from),"
    " runs.resumed_from) AS resumed_from_name,"
    " (SELECT name FROM runs AS new WHERE new.resumed_from = runs.id) AS resumed_by FROM runs"
)
"""What `run_record` reads; add the condition."""

TREE = (
    "WITH RECURSIVE tree (id) AS (VALUES (?) UNION ALL"
    " SELECT runs.id FROM runs JOIN tree ON runs.parent_id = tree.id)"
)
"""The ids of one run, its parameter, and of all below it."""


class History:
    """The history of one home folder: written by the engine, read by anybody."""

    def __init__(self, home: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self.home = home
        self.database = Database(home, busy_seconds=busy_seconds)

    @classmethod
    def open(cls, home: Path, *, now: datetime | None = None) -> History:
        """Open it, and mark the runs whose process has died as crashed.

        Raises:
            ConfigError: the folder cannot be used, or a newer taxietl wrote the history.
            TargetError: the disk is full, or the file damaged.
        """
        history = cls(home)
        reconcile(history, now=now)
        return history

    @classmethod
    @contextmanager
    def opened(cls, home: Path) -> Iterator[History]:
        """Like `open`, for one block."""
        history = cls.open(home)
        try:
            yield history
        finally:
            history.close()

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """One transaction."""
        with self.database.transaction() as connection:
            yield Writer(connection)

    def add_lines(self, lines: Iterable[Line]) -> None:
        """Store log lines by themselves."""
        with self.writing() as writer:
            writer.lines(lines)

    def runs(self, *, limit: int = 50, state: StateName | None = None) -> list[RunRecord]:
        """Runs, child runs among them, newest first; whatever the clock said when they began."""
        where = "WHERE state = ?" if state else ""
        rows = self.database.rows(
            f"{RUNS} {where} ORDER BY rowid DESC LIMIT ?",
            (state, limit) if state else (limit,),
        )
        return [run_record(row) for row in rows]

    def run(self, name_or_id: str) -> RunRecord:
        """One run, the newest of that name; UnknownNameError if there is none."""
        found = self.find(name_or_id)
        if found is None:
            raise UnknownNameError("run", name_or_id, (each.name for each in self.runs(limit=20)))
        return found

    def find(self, name_or_id: str) -> RunRecord | None:
        """One run, or None.

        Of those that were to have one name, of which all but the first got a number, the newest.
        """
        rows = self.database.rows(
            f"{RUNS} WHERE id = ? OR name = ? OR base = ? ORDER BY id = ? DESC, rowid DESC LIMIT 1",
            (name_or_id,) * 4,
        )
        return run_record(rows[0]) if rows else None

    def handle(self, run: RunRecord) -> str:
        """What to type for that very run: its name, or its id where the name means a newer one."""
        found = self.find(run.name)
        return run.name if found and found.id == run.id else run.id

    def last_resumption(self, run: RunRecord) -> RunRecord:
        """The last of the runs that take up that one, one after the other; itself if none does."""
        while rows := self.database.rows(f"{RUNS} WHERE resumed_from = ?", (run.id,)):
            run = run_record(rows[0])
        return run

    def children(self, run_id: str) -> list[RunRecord]:
        """The runs that run called, in their order."""
        rows = self.database.rows(
            f"{RUNS} WHERE parent_id = ? ORDER BY created_at, rowid",
            (run_id,),
        )
        return [run_record(row) for row in rows]

    def open_roots(self) -> list[RunRecord]:
        """The top-level runs with anything in their tree that has not ended."""
        rows = self.database.rows(
            f"{RUNS} WHERE id IN (SELECT root_id FROM runs"  # noqa: S608
            " WHERE state_type IN ('SCHEDULED', 'PENDING', 'RUNNING'))"
        )
        return [run_record(row) for row in rows]

    def task_runs(self, run_id: str) -> list[TaskRunRecord]:
        """The task runs of one run, in their order."""
        rows = self.database.rows(
            "SELECT * FROM task_runs WHERE run_id = ? ORDER BY created_at, rowid", (run_id,)
        )
        return [task_run_record(row) for row in rows]

    def same_call(
        self, run_id: str, new: NewTaskRun, *, any_version: bool = False
    ) -> TaskRunRecord | None:
        """That run's call of the same task or child flow with the same arguments, if any.

        Streams are no such calls, nor are calls whose arguments nothing tells apart.
        """
        if new.digest == "":
            return None
        rows = self.database.rows(
            "SELECT * FROM task_runs WHERE run_id = ? AND kind = ? AND task = ? AND ordinal = ?"
            " AND (version = ? OR ?) AND digest IS ? AND (digest IS NOT NULL OR arguments = ?)",
            (
                *(run_id, new.kind, new.task, new.ordinal),
                *(new.version, any_version, new.digest, new.arguments),
            ),
        )
        return task_run_record(rows[0]) if rows else None

    def states(self, run_id: str, task_run_id: str | None = None) -> list[StateRecord]:
        """The transitions of a run itself, or of one of its task runs, in their order."""
        rows = self.database.rows(
            "SELECT * FROM states WHERE run_id = ? AND task_run_id IS ? ORDER BY rowid",
            (run_id, task_run_id),
        )
        return [state_record(row) for row in rows]

    def logs(self, run_id: str, *, children: bool = True) -> list[LogRecord]:
        """The log lines of a run, and of all runs below it, in the order they were stored."""
        return list(self.each_log(run_id, children=children))

    def each_log(self, run_id: str, *, children: bool = True) -> Iterator[LogRecord]:
        """The same, read while they are used: there may be a million."""
        among = f"IN ({TREE} SELECT id FROM tree)" if children else "= ?"  # noqa: S608
        sql = f"SELECT * FROM logs WHERE run_id {among} ORDER BY rowid"  # noqa: S608
        return map(log_record, self.database.each_row(sql, (run_id,)))

    def last_heard(self, root_id: str) -> datetime:
        """When anything was last written about that run or its children."""
        row: Any = self.database.rows(
            "SELECT MAX(at) AS at FROM ("
            " SELECT at FROM states WHERE run_id IN (SELECT id FROM runs WHERE root_id = ?)"
            " UNION ALL"
            " SELECT at FROM logs WHERE run_id IN (SELECT id FROM runs WHERE root_id = ?))",
            (root_id,) * 2,
        )[0]
        return when(row["at"])
