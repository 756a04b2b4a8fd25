"""The rows of the history, one class a table: what is written is what is read.

Values that a table keeps as text (times, JSON) are as they are used here; `to_columns` and `of` go
between the two. What somebody edited into nonsense is read as far as it can be.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, cast

from taxietl.orchestrator.store.states import State, StateName

if TYPE_CHECKING:
    import sqlite3

T = TypeVar("T")


class _Row:
    """What the tables have in common: states, times, and JSON among other columns."""

    def to_columns(self) -> dict[str, Any]:
        """The row as its table has it."""
        columns: dict[str, Any] = {}
        for name in _names(type(self)):
            value = getattr(self, name)
            if type(value) is datetime:
                columns[name] = to_text(value)
            elif type(value) is State:
                columns |= state_columns(value)
            elif isinstance(value, (tuple, Mapping)):
                columns[name] = json.dumps(value) if value or name == "tags" else None
            else:
                columns[_COLUMNS.get(name, name)] = value
        return columns

    @classmethod
    def of(cls, row: sqlite3.Row) -> Self:
        """What a row of the table says."""
        values = {}
        for name in _names(cls):
            read = _READERS.get(name)
            values[name] = row[_COLUMNS.get(name, name)] if read is None else read(row)
        return cls(**values)


def _names(kind: Any) -> tuple[str, ...]:
    found = _names_of.get(kind)
    if found is None:
        found = _names_of[kind] = tuple(each.name for each in fields(kind))
    return found


_names_of: dict[Any, tuple[str, ...]] = {}


@dataclass(frozen=True, kw_only=True)
class RunRow(_Row):
    """One run of a flow."""

    id: str
    name: str
    flow: str
    root_id: str
    parameters_json: str
    """The column `parameters`: what is secret is masked, what has no JSON form is `<type>`."""
    state: State
    created_at: datetime
    host: str
    pid: int
    process_start: datetime | None
    version: str
    base: str | None = None
    """The name it was to have, where another run had that before."""
    parent_id: str | None = None
    parent_task_run_id: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    resumed_from: str | None = None
    """The id of the run that this one takes up again."""
    entry: str | None = None
    """JSON of the flow's `EntryPoint`; None of a child run, or if it cannot be found again."""
    replay: str | None = None
    """The parameters as JSON that can be read again; only of a top-level run."""
    no_replay: str | None = None
    """Why there is no `replay`."""

    @property
    def parameters(self) -> dict[str, Any]:
        """As JSON values."""
        return json_of(self.parameters_json, {})


@dataclass(frozen=True, kw_only=True)
class TaskRunRow(_Row):
    """One call of a task, or the place of a child run, in a run."""

    id: str
    run_id: str
    task: str
    name: str
    ordinal: int
    """How many calls of that task its run had before."""
    kind: str
    """`task`, `stream` or `subflow`."""
    version: str
    state: State
    created_at: datetime
    tags: tuple[str, ...] = ()
    attempts: int = 0
    child_run_id: str | None = None
    arguments: str | None = None
    """As JSON, to be shown."""
    digest: str | None = None
    """Tells arguments apart that are not shown in full; `""` if nothing can."""
    cache_key: str | None = None
    miss: str | None = None
    """Why the cache had nothing to use; None if it was not asked."""
    reused_from: str | None = None
    """The id of the run, of those that its run takes up, in which it completed."""
    result: str | None = None
    """JSON; None unless `stored` is `stored`."""
    files: str | None = None
    """JSON of the fingerprints of the files that the result names."""
    stored: str | None = None
    """`stored`, or `not stored` if the result has no JSON form that comes back as it was."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Of a stream: `items`, and `rows` where its items have rows."""
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class StateRow:
    """One state that a run or task run came into."""

    run_id: str
    task_run_id: str | None
    state: State
    attempt: int | None = None
    scheduled_for: datetime | None = None

    def to_columns(self) -> dict[str, Any]:
        """The row as the table has it."""
        state = self.state
        return {
            "run_id": self.run_id,
            "task_run_id": self.task_run_id,
            "name": state.name,
            "type": state.name.type,
            "message": state.message,
            "at": to_text(state.at),
            "attempt": self.attempt,
            "scheduled_for": self.scheduled_for and to_text(self.scheduled_for),
        }

    @classmethod
    def of(cls, row: sqlite3.Row) -> StateRow:
        """What a row of `states` says."""
        name = StateName.stored(row["name"], row["type"])
        return cls(
            run_id=row["run_id"],
            task_run_id=row["task_run_id"],
            state=State(name, row["message"], when(row["at"])),
            attempt=row["attempt"],
            scheduled_for=_time(row["scheduled_for"]),
        )


@dataclass(frozen=True)
class OfRunRow(_Row):
    """What belongs to a run, or to one of its task runs, and has a time."""

    table: ClassVar[str]
    is_latest: ClassVar[bool] = False
    """Whether a new one takes the place of the one that was there."""

    run_id: str
    task_run_id: str | None
    at: datetime


@dataclass(frozen=True)
class LogRow(OfRunRow):
    """One line logged in a run."""

    table = "logs"

    level: str
    logger: str
    message: str

    def to_columns(self) -> dict[str, Any]:
        """See `_Row`; by a shorter way, since each change of state stores some."""
        return vars(self) | {"at": to_text(self.at)}


_NO_TIME = datetime.fromtimestamp(0, UTC)
"""Stands where a time should be and none can be read."""


def when(text: str) -> datetime:
    """A time as the history has it; the epoch where none can be read."""
    return _time(text) or _NO_TIME


def _time(text: str | None) -> datetime | None:
    """None, too, for what somebody edited into no time."""
    try:
        at = datetime.fromisoformat(text) if text else None
    except (ValueError, TypeError):
        return None
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at


def json_of(text: str | None, empty: T) -> T:
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


def to_text(at: datetime) -> str:
    """A time as the history has it: ISO-8601 with microseconds; sorts as text, all being UTC."""
    return at.isoformat(timespec="microseconds")


def state_columns(state: State) -> dict[str, Any]:
    """A state as the columns of the run or task run that is in it."""
    return {
        "state": state.name,
        "state_type": state.name.type,
        "message": state.message,
        "state_at": to_text(state.at),
    }


_COLUMNS = {
    "content_json": "content",
    "details_json": "details",
    "parameters_json": "parameters",
}
"""Where a column has another name than the field."""

_READERS: dict[str, Callable[[sqlite3.Row], Any]] = {
    "at": lambda row: when(row["at"]),
    "attempts": lambda row: _number(row["attempts"]),
    "began_at": lambda row: when(row["began_at"]),
    "counts": lambda row: json_of(row["counts"], {}),
    "created_at": lambda row: when(row["created_at"]),
    "ended_at": lambda row: _time(row["ended_at"]),
    "process_start": lambda row: _time(row["process_start"]),
    "started_at": lambda row: _time(row["started_at"]),
    "state": _state,
    "tags": lambda row: tuple(json_of(row["tags"], [])),
}
"""How a field is read that is not as the column has it."""
