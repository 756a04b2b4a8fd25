"""The rows of the cache, and which files are the cache's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxietl.orchestrator.store.fingerprints import FileFingerprint, fingerprints_as_text
from taxietl.orchestrator.store.results import MAX_BYTES, NOT_STORED, Stored
from taxietl.orchestrator.store.states import to_text

if TYPE_CHECKING:
    import sqlite3

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
            "files": fingerprints_as_text(self.files),
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


def own_files(
    files: Iterable[FileFingerprint], folder: Path
) -> Iterator[tuple[Path, FileFingerprint]]:
    """Those of the files that lie in the cache's folder."""
    for each in files:
        path = Path(each.path).resolve()
        if path.is_relative_to(folder):
            yield path, each


def files_under(folder: Path) -> Iterator[Path]:
    """All files in a folder, at any depth."""
    for path in folder.rglob("*") if folder.is_dir() else ():
        if path.is_file() and not path.is_symlink():
            yield path
