"""What only a command shows of the history: whole trees, last runs, how much was reused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from taxietl.orchestrator.store.history import RUNS, TREE
from taxietl.orchestrator.store.records import (
    RunRecord,
    StateRecord,
    TaskRunRecord,
    run_record,
    state_record,
    task_run_record,
)
from taxietl.orchestrator.store.states import StateName

if TYPE_CHECKING:
    import sqlite3

    from taxietl.orchestrator.store.history import History


@dataclass(frozen=True)
class Tree:
    """A run with all below it."""

    root: RunRecord
    runs: dict[str, RunRecord]
    """By their ids."""
    task_runs: dict[str, list[TaskRunRecord]] = field(default_factory=dict)
    """By the ids of their runs, in the order they were made."""
    states: dict[tuple[str, str | None], list[StateRecord]] = field(default_factory=dict)
    """By the ids of run and task run, None for the run itself, in their order."""


def tree_of(history: History, root: RunRecord, *, states: bool = True) -> Tree:
    """That run with all below it, each kind of row by one query."""
    runs = [run_record(row) for row in _below(history, f"{RUNS} WHERE id", root)]
    found = Tree(root, {each.id: each for each in runs})
    rows = _below(history, "SELECT * FROM task_runs WHERE run_id", root)
    for task_run in map(task_run_record, rows):
        found.task_runs.setdefault(task_run.run_id, []).append(task_run)
    rows = _below(history, "SELECT * FROM states WHERE run_id", root) if states else []
    for state in map(state_record, rows):
        found.states.setdefault((state.run_id, state.task_run_id), []).append(state)
    return found


def _below(history: History, select: str, root: RunRecord) -> list[sqlite3.Row]:
    """The rows of that run and of the runs below it, in the order they were stored."""
    sql = f"{TREE} {select} IN (SELECT id FROM tree) ORDER BY rowid"  # noqa: S608
    return history.database.rows(sql, (root.id,))


def last_of_each_flow(history: History) -> list[RunRecord]:
    """Of each flow of each file that ever ran, the run that began last."""
    rows = history.database.rows(
        f"{RUNS} WHERE rowid IN (SELECT MAX(rowid) FROM runs"  # noqa: S608
        " GROUP BY flow, json_extract(entry, '$.file')) ORDER BY rowid"
    )
    return [run_record(row) for row in rows]


def reused_results(history: History, root_id: str) -> int:
    """How many task runs and child runs of that run's tree come from the run it takes up."""
    rows = history.database.rows(
        "SELECT COUNT(*) AS reused FROM task_runs WHERE state = ? AND message <> ''"
        " AND run_id IN (SELECT id FROM runs WHERE root_id = ?)",
        (StateName.CACHED, root_id),
    )
    return int(rows[0]["reused"])
