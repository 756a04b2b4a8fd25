"""What the cache keeps, as values: its results, and which files are the cache's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxietl.orchestrator.store.fingerprints import FileFingerprint

if TYPE_CHECKING:
    import sqlite3

ENTRIES = (
    "SELECT cache.*, runs.name AS run_name FROM cache LEFT JOIN runs ON runs.id = cache.run_id"
)
CLOCKS_DIFFER = timedelta(days=1)
"""What is kept and was made later than in so long was made by a wrong clock: it does not last
until then what is to expire."""


@dataclass(frozen=True)
class CacheEntry:
    """A kept result."""

    key: str
    task: str
    version: str
    arguments: dict[str, Any]
    """As JSON values; what is secret or has no JSON form is masked."""
    place: str | None
    """The task's function, `/a/file.py:name`; None if an earlier taxietl kept it."""
    types: dict[str, str]
    """Of those arguments that are not JSON's own, by where they stand: `month.day`."""
    result: str
    files: tuple[FileFingerprint, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime
    run_id: str
    run_name: str | None
    """None if the run was pruned."""

    def is_expired(self, now: datetime) -> bool:
        """It is not used any more; nor if it was made by a clock that was ahead."""
        if self.expires_at is None:
            return False
        return self.expires_at <= now or self.created_at > now + CLOCKS_DIFFER


def entry_of(row: sqlite3.Row) -> CacheEntry:
    when: Callable[[str], datetime] = datetime.fromisoformat
    return CacheEntry(
        key=row["key"],
        task=row["task"],
        version=row["version"],
        arguments=json.loads(row["arguments"] or "{}"),
        place=row["place"],
        types=json.loads(row["types"] or "{}"),
        result=row["result"],
        files=tuple(FileFingerprint(**each) for each in json.loads(row["files"])),
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
    for path in folder.rglob("*") if folder.is_dir() else ():
        if path.is_file() and not path.is_symlink():
            yield path
