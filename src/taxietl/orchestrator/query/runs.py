"""What only a command shows of the history: whole trees, last runs, how much was reused."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from taxietl.orchestrator.query.progress import progress_below
from taxietl.orchestrator.store.attached_rows import AttachmentRow, EventRow, ProgressRow
from taxietl.orchestrator.store.history import TREE
from taxietl.orchestrator.store.rows import RunRow, StateRow, TaskRunRow, to_text, when
from taxietl.orchestrator.store.states import StateType

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from taxietl.orchestrator.store.history import History
    from taxietl.orchestrator.store.states import State

_RAISED = re.compile(r"Flow run encountered an exception: (\w+)")
"""How `endings.failure` begins a failed run's message."""


@dataclass(frozen=True)
class Resumptions:
    """Which run took up which, by name."""

    before: dict[str, str]
    """By a run's id, the run that it takes up; that one's id if it was pruned since."""
    after: dict[str, str]
    """By a run's id, the run that takes it up."""


def resumptions(history: History) -> Resumptions:
    """All there are in that history."""
    rows = history.database.rows(
        "SELECT runs.id, runs.name, runs.resumed_from, old.name AS old_name FROM runs"
        " LEFT JOIN runs AS old ON old.id = runs.resumed_from WHERE runs.resumed_from IS NOT NULL"
    )
    before = {row["id"]: row["old_name"] or row["resumed_from"] for row in rows}
    return Resumptions(before, {row["resumed_from"]: row["name"] for row in rows})


def resumptions_of(history: History, ids: Sequence[str]) -> Resumptions:
    """Those of some runs."""
    marks = ", ".join("?" * len(ids))
    rows = history.database.rows(
        "SELECT runs.id, runs.name, runs.resumed_from,"  # noqa: S608
        " COALESCE(old.name, runs.resumed_from) AS old_name FROM runs"
        " LEFT JOIN runs AS old ON old.id = runs.resumed_from WHERE runs.resumed_from IS NOT NULL"
        f" AND (runs.id IN ({marks}) OR runs.resumed_from IN ({marks}))",
        (*ids, *ids),
    )
    wanted = set(ids)
    before = {row["id"]: row["old_name"] for row in rows if row["id"] in wanted}
    after = {row["resumed_from"]: row["name"] for row in rows if row["resumed_from"] in wanted}
    return Resumptions(before, after)


@dataclass(frozen=True)
class Tree:
    """A run with all below it."""

    root: RunRow
    runs: dict[str, RunRow]
    """By their ids."""
    task_runs: dict[str, list[TaskRunRow]] = field(default_factory=dict)
    """By the ids of their runs, in the order they were made."""
    states: dict[tuple[str, str | None], list[StateRow]] = field(default_factory=dict)
    """By the ids of run and task run, None for the run itself, in their order."""
    events: dict[str, list[EventRow]] = field(default_factory=dict)
    """By the ids of their runs, in their order."""
    attachments: dict[str, list[AttachmentRow]] = field(default_factory=dict)
    """As the events."""
    progress: dict[str, ProgressRow] = field(default_factory=dict)
    """Of what is under way: see `progress_below`."""


def tree_of(history: History, root: RunRow, *, states: bool = True, task_runs: bool = True) -> Tree:
    """That run with all below it, each kind of row by one query."""
    runs = [RunRow.of(row) for row in _below(history, "SELECT * FROM runs WHERE id", root)]
    found = Tree(root, {each.id: each for each in runs})
    rows = _below(history, "SELECT * FROM task_runs WHERE run_id", root) if task_runs else []
    for task_run in map(TaskRunRow.of, rows):
        found.task_runs.setdefault(task_run.run_id, []).append(task_run)
    rows = _below(history, "SELECT * FROM states WHERE run_id", root) if states else []
    for state in map(StateRow.of, rows):
        found.states.setdefault((state.run_id, state.task_run_id), []).append(state)
    for event in map(EventRow.of, _below(history, "SELECT * FROM events WHERE run_id", root)):
        found.events.setdefault(event.run_id, []).append(event)
    rows = _below(history, "SELECT * FROM attachments WHERE run_id", root) if states else []
    for each in map(AttachmentRow.of, rows):
        found.attachments.setdefault(each.run_id, []).append(each)
    if root.ended_at is None:
        found.progress.update(progress_below(history, root.id))
    return found


def _below(history: History, select: str, root: RunRow) -> list[sqlite3.Row]:
    """The rows of that run and of the runs below it, in the order they were stored."""
    sql = f"{TREE} {select} IN (SELECT id FROM tree) ORDER BY rowid"  # noqa: S608
    return history.database.rows(sql, (root.id,))


def has_failed_in(history: History, pid: int, *, since: datetime) -> bool:
    """Whether a top-level run of that process of this machine, begun since, has failed."""
    rows = history.database.rows(
        "SELECT 1 FROM runs WHERE pid = ? AND host = ? AND parent_id IS NULL AND created_at >= ?"
        " AND state_type IN ('FAILED', 'CRASHED') LIMIT 1",
        (pid, socket.gethostname(), to_text(since)),
    )
    return bool(rows)


def last_of_each_flow(history: History) -> list[RunRow]:
    """Of each flow of each file that ever ran, the run that began last."""
    rows = history.database.rows(
        "SELECT * FROM runs WHERE rowid IN (SELECT MAX(rowid) FROM runs"
        " GROUP BY flow, json_extract(entry, '$.file')) ORDER BY rowid"
    )
    return [RunRow.of(row) for row in rows]


def last_of_each_call(history: History, flows: Sequence[str]) -> list[RunRow]:
    """Of each set of parameters that those flows were called with, the last run, oldest first."""
    marks = ", ".join("?" * len(flows))
    rows = history.database.rows(
        f"SELECT * FROM runs WHERE rowid IN (SELECT MAX(rowid) FROM runs WHERE flow IN ({marks})"  # noqa: S608
        " GROUP BY flow, parameters) ORDER BY rowid",
        tuple(flows),
    )
    return [RunRow.of(row) for row in rows]


def results_of(history: History, *, flow: str, task: str) -> Iterator[tuple[datetime, Any]]:
    """What that task returned in runs of that flow, as JSON values, and when; oldest first."""
    rows = history.database.rows(
        "SELECT task_runs.result, task_runs.ended_at FROM task_runs"
        " JOIN runs ON runs.id = task_runs.run_id"
        " WHERE task_runs.task = ? AND runs.flow = ? AND task_runs.stored = 'stored'"
        " AND task_runs.state_type = ? ORDER BY task_runs.rowid",
        (task, flow, StateType.COMPLETED),
    )
    for row in rows:
        yield when(row["ended_at"]), json.loads(row["result"])


def error_of(state: State) -> str | None:
    """The class of the error that a run failed with; None of one that did not fail by an error."""
    found = _RAISED.match(state.message)
    return found[1] if found else None


def reused_results(history: History, root_id: str) -> int:
    """How many task runs and child runs of that run's tree come from the run it takes up."""
    rows = history.database.rows(
        "SELECT COUNT(*) AS reused FROM task_runs WHERE reused_from IS NOT NULL"
        " AND run_id IN (SELECT id FROM runs WHERE root_id = ?)",
        (root_id,),
    )
    return int(rows[0]["reused"])
