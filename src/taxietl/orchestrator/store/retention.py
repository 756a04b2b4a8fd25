"""Forgetting old runs: a history keeps a while, not everything.

Runs go by whole trees, a top-level run with all its child runs, and never one that is in
progress or that one in progress takes up. What is cached stays, though its run be forgotten.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from taxietl.orchestrator.store.rows import to_text
from taxietl.orchestrator.store.schema import OPEN

if TYPE_CHECKING:
    from taxietl.orchestrator.store.database import Database

TREES_AT_ONCE = 100
"""Deleted in one transaction; other processes that write wait for it."""
WORTHWHILE_BYTES = 1_000_000
"""Less free space than this, or than a quarter of the file, is left in it to be used again."""

_OLD_TREES = f"""
WITH RECURSIVE
    in_progress (id) AS (
        SELECT root_id FROM runs WHERE {OPEN}),
    needed (id) AS (
        SELECT id FROM in_progress
        UNION SELECT runs.resumed_from FROM runs JOIN needed ON runs.id = needed.id
        WHERE runs.resumed_from IS NOT NULL)
SELECT id FROM runs
WHERE parent_id IS NULL AND ended_at < COALESCE(:before, '9') AND id NOT IN (SELECT id FROM needed)
AND id NOT IN (
    SELECT id FROM runs WHERE parent_id IS NULL
    ORDER BY created_at DESC, rowid DESC LIMIT COALESCE(:keep, 0))
ORDER BY ended_at
"""  # noqa: S608 - a condition of ours


@dataclass(frozen=True)
class Pruned:
    """What was forgotten."""

    trees: int
    """Top-level runs."""
    runs: int
    """With their child runs."""
    task_runs: int
    log_lines: int
    freed_bytes: int
    """Given back to the disk; what is free in the file besides is used again."""


def prune(
    database: Database,
    *,
    before: datetime | None = None,
    keep: int | None = None,
    dry_run: bool = False,
) -> Pruned:
    """Forget the runs that ended before that time and are not among so many newest ones.

    Args:
        before: left out, of any age.
        keep: how many top-level runs stay in any case; left out, none.
        dry_run: only count.
    """
    given = {"before": to_text(before) if before else None, "keep": keep}
    with database.transaction() as connection:
        trees = [row["id"] for row in connection.execute(_OLD_TREES, given)]
    runs = task_runs = lines = 0
    for first in range(0, len(trees), TREES_AT_ONCE):
        with database.transaction() as connection:
            some = _forget(connection, trees[first : first + TREES_AT_ONCE], dry_run=dry_run)
        runs, task_runs, lines = runs + some[0], task_runs + some[1], lines + some[2]
    freed = 0 if dry_run or not trees else give_back(database)
    return Pruned(len(trees), runs, task_runs, lines, freed)


def _forget(connection: sqlite3.Connection, trees: list[str], *, dry_run: bool) -> list[int]:
    """Delete those trees; how many runs, task runs and log lines they have."""
    marks = ", ".join("?" * len(trees))
    of_trees = f"run_id IN (SELECT id FROM runs WHERE root_id IN ({marks}))"  # noqa: S608
    wheres = {
        "runs": f"FROM runs WHERE root_id IN ({marks})",
        "task_runs": f"FROM task_runs WHERE {of_trees}",
        "logs": f"FROM logs WHERE {of_trees}",
        "states": f"FROM states WHERE {of_trees}",
        "events": f"FROM events WHERE {of_trees}",
        "attachments": f"FROM attachments WHERE {of_trees}",
        "progress": f"FROM progress WHERE {of_trees}",
        # Of `persist_result=True`; their files go with the next sweep of the cache.
        "cache": "FROM cache WHERE key IN"  # noqa: S608
        f" (SELECT 'run/' || id FROM task_runs WHERE {of_trees})",
    }
    counts = [
        connection.execute(f"SELECT COUNT(*) {wheres[table]}", trees).fetchone()[0]
        for table in ("runs", "task_runs", "logs")
    ]
    if not dry_run:
        for where in reversed(wheres.values()):  # the runs, by which all are found, last
            connection.execute(f"DELETE {where}", trees)
    return counts


def give_back(database: Database) -> int:
    """Make the file smaller if that is worth the while; returns by how many bytes.

    Another process that is just writing, or a disk without room for the copy that SQLite makes,
    is no error: there is a next time.
    """
    with database.lock:
        connection = database.connection()
        try:
            page = _pragma(connection, "page_size")
            pages, free = _pragma(connection, "page_count"), _pragma(connection, "freelist_count")
            if free * page < WORTHWHILE_BYTES or free * 4 < pages:
                return 0
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # or the log keeps that size
            return (pages - _pragma(connection, "page_count")) * page
        except sqlite3.OperationalError:
            return 0


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
