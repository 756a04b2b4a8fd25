"""One transaction of the history: changes that are there together or not at all.

Every change of state goes through one: rows are added and moved, what came of them is kept, and
once all of it is committed what is known in memory follows, and then the lines that say so are
shown. What is appended are rows, plain values; only the claims (of a name, of a cached result, of
a run to resume) and `end_open` read what is there. The SQL is what PostgreSQL would take, too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from taxietl.errors import TryLaterError
from taxietl.masking import masked
from taxietl.orchestrator.store.lines import (
    FLOW_RUNS,
    TASK_RUNS,
    Identity,
    Line,
    described,
    with_traceback,
)
from taxietl.orchestrator.store.rows import (
    LogRow,
    OfRunRow,
    RunRow,
    StateRow,
    TaskRunRow,
    state_columns,
    to_text,
)
from taxietl.orchestrator.store.schema import OPEN
from taxietl.orchestrator.store.states import State, StateName, StateType

if TYPE_CHECKING:
    import sqlite3

    from taxietl.orchestrator.store.cache import CacheRow
    from taxietl.orchestrator.store.database import Database

_TOLD = "__taxietl_told__"
"""On an exception that was announced: the top-level run it was announced in."""
_LEVELS = {
    StateType.COMPLETED: logging.INFO,
    StateType.FAILED: logging.ERROR,
    StateType.CRASHED: logging.ERROR,
}
_IN_TREE = "run_id IN (SELECT id FROM runs WHERE root_id = ?)"


@contextmanager
def transaction(
    database: Database, clock: Callable[[], datetime], show: Callable[[Line], object]
) -> Iterator[Transaction]:
    """Changes that are committed at the end of the block, and rolled back by any exception.

    Args:
        database: the history's.
        clock: gives the time of all that is stored here; asked once nobody else is writing.
        show: shows a line that is stored.

    Raises:
        TaxietlError: the history cannot be written.
    """
    with database.transaction() as connection:
        change = Transaction(connection, clock())
        yield change
        change.store_lines()
    for call, state in change.moved:
        call.state = state
    for follow in change.following:
        follow()
    for line in change.lines:
        show(line)


class HasState(Protocol):
    """What is known in memory of a task run."""

    state: State | None


class Transaction:
    """What is to be changed; see `transaction`."""

    def __init__(self, connection: sqlite3.Connection, at: datetime) -> None:
        self._connection, self.at = connection, at
        self.lines: list[Line] = []
        # What comes into another state, and what is called, as soon as all is committed.
        self.moved: list[tuple[HasState, State]] = []
        self.following: list[Callable[[], object]] = []

    def store_lines(self) -> None:
        """Insert what was said."""
        self._insert("logs", *[line.row.to_columns() for line in self.lines])

    def state(self, name: StateName, message: str = "") -> State:
        """A state that begins now."""
        return State(name, message, self.at)

    def add(self, row: RunRow | TaskRunRow | OfRunRow, *, of: HasState | None = None) -> None:
        """Insert a run or task run in its state, see `move`; or what belongs to one."""
        if isinstance(row, OfRunRow):
            if row.is_latest:
                self._connection.execute(
                    f"DELETE FROM {row.table} WHERE run_id = ? AND COALESCE(task_run_id, '') = ?",  # noqa: S608
                    (row.run_id, row.task_run_id or ""),
                )
            self._insert(row.table, row.to_columns())
            return
        if isinstance(row, TaskRunRow):
            story = StateRow(row.run_id, row.id, row.state, row.attempts or None)
            self._insert("task_runs", row.to_columns())
            if of is not None:
                self.moved.append((of, row.state))
        else:
            story = StateRow(row.id, None, row.state)
            self._insert("runs", row.to_columns())
        self._insert("states", story.to_columns())

    def move(
        self,
        who: Identity,
        state: State,
        *,
        attempt: int = 0,
        scheduled_for: datetime | None = None,
        reopen: bool = False,
        of: HasState | None = None,
    ) -> bool:
        """Bring a run or task run into another state; False if it has ended before.

        A last state is stored once: who comes too late changes nothing, and is told so.

        Args:
            attempt: of a task run, how many it has had.
            scheduled_for: when the next one is due.
            reopen: it may have ended: a stream is read anew by a consumer that runs again.
            of: what is known of it in memory, and comes into that state once all is committed.
        """
        columns = state_columns(state)
        of_a_task = who.task_run_id is not None
        story = StateRow(
            *(who.run_id, who.task_run_id, state),
            attempt=attempt if of_a_task else None,
            scheduled_for=scheduled_for,
        ).to_columns()
        at = columns["state_at"]
        columns["ended_at"] = at if state.name.is_final else None
        begun = at if state.name.has_begun else None
        if of_a_task:
            columns["attempts"] = attempt
        cursor = self._connection.execute(
            f"UPDATE {'task_runs' if of_a_task else 'runs'}"  # noqa: S608
            f" SET {', '.join(f'{name} = ?' for name in columns)},"
            " started_at = COALESCE(started_at, ?) WHERE id = ?"
            f"{'' if reopen else ' AND ended_at IS NULL'}",
            (*columns.values(), begun, who.task_run_id or who.run_id),
        )
        if cursor.rowcount:
            self._insert("states", story)
            if of is not None:
                self.moved.append((of, state))
        return cursor.rowcount == 1

    def keep(self, task_run_id: str, **columns: Any) -> None:
        """Keep what a task run was given, or what came of it."""
        self._connection.execute(
            f"UPDATE task_runs SET {', '.join(f'{name} = ?' for name in columns)}"  # noqa: S608
            " WHERE id = ?",
            (*columns.values(), task_run_id),
        )

    def keep_cached(self, row: CacheRow) -> None:
        """Keep a result in the cache, in place of one of the same key."""
        self._connection.execute("DELETE FROM cache WHERE key = ?", (row.key,))
        self._insert("cache", row.to_columns())

    def say(
        self,
        who: Identity,
        message: str,
        *,
        level: int = logging.INFO,
        logger: str | None = None,
        error: BaseException | None = None,
        shown: str | None = None,
    ) -> None:
        """Log a line in the name of a run or task run; see `Line`."""
        name = logger or (TASK_RUNS if who.task_run_id else FLOW_RUNS)
        message = masked(message)
        text = message if error is None else with_traceback(message, error)
        row = LogRow(who.run_id, who.task_run_id, self.at, logging.getLevelName(level), name, text)
        self.lines.append(Line(row, message, level, who, error, shown))

    def say_raised(self, who: Identity, error: BaseException) -> None:
        """Announce an exception; the traceback goes to the history.

        The console has it once, of where it was first met: not again of every run it passes
        through on its way up.
        """
        message = f"Encountered exception during execution: {described(error)}"
        shown = "" if getattr(error, _TOLD, None) == who.root_id else None
        self.say(who, message, level=logging.ERROR, error=error, shown=shown)
        with suppress(AttributeError):  # of a class with slots
            setattr(error, _TOLD, who.root_id)

    def say_end(self, who: Identity, state: State, raised: BaseException | None = None) -> None:
        """Announce a last state, on the console without the error that was just told."""
        shown = None
        if raised is not None:
            brief = state.message.replace(described(raised), type(raised).__name__)
            shown = f"Finished in state {replace(state, message=brief)}"
        level = _LEVELS.get(state.name.type, logging.WARNING)
        self.say(who, f"Finished in state {state}", level=level, shown=shown)

    def claim_name(self, wanted: Iterable[str]) -> tuple[str, str | None]:
        """The first of the wanted names that no run has, or the last one with a number.

        Nobody takes it between here and the end of the transaction that adds the run.

        Returns:
            The name, and the one that got a number if one did.
        """
        name = ""
        for name in wanted:
            if not self._is_taken(name):
                return name, None
        last = self._connection.execute(
            "SELECT name FROM runs WHERE base = ? ORDER BY length(name) DESC, name DESC LIMIT 1",
            (name,),
        ).fetchone()
        number = int(last[0].rpartition("-")[2]) if last else 1
        while self._is_taken(f"{name}-{number + 1}"):
            number += 1
        return f"{name}-{number + 1}", name

    def claim_cached(self, task_run_id: str, key: str) -> bool:
        """Keep others from removing what is kept under a key while that task run is open.

        Returns:
            False if nothing is kept there (any more).
        """
        self.keep(task_run_id, cache_key=key)
        used = self._connection.execute(
            "UPDATE cache SET last_used_at = ? WHERE key = ?", (to_text(self.at), key)
        )
        return used.rowcount == 1

    def claim_resume(self, run: RunRow) -> None:
        """Take up that run, in the transaction that adds the run which does.

        Raises:
            TryLaterError: another process was quicker.
        """
        found = self._connection.execute("SELECT 1 FROM runs WHERE resumed_from = ?", (run.id,))
        if found.fetchone() is not None:
            raise TryLaterError(
                f"Run {run.name!r} is being resumed by another process.",
                hint=f"`taxietl runs show {run.name}` names that run.",
            )

    def end_open(self, root_id: str, state: State) -> bool:
        """End whatever has not ended of that run and those below it; True if a run had not."""
        tasks = self._connection.execute(
            f"SELECT id, run_id, attempts FROM task_runs WHERE ended_at IS NULL AND {_IN_TREE}",  # noqa: S608
            (root_id,),
        ).fetchall()
        runs = self._connection.execute(
            f"SELECT id FROM runs WHERE root_id = ? AND {OPEN} ORDER BY created_at DESC",  # noqa: S608
            (root_id,),
        ).fetchall()
        for task in tasks:
            who = Identity(task["run_id"], "", "", root_id, task_run_id=task["id"])
            self.move(who, state, attempt=task["attempts"])
        for run in runs:
            self.move(Identity(run["id"], "", "", root_id), state)
        return bool(runs)

    def note_dead(self, run_id: str) -> None:
        """Keep that somebody is to be told that the process of that run had died."""
        self._insert("found_dead", {"run_id": run_id})

    def _is_taken(self, name: str) -> bool:
        found = self._connection.execute("SELECT 1 FROM runs WHERE name = ?", (name,))
        return found.fetchone() is not None

    def _insert(self, table: str, *rows: dict[str, Any]) -> None:
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            self._connection.executemany(
                f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES ({marks})",  # noqa: S608
                [tuple(each.values()) for each in rows],
            )
