"""Why a task was, or would be, taken from the cache or not: field by field.

A key is a digest and says nothing; so the arguments that were kept to be shown are compared,
with the entry that differs least. Pure, but for a look at the files that entries name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from taxietl.errors import ConfigError, UnknownNameError
from taxietl.orchestrator.define.code_digests import PREFIX
from taxietl.orchestrator.store.states import StateName

if TYPE_CHECKING:
    from taxietl.orchestrator.store.cache import CacheRow
    from taxietl.orchestrator.store.history import History
    from taxietl.orchestrator.store.rows import TaskRunRow

NOT_GIVEN = "(not given)"
PLAIN = "as it is in JSON"


@dataclass(frozen=True)
class CachedCall:
    """A call of a task whose results are kept, as far as the call is known."""

    task: str
    arguments: Mapping[str, Any]
    """As JSON values."""
    version: str | None = None
    place: str | None = None
    """The task's function: `/a/file.py:name`."""
    types: Mapping[str, str] | None = None
    """Of arguments that are not JSON's own; None if they are not known."""
    key: str | None = None
    made_in: str | None = None
    """The id of the run that made it."""


@dataclass(frozen=True)
class Field:
    """One thing that tells calls apart, or makes an entry useless."""

    name: str
    asked: Any
    kept: Any
    is_same: bool
    """Whether it stands in the way of a hit; what was not asked for does not."""


@dataclass(frozen=True)
class Explanation:
    """Whether such a call would be a hit now, and what the nearest entry has to do with it."""

    task: str
    is_hit: bool
    reason: str
    nearest: CacheRow | None
    fields: tuple[Field, ...]


def explain(call: CachedCall, entries: Sequence[CacheRow], now: datetime) -> Explanation:
    """Compare a call with what is kept of its task.

    Args:
        call: what is asked for.
        entries: those of its task.
        now: for what has expired.
    """
    if not entries:
        reason = f"nothing is kept of task {call.task!r}"
        return Explanation(call.task, is_hit=False, reason=reason, nearest=None, fields=())
    exact = next((each for each in entries if each.key == call.key), None)
    if exact is not None:  # of the same key, and so of the same function and types
        call = replace(call, place=exact.place, types=exact.types)
    trouble = [each.name for each in _condition(exact, now) if not each.is_same] if exact else []
    others = [each for each in entries if each is not exact]
    # What the call itself left behind, in good order, explains nothing: what could it have used?
    is_own = exact is not None and exact.run_id == call.made_in and not trouble
    if exact is not None and is_own:  # nor could it have used what was kept after it
        others = [each for each in others if each.created_at <= exact.created_at] or others
    if exact is None or (is_own and others):
        nearest = max(others, key=lambda each: _likeness(call, each))
    else:
        nearest = exact
    fields = (*_inputs(call, nearest), *_condition(nearest, now))
    if exact is not None:
        reason = _trouble(trouble) or "it is kept under its key, and can be used"
        return Explanation(call.task, not trouble, reason, nearest, fields)
    different = [each.name for each in fields if not each.is_same]
    if call.key is not None and not different:
        reason = "the key differs, by an argument that is not shown or by a key function"
        return Explanation(call.task, is_hit=False, reason=reason, nearest=nearest, fields=fields)
    reason = _trouble(different) or "an entry fits all that was given"
    return Explanation(call.task, not different, reason, nearest, fields)


def call_of(
    history: History, run_name: str, task_run_name: str
) -> tuple[CachedCall, TaskRunRow, str]:
    """A call that was made in a run, its record, and what was said of it then.

    Raises:
        UnknownNameError: there is no such run, or no such task run in it.
        ConfigError: it is not cached.
    """
    run = history.run(run_name)
    task_runs = {each.name: each for each in history.task_runs(run.id)}
    if task_run_name not in task_runs:
        raise UnknownNameError(f"task run in {run.name!r}", task_run_name, task_runs)
    record = task_runs[task_run_name]
    if record.cache_key is None:
        raise ConfigError(
            f"The task run {task_run_name!r} of {run.name!r} is not cached.",
            hint="Its task has no cache=, or the key function gave None for this call.",
        )
    arguments = json.loads(record.arguments or "{}")
    call = CachedCall(record.task, arguments, record.version, key=record.cache_key, made_in=run.id)
    return call, record, _told(record)


def _told(record: TaskRunRow) -> str:
    """What was said of the cache when that call was made; of one that never got to ask, nothing."""
    if record.state.name is StateName.CACHED:
        return record.state.message or "Used what was kept."
    return f"Cache miss: {record.miss}." if record.miss else ""


def _inputs(call: CachedCall, entry: CacheRow) -> list[Field]:
    """Function, version and arguments, down to the single values; what was asked first."""
    asked, kept = _leaves(call.arguments), _leaves(entry.arguments)
    fields = []
    if call.place is not None:
        fields.append(Field("function", call.place, entry.place, call.place == entry.place))
    if call.version is not None:
        is_code = call.version.startswith(PREFIX) and entry.version.startswith(PREFIX)
        name = "code" if is_code else "version"
        fields.append(Field(name, call.version, entry.version, call.version == entry.version))
    for name in [*asked, *(name for name in kept if name not in asked)]:
        ours, theirs = asked.get(name, NOT_GIVEN), kept.get(name, NOT_GIVEN)
        # Of a call that was made everything is known: what it lacks is a difference.
        is_open = name not in asked and call.key is None
        fields.append(Field(name, ours, theirs, is_open or _is_same(call, ours, theirs)))
    return [*fields, *_types(call, entry)]


def _is_same(call: CachedCall, ours: Any, theirs: Any) -> bool:
    if call.key is None:
        return bool(ours == theirs)  # `-p rate=1` may mean 1.0
    return json.dumps(ours) == json.dumps(theirs)


def _types(call: CachedCall, entry: CacheRow) -> list[Field]:
    """The types of arguments that differ: what looks alike may be something else."""
    if call.types is None:
        return []
    names = [*call.types, *(name for name in entry.types if name not in call.types)]
    pairs = ((name, call.types.get(name, PLAIN), entry.types.get(name, PLAIN)) for name in names)
    return [
        Field(f"type of {name}", ours, theirs, is_same=False)
        for name, ours, theirs in pairs
        if ours != theirs
    ]


def _condition(entry: CacheRow, now: datetime) -> list[Field]:
    """Whether the entry can be used at all: its age, and its files."""
    until = entry.expires_at.isoformat() if entry.expires_at else "never"
    fields = [Field("expires", "later than now", until, not entry.is_expired(now))]
    for each in entry.files:
        difference = each.difference()
        kept = difference or "as it was"
        fields.append(Field(f"file {each.path}", "as it was", kept, not difference))
    return fields


def _likeness(call: CachedCall, entry: CacheRow) -> tuple[int, datetime]:
    inputs = _inputs(call, entry)
    return sum(each.is_same for each in inputs) * 2 - len(inputs), entry.created_at


def _trouble(names: list[str]) -> str:
    return f"what differs: {', '.join(names)}" if names else ""


def _leaves(value: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """`{"a": {"b": 1}}` as `{"a.b": 1}`."""
    found: dict[str, Any] = {}
    for name, each in value.items():
        if isinstance(each, Mapping) and each:
            found |= _leaves(each, f"{above}{name}.")
        else:
            found[f"{above}{name}"] = each
    return found
