"""What the history holds, as values: runs, task runs, states, log lines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

from taxietl.orchestrator.store.states import State, StateName

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True)
class RunRecord:
    """One run of a flow."""

    id: str
    name: str
    flow: str
    parent_id: str | None
    parent_task_run_id: str | None
    root_id: str
    parameters: dict[str, Any]
    """As JSON values; what is secret or has no JSON form is masked."""
    state: State
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    host: str
    pid: int
    process_start: datetime | None
    version: str
    resumed_from: str | None
    """The id of the run that this one takes up again."""
    resumed_from_name: str | None
    """Its name; its id if it was pruned since."""
    resumed_by: str | None
    """The name of the run that takes this one up again."""
    entry: str | None
    """JSON of the flow's `EntryPoint`; None of a child run, or if it cannot be found again."""
    replay: str | None
    """The parameters as JSON that can be read again; only of a top-level run."""
    no_replay: str | None
    """Why there is no `replay`."""


@dataclass(frozen=True)
class TaskRunRecord:
    """One call of a task, or the place of a subflow, in a run."""

    id: str
    run_id: str
    task: str
    name: str
    ordinal: int
    kind: str
    """`task`, `stream` or `subflow`."""
    version: str
    tags: tuple[str, ...]
    child_run_id: str | None
    state: State
    attempts: int
    cache_key: str | None
    arguments: str | None
    """As JSON, to be shown."""
    digest: str | None
    """Tells arguments apart that are not shown in full; `""` if nothing can."""
    result: str | None
    """JSON; None unless `stored` is `stored`."""
    stored: str | None
    """`stored`, or `not stored` if the result has no JSON form that comes back as it was."""
    files: str | None
    """JSON of the fingerprints of the files that the result names."""
    counts: dict[str, int]
    """Of a stream: `items`, and `rows` where its items have rows."""
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class StateRecord:
    """One transition."""

    run_id: str
    task_run_id: str | None
    state: State
    attempt: int | None
    scheduled_for: datetime | None


@dataclass(frozen=True)
class LogRecord:
    """One line logged in a run."""

    run_id: str
    task_run_id: str | None
    at: datetime
    level: str
    logger: str
    message: str


_NO_TIME = datetime.fromtimestamp(0, UTC)
"""Stands where a time should be and none can be read."""

T = TypeVar("T")


def to_text(at: datetime) -> str:
    """ISO-8601 with microseconds; sorts as text since all are UTC."""
    return at.isoformat(timespec="microseconds")


def _time(text: str | None) -> datetime | None:
    """None, too, for what somebody edited into no time."""
    try:
        at = datetime.fromisoformat(text) if text else None
    except (ValueError, TypeError):
        return None
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at


def when(text: str) -> datetime:
    """A time as the history has it; the epoch where none can be read."""
    return _time(text) or _NO_TIME


def _json(text: str | None, empty: T) -> T:
    """JSON of that type; what is none is shown as it is."""
    try:
        found = json.loads(text) if text else empty
    except (ValueError, TypeError):
        found = None
    if isinstance(found, type(empty)):
        return found
    return cast(T, {"unreadable": str(text)} if isinstance(empty, dict) else [str(text)])


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _state(row: sqlite3.Row) -> State:
    name = StateName.stored(row["state"], row["state_type"])
    return State(name, row["message"], when(row["state_at"]))


def run_record(row: sqlite3.Row) -> RunRecord:
    """A row of `runs`."""
    return RunRecord(
        id=row["id"],
        name=row["name"],
        flow=row["flow"],
        parent_id=row["parent_id"],
        parent_task_run_id=row["parent_task_run_id"],
        root_id=row["root_id"],
        parameters=_json(row["parameters"], {}),
        state=_state(row),
        created_at=when(row["created_at"]),
        started_at=_time(row["started_at"]),
        ended_at=_time(row["ended_at"]),
        host=row["host"],
        pid=row["pid"],
        process_start=_time(row["process_start"]),
        version=row["version"],
        resumed_from=row["resumed_from"],
        resumed_from_name=row["resumed_from_name"],
        resumed_by=row["resumed_by"],
        entry=row["entry"],
        replay=row["replay"],
        no_replay=row["no_replay"],
    )


def task_run_record(row: sqlite3.Row) -> TaskRunRecord:
    """A row of `task_runs`."""
    return TaskRunRecord(
        id=row["id"],
        run_id=row["run_id"],
        task=row["task"],
        name=row["name"],
        ordinal=row["ordinal"],
        kind=row["kind"],
        version=row["version"],
        tags=tuple(_json(row["tags"], [])),
        child_run_id=row["child_run_id"],
        state=_state(row),
        attempts=_number(row["attempts"]),
        cache_key=row["cache_key"],
        arguments=row["arguments"],
        digest=row["digest"],
        result=row["result"],
        stored=row["stored"],
        files=row["files"],
        counts=_json(row["counts"], {}),
        created_at=when(row["created_at"]),
        started_at=_time(row["started_at"]),
        ended_at=_time(row["ended_at"]),
    )


def state_record(row: sqlite3.Row) -> StateRecord:
    """A row of `states`."""
    return StateRecord(
        run_id=row["run_id"],
        task_run_id=row["task_run_id"],
        state=State(StateName.stored(row["name"], row["type"]), row["message"], when(row["at"])),
        attempt=row["attempt"],
        scheduled_for=_time(row["scheduled_for"]),
    )


def log_record(row: sqlite3.Row) -> LogRecord:
    """A row of `logs`."""
    return LogRecord(
        run_id=row["run_id"],
        task_run_id=row["task_run_id"],
        at=when(row["at"]),
        level=row["level"],
        logger=row["logger"],
        message=row["message"],
    )
