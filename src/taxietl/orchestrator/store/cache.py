"""Results kept between calls and between processes, and why one could not be used.

A row is found by its key, must not have expired, must still fit the task's return annotation, and
every file it names must be the file it was. Anything else is a miss that says its reason.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxietl.errors import ConfigError
from taxietl.masking import holds_secret
from taxietl.orchestrator.store import frames
from taxietl.orchestrator.store.arguments import shown
from taxietl.orchestrator.store.cache_rows import CLOCKS_DIFFER, CacheRow
from taxietl.orchestrator.store.canonical import NoDigestError, told_apart, types_in
from taxietl.orchestrator.store.fingerprints import FileFingerprint, file_difference, files_in
from taxietl.orchestrator.store.results import (
    MAX_BYTES,
    MAX_CACHED_BYTES,
    HoldsSecretError,
    NotStorableError,
    ResultCodec,
    Stored,
)
from taxietl.orchestrator.store.states import to_text

if TYPE_CHECKING:
    from taxietl.orchestrator.store.cache_store import CacheStore
    from taxietl.orchestrator.store.database import Database


@dataclass(frozen=True)
class Found:
    """A result that was made before."""

    value: Any
    stored: Stored
    """The same as the history keeps it."""
    reused_from: str | None = None
    """The id of the run, of those that are taken up, in which it completed; None if it was in the
    cache."""
    message: str = ""
    """The same in words."""
    child_run_id: str | None = None
    """Of the child run that gave it, if one did."""


@dataclass(frozen=True)
class Miss:
    """No usable result, and why."""

    reason: str


@dataclass(frozen=True)
class CacheKey:
    """What one call's result is kept under, and what that is made of."""

    key: str
    task: str
    place: str
    """The task's function: `package.module:name` or `/a/file.py:name`."""
    version: str
    arguments_json: str
    """To be shown: secrets masked."""
    types_json: str
    """Of the arguments: where something other than JSON's own stands, and what."""

    @classmethod
    def of(
        cls, task: str, *, place: str, version: str, arguments: Mapping[str, object], part: str
    ) -> CacheKey:
        """The key of a call.

        Args:
            part: what tells the arguments apart, see `arguments_part`.
        """
        where = hashlib.sha256(place.encode()).hexdigest()[:8]
        types = json.dumps(types_in(arguments), ensure_ascii=False)
        key = f"{task}/{version}/{where}/{part}"
        return cls(key, task, place, version, shown(arguments), types)


def arguments_part(task: str, arguments: Mapping[str, object]) -> str:
    """What tells the arguments apart, where the task has no key function.

    Raises:
        ConfigError: they have no canonical form.
    """
    try:
        return told_apart(arguments)
    except NoDigestError as error:
        raise ConfigError(
            f"The task {task!r} has cache=, and its arguments make no key: {error}.",
            hint="Say what tells its calls apart: Cache(key=lambda arguments: …).",
        ) from error


def named_part(given: object) -> str:
    """What a key function gave, as a part of the key that is no secret."""
    part = str(given)
    return hashlib.sha256(part.encode()).hexdigest() if holds_secret(part) else part


def look_up(database: Database, key: str, codec: ResultCodec, now: datetime) -> Found | Miss:
    """The result kept under that key, if it can be used now."""
    rows = database.rows(
        "SELECT result, files, created_at, expires_at FROM cache WHERE key = ?", (key,)
    )
    if not rows:
        return Miss("nothing is kept under its key")
    row = rows[0]
    if row["expires_at"] is not None:
        if row["expires_at"] <= to_text(now):
            return Miss(f"the result of {row['created_at']} expired at {row['expires_at']}")
        if row["created_at"] > to_text(now + CLOCKS_DIFFER):  # it would last until its clock's time
            return Miss(f"the result is of {row['created_at']}, by a clock that was ahead")
    if difference := file_difference(row["files"]):
        return Miss(difference)
    files = row["files"] if row["files"] != "[]" else None
    try:
        value = codec.decode(row["result"])
    except ValueError:
        return Miss("the kept result does not fit what the task returns now")
    fits = len(row["result"]) <= MAX_BYTES
    return Found(value, Stored(row["result"] if fits else None, files))


def row_for(
    key: CacheKey,
    codec: ResultCodec,
    value: object,
    *,
    store: CacheStore,
    expires: timedelta | None,
    now: datetime,
    run_id: str,
) -> CacheRow:
    """A result as the cache keeps it: JSON, a frame as Parquet, its files' fingerprints taken.

    Args:
        expires: how long after `now` it may be used; None for ever.
        run_id: of the run that made it.

    Raises:
        HoldsSecretError: it has a password or a token in it.
        ConfigError: it cannot be stored.
    """
    try:
        if frames.kind_of(value):
            result, files = _frame(key.key, value, store.folder)
        else:
            result = codec.encode(value, max_bytes=MAX_CACHED_BYTES)
            files = tuple(FileFingerprint.take(path) for path in files_in(value))
    except HoldsSecretError:
        raise
    except NotStorableError as error:
        raise ConfigError(
            f"The task {key.task!r} has cache=, and its result cannot be stored: {error}.",
            hint="Return JSON-like values, dataclasses, a DataFrame, an Arrow table or the Path of"
            " a file; or drop cache=.",
        ) from error
    return CacheRow(
        key=key.key,
        task=key.task,
        version=key.version,
        arguments_json=key.arguments_json,
        place=key.place,
        types_json=key.types_json,
        result=result,
        files=files,
        bytes=store.size(result, files),
        created_at=now,
        expires_at=None if expires is None else now + expires,
        last_used_at=now,
        run_id=run_id,
    )


def _frame(key: str, value: object, folder: Path) -> tuple[str, tuple[FileFingerprint, ...]]:
    """Write a frame into the one file that its key has."""
    from taxietl.orchestrator.store.database import translated  # a decorator needs no sqlite3

    path = folder / "frames" / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.parquet"
    try:
        with translated(path):
            text = frames.write(value, path)
            return text, (FileFingerprint.take(path),)
    except ValueError as error:
        name = type(value).__name__
        raise NotStorableError(f"the {name} does not come back from Parquet: {error}") from error
