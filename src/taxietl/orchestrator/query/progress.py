"""How far the task runs are that are under way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taxietl.orchestrator.store.attached_rows import ProgressRow
from taxietl.orchestrator.store.history import TREE

if TYPE_CHECKING:
    from taxietl.orchestrator.store.history import History

_UNDER_WAY = f"""
{TREE} SELECT progress.* FROM progress JOIN runs ON runs.id = progress.run_id
LEFT JOIN task_runs ON task_runs.id = progress.task_run_id
WHERE progress.run_id IN (SELECT id FROM tree) AND runs.ended_at IS NULL
AND (progress.task_run_id IS NULL OR task_runs.ended_at IS NULL)
ORDER BY progress.at DESC
"""  # noqa: S608 - a constant


def progress_below(history: History, run_id: str) -> dict[str, ProgressRow]:
    """How far that run and those below it are, by the ids of task runs, or else of runs.

    Only of those under way: what came of the others is in their counts and states. The one that
    told last stands first.
    """
    rows = [ProgressRow.of(row) for row in history.database.rows(_UNDER_WAY, (run_id,))]
    return {row.task_run_id or row.run_id: row for row in rows}


def progress_text(row: ProgressRow) -> str:
    """For people: `1,200 of 4,000 rows, 300 rows/s, about 9 s left`."""
    is_bytes = row.unit == "bytes"
    unit, of_one, digits = ("MB", 1e6, 1) if is_bytes else (row.unit, 1, 0)
    parts = [f"{row.done / of_one:,.{digits}f} {unit}"]
    if row.total is not None:
        done, total = f"{row.done / of_one:,.{digits}f}", f"{row.total / of_one:,.{digits}f}"
        parts = [f"{done} of {total} {unit}"]
    if row.rate is not None:
        parts.append(f"{row.rate / of_one:,.{digits}f} {unit}/s")
    if row.seconds_left is not None:
        parts.append(f"about {row.seconds_left:,.0f} s left")
    return ", ".join(parts)


def progress_document(row: ProgressRow | None) -> dict[str, Any] | None:
    """For programs; None if nothing was told."""
    if row is None:
        return None
    return {
        "done": row.done,
        "total": row.total,
        "unit": row.unit,
        "per_second": row.rate,
        "seconds_left": row.seconds_left,
        "at": row.at,
    }
