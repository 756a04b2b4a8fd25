"""What a page about one run shows: its tree as far as it fits, and its log lines, some at a time.

A run may have ten thousand task runs and a million log lines; so all of it is asked with a limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taxietl.orchestrator.store.attached_rows import AttachmentRow, EventRow
from taxietl.orchestrator.store.history import TREE
from taxietl.orchestrator.store.rows import LogRow, RunRow, StateRow, TaskRunRow

if TYPE_CHECKING:
    import sqlite3

    from taxietl.orchestrator.store.history import History

ATTACHMENTS = 50
"""Of a run and all below it; each may be a picture."""
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True)
class Node:
    """A run or task run in the tree of a run."""

    depth: int
    run: RunRow | None
    """The run, where it is one."""
    call: TaskRunRow | None
    """The task run; or the place of a child run, if it has one."""
    states: tuple[StateRow, ...] = ()

    @property
    def row(self) -> RunRow | TaskRunRow:
        """Whose state and times count: the child run's, where there is one."""
        found = self.run or self.call
        assert found is not None
        return found


@dataclass(frozen=True)
class Story:
    """A run with what is below it."""

    nodes: list[Node]
    """In the order of the calls, each child run before what is in it; the run itself first."""
    left_out: int
    """How many task runs there are besides."""
    events: list[EventRow]
    attachments: list[AttachmentRow]
    counts: dict[str, int]
    """How many task runs, child runs not among them, are in which state."""


@dataclass(frozen=True)
class NumberedLine:
    """A log line, by its number in the run and all below it."""

    number: int
    row: LogRow


@dataclass(frozen=True)
class LinePage:
    """Some of a run's log lines, the oldest first."""

    lines: list[NumberedLine]
    total: int
    """All that the run has, whatever the filter."""
    earlier: int | None
    """The number before which there are more; None if there are none."""
    later: int | None


@dataclass(frozen=True)
class Neighbours:
    """The runs that one has to do with; None where there is none, or it was pruned."""

    parent: RunRow | None
    resumed_from: RunRow | None
    resumed_by: RunRow | None


def neighbours_of(history: History, run: RunRow) -> Neighbours:
    """The runs that one has to do with."""
    after = history.database.rows("SELECT * FROM runs WHERE resumed_from = ?", (run.id,))
    return Neighbours(
        parent=history.find(run.parent_id) if run.parent_id else None,
        resumed_from=history.find(run.resumed_from) if run.resumed_from else None,
        resumed_by=RunRow.of(after[0]) if after else None,
    )


def story_of(history: History, root: RunRow, *, limit: int = 300) -> Story:
    """That run with the first task runs of all below it, and their states.

    Args:
        limit: how many task runs, child runs among them; of the others, the number is told.
    """
    tree = _rows(history, "SELECT id FROM tree LIMIT 1000", root)
    ids = tuple(row["id"] for row in tree)
    marks = ", ".join("?" * len(ids))
    calls = history.database.rows(
        f"SELECT * FROM task_runs WHERE run_id IN ({marks}) ORDER BY rowid LIMIT ?",  # noqa: S608
        (*ids, limit),
    )
    by_run: dict[str, list[TaskRunRow]] = {}
    for call in map(TaskRunRow.of, calls):
        by_run.setdefault(call.run_id, []).append(call)
    runs = _runs(history, root, {str(row["child_run_id"]) for row in calls if row["child_run_id"]})
    states = _states(history, runs, calls)
    counts, total = _counts(history, ids)
    nodes = list(_below(runs, by_run, states, Node(0, root, None, states.get((root.id, None), ()))))
    events, attachments = (
        history.database.rows(
            f"SELECT * FROM {table} WHERE run_id IN ({marks}) ORDER BY rowid LIMIT ?",  # noqa: S608
            (*ids, most),
        )
        for table, most in (("events", limit), ("attachments", ATTACHMENTS))
    )
    return Story(
        nodes,
        max(0, total - len(calls)),
        [EventRow.of(row) for row in events],
        [AttachmentRow.of(row) for row in attachments],
        counts,
    )


