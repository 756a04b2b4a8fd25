"""Runs as documents for programs: what `runs ls --json`, `runs show --json` and the API give."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from taxietl.orchestrator.query.progress import progress_document
from taxietl.orchestrator.store.rows import RunRow, StateRow, TaskRunRow

if TYPE_CHECKING:
    from taxietl.orchestrator.query.runs import Resumptions, Tree
    from taxietl.orchestrator.store.attached_rows import AttachmentRow, EventRow


def run_document(record: RunRow, links: Resumptions) -> dict[str, Any]:
    """A run by itself."""
    return {
        "id": record.id,
        "name": record.name,
        "flow": record.flow,
        "parent_id": record.parent_id,
        "resumed_from": links.before.get(record.id),
        "resumed_by": links.after.get(record.id),
        "state": record.state.name.value,
        "message": record.state.message,
        "parameters": record.parameters,
        "created_at": record.created_at,
        "started_at": record.started_at,
        "ended_at": record.ended_at,
        "host": record.host,
        "pid": record.pid,
        "taxietl_version": record.version,
    }


def tree_document(tree: Tree, run: RunRow, links: Resumptions) -> dict[str, Any]:
    """A run with its task runs, and its child runs in their places."""
    tasks = []
    for each in tree.task_runs.get(run.id, ()):
        child = tree.runs.get(each.child_run_id or "")
        tasks.append(
            {
                "name": each.name,
                "task": each.task,
                "kind": each.kind,
                "state": each.state.name.value,
                "message": each.state.message,
                "attempts": each.attempts,
                "started_at": each.started_at,
                "ended_at": each.ended_at,
                "next_attempt_at": next_attempt_at(tree, each),
                "counts": each.counts,
                "progress": progress_document(tree.progress.get(each.id)),
                "states": [_state(state) for state in tree.states.get((run.id, each.id), ())],
                "child_run": tree_document(tree, child, links) if child else None,
            }
        )
    return run_document(run, links) | {
        "states": [_state(state) for state in tree.states.get((run.id, None), ())],
        "events": [_event(event) for event in tree.events.get(run.id, ())],
        "attachments": [_attachment(each) for each in tree.attachments.get(run.id, ())],
        "task_runs": tasks,
    }


def next_attempt_at(tree: Tree, task: TaskRunRow) -> datetime | None:
    """When its next attempt is due, or was when the run ended before."""
    story = tree.states.get((task.run_id, task.id), ())
    due = (each.scheduled_for for each in story if each.attempt == task.attempts)
    return next((each for each in due if each is not None), None)


def _attachment(record: AttachmentRow) -> dict[str, Any]:
    return {
        "kind": record.kind,
        "name": record.name,
        "description": record.description,
        "content": record.content,
        "at": record.at,
        "task_run_id": record.task_run_id,
    }


def _event(record: EventRow) -> dict[str, Any]:
    return {
        "name": record.name,
        "message": record.message,
        "details": record.details,
        "at": record.at,
        "task_run_id": record.task_run_id,
    }


def _state(record: StateRow) -> dict[str, Any]:
    return {
        "name": record.state.name.value,
        "type": record.state.type.value,
        "message": record.state.message,
        "at": record.state.at,
        "attempt": record.attempt,
        "scheduled_for": record.scheduled_for,
    }
