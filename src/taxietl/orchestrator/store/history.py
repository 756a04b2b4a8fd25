"""Everything that runs did, kept: runs, task runs, their states and log lines.

It is written through `transaction`. Opening it first tells the runs whose process died (see
`liveness.py`), so nobody reads of them as running. Here is what the engine and users ask; what
only a command shows is asked in `query/runs.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from taxietl.errors import UnknownNameError
from taxietl.orchestrator.store import lines
from taxietl.orchestrator.store.database import BUSY_SECONDS, Database
from taxietl.orchestrator.store.liveness import sweep_locks, taken_from_dead
from taxietl.orchestrator.store.rows import LogRow, RunRow, StateRow, TaskRunRow, when
from taxietl.orchestrator.store.schema import OPEN
from taxietl.orchestrator.store.states import State, StateName
from taxietl.orchestrator.store.transaction import Transaction, transaction

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
        history.reconcile(now=now)
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

    def transaction(self, at: datetime) -> AbstractContextManager[Transaction]:
        """Changes at that time that are stored together; lines among them are not shown."""
        return transaction(self.database, lambda: at, show=lambda _: None)

    def reconcile(self, *, now: datetime | None = None) -> list[RunRow]:
        """Mark every run whose process is gone as crashed, with all that was open in it.

        Returns:
            The top-level runs found dead. A live run, of whatever process, is not touched.
        """
        now = now or datetime.now(UTC)
        dead = [run for run in self.open_roots() if self._bury(run, now)]
        sweep_locks(self.home)
        return dead

    def _bury(self, run: RunRow, now: datetime) -> bool:
        """Mark one run as crashed if its lock can be had; False if it lives or has ended."""
        with taken_from_dead(self.home, run.id) as is_dead:
            if not is_dead:
                return False
            heard = self.last_heard(run.id)
            message = (
                f"Its process {run.pid} on {run.host} is gone; last heard of at"
                f" {heard:%Y-%m-%d %H:%M:%S} UTC."
            )
            with self.transaction(now) as change:
                # Reads again what is open: the run may have ended before the lock was had.
                is_ended = change.end_open(run.id, State(StateName.CRASHED, message, now))
                if is_ended and run.ended_at is None:  # else only what was below it was open
                    change.note_dead(run.id)
                return is_ended

    def take_found_dead(self) -> list[RunRow]:
        """The top-level runs that crashed and that nobody was told of; each is given out once."""
        if not self.database.rows("SELECT 1 FROM found_dead LIMIT 1"):
            return []
        with self.database.transaction() as connection:
            taken = connection.execute("DELETE FROM found_dead RETURNING run_id").fetchall()
        marks = ", ".join("?" * len(taken))
        found = self._runs(f"WHERE id IN ({marks}) ORDER BY rowid", *(each[0] for each in taken))
        return [each for each in found if each.state.name is StateName.CRASHED]

    def runs(self, *, limit: int = 50, state: StateName | None = None) -> list[RunRow]:
        """Runs, child runs among them, newest first; whatever the clock said when they began."""
        where = "WHERE state = ?" if state else ""
        return self._runs(
            f"{where} ORDER BY rowid DESC LIMIT ?", *((state, limit) if state else (limit,))
        )

    def run(self, name_or_id: str) -> RunRow:
        """One run, the newest of that name; UnknownNameError if there is none."""
        found = self.find(name_or_id)
        if found is None:
            raise UnknownNameError("run", name_or_id, (each.name for each in self.runs(limit=20)))
        return found

    def find(self, name_or_id: str) -> RunRow | None:
        """One run, or None.

        Of those that were to have one name, of which all but the first got a number, the newest.
        """
        found = self._runs(
            "WHERE id = ? OR name = ? OR base = ? ORDER BY id = ? DESC, rowid DESC LIMIT 1",
            *(name_or_id,) * 4,
        )
        return found[0] if found else None

    def handle(self, run: RunRow) -> str:
        """What to type for that very run: its name, or its id where the name means a newer one."""
        found = self.find(run.name)
        return run.name if found and found.id == run.id else run.id

    def last_resumption(self, run: RunRow) -> RunRow:
        """The last of the runs that take up that one, one after the other; itself if none does."""
        while found := self._runs("WHERE resumed_from = ?", run.id):
            run = found[0]
        return run

    def children(self, run_id: str) -> list[RunRow]:
        """The runs that run called, in their order."""
        return self._runs("WHERE parent_id = ? ORDER BY created_at, rowid", run_id)

    def in_place(self, place: TaskRunRow) -> list[RunRow]:
        """The child runs in that place, the newest first: a retried flow calls another each time.

        One that is not the place's own was taken over from the run before.
        """
        where = "WHERE parent_id = ? AND parent_task_run_id = ? ORDER BY rowid DESC"
        own = self._runs(where, place.run_id, place.id)
        if place.child_run_id in {None, *(each.id for each in own)}:
            return own
        taken_over = self.find(str(place.child_run_id))
        return [taken_over, *own] if taken_over else own

    def open_roots(self) -> list[RunRow]:
        """The top-level runs with anything in their tree that has not ended."""
        return self._runs(f"WHERE id IN (SELECT root_id FROM runs WHERE {OPEN})")  # noqa: S608

    def task_runs(self, run_id: str) -> list[TaskRunRow]:
        """The task runs of one run, in their order."""
        rows = self.database.rows(
            "SELECT * FROM task_runs WHERE run_id = ? ORDER BY created_at, rowid", (run_id,)
        )
        return [TaskRunRow.of(row) for row in rows]

    def same_call(
        self, run_id: str, call: TaskRunRow, *, any_version: bool = False
    ) -> TaskRunRow | None:
        """That run's call of the same task or child flow with the same arguments, if any.

        Streams are no such calls, nor are calls whose arguments nothing tells apart.
        """
        if call.digest == "":
            return None
        rows = self.database.rows(
            "SELECT * FROM task_runs WHERE run_id = ? AND kind = ? AND task = ? AND ordinal = ?"
            " AND (version = ? OR ?) AND digest IS ? AND (digest IS NOT NULL OR arguments = ?)",
            (
                *(run_id, call.kind, call.task, call.ordinal),
                *(call.version, any_version, call.digest, call.arguments),
            ),
        )
        return TaskRunRow.of(rows[0]) if rows else None

    def states(self, run_id: str, task_run_id: str | None = None) -> list[StateRow]:
        """The transitions of a run itself, or of one of its task runs, in their order."""
        rows = self.database.rows(
            "SELECT * FROM states WHERE run_id = ? AND task_run_id IS ? ORDER BY rowid",
            (run_id, task_run_id),
        )
        return [StateRow.of(row) for row in rows]

    def logs(self, run_id: str, *, children: bool = True) -> list[LogRow]:
        """The log lines of a run, and of all runs below it, in the order they were stored."""
        return list(self.each_log(run_id, children=children))

    def each_log(self, run_id: str, *, children: bool = True) -> Iterator[LogRow]:
        """The same, read while they are used: there may be a million."""
        among = f"IN ({TREE} SELECT id FROM tree)" if children else "= ?"  # noqa: S608
        sql = f"SELECT * FROM logs WHERE run_id {among} ORDER BY rowid"  # noqa: S608
        return map(LogRow.of, self.database.each_row(sql, (run_id,)))

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

    def _runs(self, where: str, *given: object) -> list[RunRow]:
        rows = self.database.rows(f"SELECT * FROM runs {where}", given)  # noqa: S608
        return [RunRow.of(row) for row in rows]


current: ContextVar[History | None] = ContextVar("taxietl_history", default=None)
"""Of the run that the current code belongs to; None outside any run."""


def run_in_process(pid: int) -> str | None:
    """The name of another run that is in progress in the process of that number, if there is one.

    Asked in a run, of its history; outside any run nothing is known.
    """
    history, who = current.get(), lines.current.get()
    if history is None or who is None:
        return None
    running = history.runs(state=StateName.RUNNING)
    names = (each.name for each in running if each.pid == pid and each.id != who.run_id)
    return next(names, None)
