"""What the engine writes into the history: runs, task runs, transitions, log lines.

A `Writer` is one open transaction, so what it writes is there together or not at all.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime
from logging import getLevelName

from taxietl.orchestrator.store.beginnings import NewRun, NewTaskRun
from taxietl.orchestrator.store.logs import Line
from taxietl.orchestrator.store.names import free_name
from taxietl.orchestrator.store.records import to_text
from taxietl.orchestrator.store.results import Stored
from taxietl.orchestrator.store.states import State, StateName

_MOVE_RUN = """
UPDATE runs SET state = ?, state_type = ?, message = ?, state_at = ?,
started_at = COALESCE(started_at, ?), ended_at = ? WHERE id = ? AND ended_at IS NULL
"""
_REOPEN_TASK_RUN = """
UPDATE task_runs SET state = ?, state_type = ?, message = ?, state_at = ?,
started_at = COALESCE(started_at, ?), ended_at = ?, attempts = ? WHERE id = ?
"""
_MOVE_TASK_RUN = f"{_REOPEN_TASK_RUN} AND ended_at IS NULL"


class Writer:
    """One open transaction.

    A last state is written once: who comes too late changes nothing, and is told so.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def run(self, new: NewRun, names: Iterable[str], state: State) -> str:
        """Insert a run under the first name that is free; returns the name."""
        name, base = free_name(self.connection, names)
        row = (new.id, name, base, new.flow, new.parent_id, new.parent_task_run_id, new.root_id)
        process = (new.host, new.pid, new.process_start and to_text(new.process_start))
        self.connection.execute(
            "INSERT INTO runs (id, name, base, flow, parent_id, parent_task_run_id, root_id,"
            " parameters, created_at, host, pid, process_start, version,"
            " resumed_from, entry, replay, no_replay,"
            " state, state_type, message, state_at, started_at, ended_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(*row, new.parameters, to_text(state.at), *process, new.version),
                *(new.resumed_from, new.entry, new.replay, new.no_replay),
                *_status(state),
            ),
        )
        self._state(new.id, None, state)
        return name

    def is_resumed(self, run_id: str) -> bool:
        """Another run has taken that one up."""
        found = self.connection.execute("SELECT 1 FROM runs WHERE resumed_from = ?", (run_id,))
        return found.fetchone() is not None

    def run_state(self, run_id: str, state: State) -> bool:
        """Move a run to another state; False if it has ended before."""
        cursor = self.connection.execute(_MOVE_RUN, (*_status(state), run_id))
        if cursor.rowcount:
            self._state(run_id, None, state)
        return cursor.rowcount == 1

    def task_run(self, new: NewTaskRun, state: State, *, attempt: int = 0) -> None:
        """Insert a task run; a stream begins with its first attempt."""
        identity = (new.id, new.run_id, new.task, new.name, new.ordinal, new.kind, new.version)
        tags = json.dumps(sorted(new.tags)) if new.tags else "[]"
        self.connection.execute(
            "INSERT INTO task_runs (id, run_id, task, name, ordinal, kind, version, tags,"
            " child_run_id, arguments, digest, attempts, created_at,"
            " state, state_type, message, state_at, started_at, ended_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *identity,
                tags,
                new.child_run_id,
                new.arguments,
                new.digest,
                attempt,
                to_text(state.at),
                *_status(state),
            ),
        )
        self._state(new.run_id, new.id, state, attempt=attempt or None)

    def task_run_state(
        self,
        run_id: str,
        task_run_id: str,
        state: State,
        *,
        attempt: int,
        scheduled_for: datetime | None = None,
        reopen: bool = False,
    ) -> bool:
        """Move a task run to another state; False if it has ended before.

        Args:
            reopen: it may have: a stream is read anew by a consumer that runs again.
        """
        move = _REOPEN_TASK_RUN if reopen else _MOVE_TASK_RUN
        cursor = self.connection.execute(move, (*_status(state), attempt, task_run_id))
        if cursor.rowcount:
            self._state(run_id, task_run_id, state, attempt=attempt, scheduled_for=scheduled_for)
        return cursor.rowcount == 1

    def outcome(self, task_run_id: str, kept: Stored, *, counts: str | None = None) -> None:
        """Keep what a task run gave."""
        says = "stored" if kept.result is not None else "not stored"
        self.connection.execute(
            "UPDATE task_runs SET result = ?, files = ?, stored = ?, counts = ? WHERE id = ?",
            (kept.result, kept.files, says, counts, task_run_id),
        )

    def counts(self, task_run_id: str, counts: str) -> None:
        """Keep how far a stream came that did not end."""
        self.connection.execute(
            "UPDATE task_runs SET counts = ? WHERE id = ?", (counts, task_run_id)
        )

    def inputs(self, new: NewTaskRun) -> None:
        """Keep what a submitted task run begins with, once what it waited for is there."""
        self.connection.execute(
            "UPDATE task_runs SET arguments = ?, digest = ?, child_run_id = ? WHERE id = ?",
            (new.arguments, new.digest, new.child_run_id, new.id),
        )

    def cache_key(self, task_run_id: str, key: str) -> None:
        """Keep under what a task run's result is cached."""
        self.connection.execute(
            "UPDATE task_runs SET cache_key = ? WHERE id = ?", (key, task_run_id)
        )

    def lines(self, lines: Iterable[Line]) -> None:
        """Store log lines."""
        self.connection.executemany(
            "INSERT INTO logs (run_id, task_run_id, at, level, logger, message)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    line.run_id,
                    line.task_run_id,
                    to_text(line.at),
                    getLevelName(line.level),
                    line.logger,
                    line.text,
                )
                for line in lines
            ],
        )

    def end_open(self, root_id: str, state: State) -> list[str]:
        """End whatever has not ended of that run and its children; returns the runs' ids."""
        is_open = "state_type IN ('SCHEDULED', 'PENDING', 'RUNNING')"  # as an index has it
        runs = self.connection.execute(
            f"SELECT id FROM runs WHERE root_id = ? AND {is_open} ORDER BY created_at DESC",  # noqa: S608
            (root_id,),
        ).fetchall()
        tasks = self.connection.execute(
            "SELECT id, run_id, attempts FROM task_runs WHERE ended_at IS NULL"
            " AND run_id IN (SELECT id FROM runs WHERE root_id = ?)",
            (root_id,),
        ).fetchall()
        for task in tasks:
            self.task_run_state(task["run_id"], task["id"], state, attempt=task["attempts"])
        for run in runs:
            self.run_state(run["id"], state)
        return [run["id"] for run in runs]

    def _state(
        self,
        run_id: str,
        task_run_id: str | None,
        state: State,
        *,
        attempt: int | None = None,
        scheduled_for: datetime | None = None,
    ) -> None:
        what = (run_id, task_run_id, state.name, state.type, state.message, to_text(state.at))
        self.connection.execute(
            "INSERT INTO states (run_id, task_run_id, name, type, message, at, attempt,"
            " scheduled_for) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*what, attempt, to_text(scheduled_for) if scheduled_for else None),
        )


def _status(state: State) -> tuple[str, str, str, str, str | None, str | None]:
    """State, type, message, time, started_at if it has begun, ended_at if it has ended."""
    at = to_text(state.at)
    has_begun = state.name not in (StateName.PENDING, StateName.NOT_READY)
    return (
        state.name,
        state.type,
        state.message,
        at,
        at if has_begun else None,
        at if state.is_final else None,
    )
