"""Results kept between calls and between processes, and why one could not be used.

An entry is found by its key, must not have expired, must still fit the task's return
annotation, and every file it names must be the file it was. Anything else is a miss that says
its reason.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxietl.errors import ConfigError
from taxietl.masking import holds_secret
from taxietl.orchestrator.define.callables import refuse_misfit
from taxietl.orchestrator.store import frames
from taxietl.orchestrator.store.arguments import shown
from taxietl.orchestrator.store.cache_entries import CLOCKS_DIFFER
from taxietl.orchestrator.store.canonical import NoDigestError, told_apart, types_in
from taxietl.orchestrator.store.fingerprints import (
    FileFingerprint,
    file_difference,
    files_in,
    fingerprints_as_text,
)
from taxietl.orchestrator.store.records import to_text
from taxietl.orchestrator.store.results import (
    MAX_BYTES,
    MAX_CACHED_BYTES,
    NOT_STORED,
    HoldsSecretError,
    NotStorableError,
    ResultCodec,
    Stored,
)

if TYPE_CHECKING:
    import sqlite3

    from taxietl.orchestrator.store.database import Database


@dataclass(frozen=True, kw_only=True)
class Cache:
    """Keep a task's result, and use it instead of calling the task again.

    The key is the task's function (its module or script, and its name there), its `version` or
    else its code, and its arguments with their types. Results are JSON, a DataFrame or Arrow table
    is Parquet; files travel as a `Path` in the result, are fingerprinted, and are looked at again
    before each use. Of several calls
    that miss at once, in whatever process, one makes the result and the others wait for it.

    Args:
        key: makes the arguments' part of the key from the bound arguments; None = do not cache
            this call.
        expires: how long after it was made a result may be used; left out, for ever.
        refresh: call the task in any case, and keep the new result.
    """

    key: Callable[[dict[str, Any]], str | None] | None = None
    expires: timedelta | None = None
    refresh: bool = False

    def __post_init__(self) -> None:
        if self.key is not None:
            refuse_misfit(
                "Cache(key=…)",
                self.key,
                takes="a dict of the call's arguments",
                hint='Write `lambda arguments: str(arguments["month"])`, say; Cache() takes all.',
            )


@dataclass(frozen=True)
class Hit:
    """A usable entry."""

    value: Any
    result: str
    """The same as JSON."""
    files: str | None
    """The fingerprints of the files it names, as JSON; None if of none."""


@dataclass(frozen=True)
class Miss:
    """No usable entry, and why."""

    reason: str


@dataclass(frozen=True)
class Entry:
    """What one call's result is kept under."""

    key: str
    task: str
    place: str
    """The task's function: `package.module:name` or `/a/file.py:name`."""
    version: str
    arguments: str
    """As JSON, secrets masked."""
    types: str
    """Of the arguments, as JSON: where something other than JSON's own stands, and what."""

    @classmethod
    def of(
        cls, cache: Cache, task: str, *, place: str, version: str, arguments: Mapping[str, object]
    ) -> Entry | None:
        """Where that call's result belongs; None if the key function wants it not cached.

        Raises:
            ConfigError: the arguments have no canonical form.
        """
        if cache.key is not None:
            part = cache.key(dict(arguments))
            if part is None:
                return None
            if holds_secret(part := str(part)):
                part = hashlib.sha256(part.encode()).hexdigest()
        else:
            try:
                part = told_apart(arguments)
            except NoDigestError as error:
                raise ConfigError(
                    f"The task {task!r} has cache=, and its arguments make no key: {error}.",
                    hint="Say what tells its calls apart: Cache(key=lambda arguments: …).",
                ) from error
        where = hashlib.sha256(place.encode()).hexdigest()[:8]
        types = json.dumps(types_in(arguments), ensure_ascii=False)
        key = f"{task}/{version}/{where}/{part}"
        return cls(key, task, place, version, shown(arguments), types)


@dataclass(frozen=True)
class Prepared:
    """A result ready to be written into the cache: the slow part is done."""

    entry: Entry
    result: str
    files: tuple[FileFingerprint, ...]

    def stored(self) -> Stored:
        """The same for the history."""
        if len(self.result) > MAX_BYTES:
            return NOT_STORED
        return Stored(self.result, fingerprints_as_text(self.files) if self.files else None)


def look_up(database: Database, entry: Entry, codec: ResultCodec, now: datetime) -> Hit | Miss:
    """The kept result of that call, if it can be used now."""
    rows = database.rows(
        "SELECT result, files, created_at, expires_at FROM cache WHERE key = ?", (entry.key,)
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
        return Hit(codec.decode(row["result"]), row["result"], files)
    except ValueError:
        return Miss("the kept result does not fit what the task returns now")


def prepare(entry: Entry, codec: ResultCodec, value: object, *, folder: Path) -> Prepared:
    """Write the result as JSON, a frame as Parquet, and take its files' fingerprints.

    Args:
        folder: the cache's own, for frames.

    Raises:
        HoldsSecretError: it has a password or a token in it.
        ConfigError: the result cannot be stored.
    """
    try:
        if frames.kind_of(value):
            return _prepare_frame(entry, value, folder)
        text = codec.encode(value, max_bytes=MAX_CACHED_BYTES)
    except HoldsSecretError:
        raise
    except NotStorableError as error:
        raise ConfigError(
            f"The task {entry.task!r} has cache=, and its result cannot be stored: {error}.",
            hint="Return JSON-like values, dataclasses, a DataFrame, an Arrow table or the Path of"
            " a file; or drop cache=.",
        ) from error
    return Prepared(entry, text, tuple(FileFingerprint.take(path) for path in files_in(value)))


def _prepare_frame(entry: Entry, value: object, folder: Path) -> Prepared:
    """Write a frame into the one file that its key has."""
    from taxietl.orchestrator.store.database import translated  # a decorator needs no sqlite3

    path = folder / "frames" / f"{hashlib.sha256(entry.key.encode()).hexdigest()[:32]}.parquet"
    try:
        with translated(path):
            text = frames.write(value, path)
            return Prepared(entry, text, (FileFingerprint.take(path),))
    except ValueError as error:
        name = type(value).__name__
        raise NotStorableError(f"the {name} does not come back from Parquet: {error}") from error


def keep(
    connection: sqlite3.Connection,
    prepared: Prepared,
    *,
    expires: timedelta | None,
    now: datetime,
    run_id: str,
    size: int,
) -> None:
    """Write the entry, in place of one of the same key; it expires that long from now."""
    entry, at = prepared.entry, to_text(now)
    connection.execute(
        "INSERT OR REPLACE INTO cache (key, task, version, arguments, place, types, result, files,"
        " created_at, expires_at, last_used_at, run_id, bytes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            entry.key,
            entry.task,
            entry.version,
            entry.arguments,
            entry.place,
            entry.types,
            prepared.result,
            fingerprints_as_text(prepared.files),
            at,
            to_text(now + expires) if expires is not None else None,
            at,
            run_id,
            size,
        ),
    )


def touch(connection: sqlite3.Connection, key: str, now: datetime) -> bool:
    """Note that the entry is used; False if it was removed since it was looked up."""
    done = connection.execute(
        "UPDATE cache SET last_used_at = ? WHERE key = ?", (to_text(now), key)
    )
    return done.rowcount > 0