def page_of_lines(
    history: History,
    root: RunRow,
    *,
    levels: tuple[str, ...] = (),
    task: str | None = None,
    before: int | None = None,
    after: int | None = None,
    limit: int = 200,
) -> LinePage:
    """Some of the log lines of a run and of all below it.

    Args:
        levels: only lines of these; left out, of all.
        task: the id of a task run, or of a child run; left out, of all.
        before: only lines before that number: the last ones of them.
        after: only lines after it: the first ones of them. With neither, the last ones of all.
        limit: how many lines a page has.
    """
    counted = _rows(history, f"SELECT COUNT(*) FROM logs WHERE {_OF_TREE}", root)  # noqa: S608
    total = int(counted[0][0])
    conditions, given = ["1"], list[Any]()
    if levels:
        conditions.append(f"level IN ({', '.join('?' * len(levels))})")
        given += levels
    if task is not None:
        conditions.append("(task_run_id = ? OR logs.run_id = ? AND task_run_id IS NULL)")
        given += [task, task]
    if before is not None:
        conditions.append("number < ?")
        given.append(before)
    if after is not None:
        conditions.append("number > ?")
        given.append(after)
    is_forward = after is not None and before is None
    # The numbers are counted in the index alone; only lines that are shown are read.
    numbered = (
        "SELECT rowid AS place, row_number() OVER (ORDER BY rowid) AS number FROM logs"  # noqa: S608
        f" WHERE {_OF_TREE}"
    )
    order = "ASC" if is_forward else "DESC"
    sql = (
        f"SELECT number, logs.* FROM ({numbered}) JOIN logs ON logs.rowid = place"  # noqa: S608
        f" WHERE {' AND '.join(conditions)} ORDER BY number {order} LIMIT ?"
    )
    found = _rows(history, sql, root, *given, limit + 1)
    lines = [NumberedLine(row["number"], LogRow.of(row)) for row in found[:limit]]
    has_more = len(found) > limit
    if not is_forward:
        lines.reverse()
    if not lines:
        return LinePage([], total, earlier=None, later=None)
    first, last = lines[0].number, lines[-1].number
    is_start = first == 1 if is_forward else not has_more
    is_end = not has_more if is_forward else before is None or last == total
    return LinePage(
        lines, total, earlier=None if is_start else first, later=None if is_end else last
    )


_OF_TREE = "run_id IN (SELECT id FROM tree)"


def _rows(history: History, select: str, root: RunRow, *given: Any) -> list[sqlite3.Row]:
    """The rows of a query about the ids of that run and all below it, in `tree`."""
    return history.database.rows(f"{TREE} {select}", (root.id, *given))


def _runs(history: History, root: RunRow, ids: set[str]) -> dict[str, RunRow]:
    marks = ", ".join("?" * len(ids))
    rows = history.database.rows(f"SELECT * FROM runs WHERE id IN ({marks})", tuple(ids))  # noqa: S608
    return {root.id: root} | {row["id"]: RunRow.of(row) for row in rows}


def _states(
    history: History, runs: dict[str, RunRow], calls: list[sqlite3.Row]
) -> dict[tuple[str, str | None], tuple[StateRow, ...]]:
    """The states of those runs and task runs, in their order."""
    shown = {row["id"] for row in calls}
    ids = {*runs, *(row["run_id"] for row in calls)}
    marks = ", ".join("?" * len(ids))
    rows = history.database.rows(
        f"SELECT * FROM states WHERE run_id IN ({marks}) ORDER BY rowid LIMIT 5000",  # noqa: S608
        tuple(ids),
    )
    found: dict[tuple[str, str | None], tuple[StateRow, ...]] = {}
    for row in rows:
        if row["task_run_id"] is None or row["task_run_id"] in shown:
            key = row["run_id"], row["task_run_id"]
            found[key] = (*found.get(key, ()), StateRow.of(row))
    return found


def _counts(history: History, ids: tuple[str, ...]) -> tuple[dict[str, int], int]:
    """Task runs by the type of their states, child runs left out; and how many there are in all."""
    marks = ", ".join("?" * len(ids))
    rows = history.database.rows(
        f"SELECT kind, state, COUNT(*) AS n FROM task_runs WHERE run_id IN ({marks})"  # noqa: S608
        " GROUP BY kind, state",
        ids,
    )
    counts: dict[str, int] = {}
    for row in rows:
        if row["kind"] != "subflow":
            counts[row["state"]] = counts.get(row["state"], 0) + row["n"]
    return counts, sum(row["n"] for row in rows)


def _below(
    runs: dict[str, RunRow],
    calls: dict[str, list[TaskRunRow]],
    states: dict[tuple[str, str | None], tuple[StateRow, ...]],
    node: Node,
) -> Iterator[Node]:
    """A node and those below it."""
    yield node
    if node.run is None:
        return
    for call in calls.get(node.run.id, ()):
        child = runs.get(call.child_run_id or "")
        key = (child.id, None) if child else (call.run_id, call.id)
        yield from _below(
            runs, calls, states, Node(node.depth + 1, child, call, states.get(key, ()))
        )
