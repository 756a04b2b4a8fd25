"""Results kept between calls and between processes, and why one could not be used.

A row is found by its key, must not have expired, must still fit the task's return annotation, and
every file it names must be the file it was. Anything else is a miss that says its reason.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxietl.errors import ConfigError
from taxietl.orchestrator.store.arguments import shown
from taxietl.orchestrator.store.cache_files import FrameFiles, own_files
from taxietl.orchestrator.store.canonical import NoDigestError, told_apart, types_in
from taxietl.orchestrator.store.fingerprints import (
    FileFingerprint,
    file_difference,
    files_in,
    fingerprints_as_text,
)
from taxietl.orchestrator.store.results import (
    MAX_BYTES,
    MAX_CACHED_BYTES,
    NOT_STORED,
    HoldsSecretError,
    NotStorableError,
    ResultCodec,
    Stored,
    refusal,
)
from taxietl.orchestrator.store.rows import to_text
from taxietl.orchestrator.store.values import PLAIN

if TYPE_CHECKING:
    import sqlite3

    from taxietl.orchestrator.store.database import Database


ENTRIES = (
    "SELECT cache.*, runs.name AS run_name FROM cache LEFT JOIN runs ON runs.id = cache.run_id"
)
CLOCKS_DIFFER = timedelta(days=1)
"""What is kept and was made later than in so long was made by a wrong clock: it does not last
until then what is to expire."""


@dataclass(frozen=True, kw_only=True)
class CacheRow:
    """A kept result."""

    key: str
    task: str
    version: str
    arguments_json: str | None
    """What is secret is masked, what has no JSON form is `<type>`."""
    place: str | None
    """The task's function, `/a/file.py:name`; None if an earlier taxietl kept it."""
    types_json: str | None
    """Of those arguments that are not JSON's own, by where they stand: `month.day`."""
    result: str
    """JSON."""
    files: tuple[FileFingerprint, ...]
    bytes: int
    """What it takes, with those of its files that are the cache's own."""
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime
    run_id: str
    run_name: str | None = None
    """Of that run, not kept here; None if the run was pruned."""

    @property
    def arguments(self) -> dict[str, Any]:
        """As JSON values."""
        return dict(json.loads(self.arguments_json or "{}"))

    @property
    def types(self) -> dict[str, str]:
        """By where in the arguments they stand."""
        return dict(json.loads(self.types_json or "{}"))

    def stored(self) -> Stored:
        """The result as the history keeps it, which keeps less."""
        if len(self.result) > MAX_BYTES:
            return NOT_STORED
        return Stored(self.result, fingerprints_as_text(self.files) if self.files else None)

    def is_expired(self, now: datetime) -> bool:
        """It is not used any more; nor if it was made by a clock that was ahead."""
        if self.expires_at is None:
            return False
        return self.expires_at <= now or self.created_at > now + CLOCKS_DIFFER

    def to_columns(self) -> dict[str, Any]:
        """The row as the table has it."""
        return {
            "key": self.key,
            "task": self.task,
            "version": self.version,
            "arguments": self.arguments_json,
            "place": self.place,
            "types": self.types_json,
            "result": self.result,
            "files": fingerprints_as_text(self.files) if self.files else "[]",
            "bytes": self.bytes,
            "created_at": to_text(self.created_at),
            "expires_at": self.expires_at and to_text(self.expires_at),
            "last_used_at": to_text(self.last_used_at),
            "run_id": self.run_id,
        }

    @classmethod
    def of(cls, row: sqlite3.Row) -> CacheRow:
        """What a row of `ENTRIES` says."""
        when: Callable[[str], datetime] = datetime.fromisoformat
        return cls(
            key=row["key"],
            task=row["task"],
            version=row["version"],
            arguments_json=row["arguments"],
            place=row["place"],
            types_json=row["types"],
            result=row["result"],
            files=tuple(FileFingerprint(**each) for each in json.loads(row["files"])),
            bytes=row["bytes"],
            created_at=when(row["created_at"]),
            expires_at=when(row["expires_at"]) if row["expires_at"] else None,
            last_used_at=when(row["last_used_at"]),
            run_id=row["run_id"],
            run_name=row["run_name"],
        )


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
    folder: Path,
    expires: timedelta | None,
    now: datetime,
    run_id: str,
    option: str = "cache=",
) -> CacheRow:
    """A result as the cache keeps it: JSON, a frame as Parquet, its files' fingerprints taken.

    Args:
        folder: the cache's own.
        expires: how long after `now` it may be used; None for ever.
        run_id: of the run that made it.
        option: by which its task asks for that.

    Raises:
        HoldsSecretError: it has a password or a token in it.
        ConfigError: it cannot be stored.
    """
    files: tuple[FileFingerprint, ...] = ()
    try:
        if type(value) in PLAIN:
            result = codec.encode(value, max_bytes=MAX_CACHED_BYTES)
        else:
            with FrameFiles.of(key.key, folder) as written:
                result = codec.encode(value, max_bytes=MAX_CACHED_BYTES, keep=written.write)
            files = (*written.fingerprints, *map(FileFingerprint.take, files_in(value)))
    except HoldsSecretError:
        raise
    except NotStorableError as error:
        raise refusal(key.task, option, error) from error
    return CacheRow(
        key=key.key,
        task=key.task,
        version=key.version,
        arguments_json=key.arguments_json,
        place=key.place,
        types_json=key.types_json,
        result=result,
        files=files,
        bytes=size_of(result, files, folder),
        created_at=now,
        expires_at=None if expires is None else now + expires,
        last_used_at=now,
        run_id=run_id,
    )


def size_of(result: str, files: Collection[FileFingerprint], folder: Path) -> int:
    """What a result takes, with its files in the cache's folder; in bytes."""
    own = own_files(files, folder) if files else ()
    return len(result.encode()) + sum(each.size for _, each in own)


def has_room(database: Database, max_bytes: int | None) -> bool:
    """All that is kept takes no more than that; None for no limit."""
    if max_bytes is None:
        return True
    total = database.rows("SELECT COALESCE(SUM(bytes), 0) AS total FROM cache")
    return bool(total[0]["total"] <= max_bytes)
