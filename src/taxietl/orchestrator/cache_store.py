"""The cache as a whole: what it keeps, how much that takes, and what has to go.

Files inside the home's folder `cache` belong to it, and are removed with the last entry that
names them. Files elsewhere are somebody else's: they are looked at, never removed or counted.
Whatever a run in progress uses stays. Files are removed in the transaction that removes their
entries, so that nobody who makes the same file anew can lose it to that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxietl.errors import UnknownNameError
from taxietl.orchestrator.fingerprints import FilePrint

if TYPE_CHECKING:
    import sqlite3

    from taxietl.orchestrator.history import History

ORPHANED_AFTER = timedelta(days=1)
"""A file that no entry names may be one that is just being made."""

_ENTRIES = (
    "SELECT cache.*, runs.name AS run_name FROM cache LEFT JOIN runs ON runs.id = cache.run_id"
)
_IN_USE = (
    "SELECT cache_key, files FROM task_runs WHERE run_id IN"
    " (SELECT id FROM runs WHERE state_type IN ('SCHEDULED', 'PENDING', 'RUNNING'))"
)
"""By what runs in progress did so far. A child run that has ended uses nothing any more: what it
gave its parent is among the parent's."""


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
    files: tuple[FilePrint, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime
    run_id: str
    run_name: str | None
    """None if the run was pruned."""

    def is_expired(self, now: datetime) -> bool:
        """It is not used any more."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True)
class Removed:
    """An entry, or a file without one, that was removed or would be."""

    what: str
    """The entry's key, or the file's path."""
    why: str
    bytes: int


@dataclass(frozen=True)
class Usage:
    """What is taken now."""

    entries: int
    bytes: int


class CacheStore:
    """The cache of one home.

    Args:
        history: where it is kept.
        max_bytes: what it may take, files and results; None for no limit.
    """

    def __init__(self, history: History, *, max_bytes: int | None = None) -> None:
        self.history, self._max_bytes = history, max_bytes
        self._database = history.database
        self.folder = (history.home / "cache").resolve()

    def entries(self, task: str | None = None) -> list[CacheEntry]:
        """All that is kept, or of one task; what was used last comes first."""
        where, given = ("WHERE cache.task = ?", (task,)) if task else ("", ())
        rows = self._database.rows(f"{_ENTRIES} {where} ORDER BY last_used_at DESC", given)
        return [_entry(row) for row in rows]

    def size(self, result: str, files: Iterable[FilePrint]) -> int:
        """What a result takes, with its files in the cache's folder."""
        return len(result.encode()) + sum(each.size for _, each in _own(files, self.folder))

    def usage(self, entries: Iterable[CacheEntry] | None = None) -> Usage:
        """What those entries, or all, take; a file that two of them name counts once."""
        found = list(self.entries() if entries is None else entries)
        return Usage(len(found), _total(found, self.folder))

    def remove(self, names: Sequence[str], *, everything: bool = False) -> tuple[int, list[str]]:
        """Remove entries by their task, their key or the beginning of it.

        Returns:
            How many were removed, and the keys of those left since a run in progress uses them.

        Raises:
            UnknownNameError: nothing is kept under one of the names.
        """
        known = self.entries()
        for name in names:
            if not any(_is_named(entry, name) for entry in known):
                tasks = {entry.task for entry in known}
                raise UnknownNameError("cached task or key", name, tasks)

        def is_wanted(entry: CacheEntry) -> bool:
            return everything or any(_is_named(entry, name) for name in names)

        with self._database.transaction() as connection:
            sweep = _Sweep(connection, self.folder)
            for entry in [each for each in sweep.entries if is_wanted(each)]:
                sweep.remove(entry, "asked for")
        return len(sweep.removed), sweep.left

    def collect(self, now: datetime, *, dry_run: bool = False) -> list[Removed]:
        """Remove what is of no use any more, then what was not used for longest, until all fits.

        Args:
            now: for what has expired.
            dry_run: only say what would be removed.
        """
        with self._database.transaction() as connection:
            sweep = _Sweep(connection, self.folder, dry_run=dry_run)
            for entry in list(sweep.entries):
                missing = next((p.path for p in entry.files if not Path(p.path).is_file()), None)
                if entry.is_expired(now):
                    sweep.remove(entry, f"expired at {entry.expires_at:%Y-%m-%d %H:%M}")
                elif missing:
                    sweep.remove(entry, f"{missing} is missing")
            sweep.remove_orphans(now)
            if self._max_bytes is not None:
                sweep.shrink(self._max_bytes)
        return sweep.removed

    def make_room(self) -> None:
        """Remove what was not used for longest, if all takes too much; cheap if it does not."""
        if self._max_bytes is None:
            return
        total = self._database.rows("SELECT COALESCE(SUM(bytes), 0) AS total FROM cache")
        if total[0]["total"] <= self._max_bytes:
            return
        with self._database.transaction() as connection:
            sweep = _Sweep(connection, self.folder)
            sweep.shrink(self._max_bytes)
            for entry in sweep.entries:  # an older taxietl counted files elsewhere, too
                connection.execute(
                    "UPDATE cache SET bytes = ?1 WHERE key = ?2 AND bytes <> ?1",
                    (self.size(entry.result, entry.files), entry.key),
                )


class _Sweep:
    """One transaction of removing."""

    def __init__(
        self, connection: sqlite3.Connection, folder: Path, *, dry_run: bool = False
    ) -> None:
        self._connection, self._folder, self._dry_run = connection, folder, dry_run
        rows = connection.execute(f"{_ENTRIES} ORDER BY last_used_at, cache.rowid")
        self.entries = [_entry(row) for row in rows]
        self.removed: list[Removed] = []
        self.left: list[str] = []
        """Keys of entries that were to be removed, and are in use."""
        used = connection.execute(_IN_USE).fetchall()
        self._keys = {row["cache_key"] for row in used}
        prints = (FilePrint(**each) for row in used for each in json.loads(row["files"] or "[]"))
        self._files = {path for path, _ in _own(prints, folder)}
        self._named: dict[Path, int] = {}
        for entry in self.entries:
            for path, _ in _own(entry.files, folder):
                self._named[path] = self._named.get(path, 0) + 1

    def remove(self, entry: CacheEntry, why: str) -> int:
        """Remove an entry with its own files, unless it is in use; how many bytes that frees."""
        own = list(_own(entry.files, self._folder))
        if entry.key in self._keys or any(path in self._files for path, _ in own):
            self.left.append(entry.key)
            return 0
        freed = len(entry.result.encode())
        for path, each in own:
            self._named[path] -= 1
            if self._named[path] == 0:
                freed += each.size
                self._unlink(path)
        self.entries.remove(entry)
        self.removed.append(Removed(entry.key, why, freed))
        if not self._dry_run:
            self._connection.execute("DELETE FROM cache WHERE key = ?", (entry.key,))
        return freed

    def remove_orphans(self, now: datetime) -> None:
        """Remove files of the folder that no entry names, unless they are young or in use."""
        for path in _files_under(self._folder):
            if self._named.get(path, 0) or path in self._files:
                continue
            with suppress(OSError):
                found = path.stat()
                if now.timestamp() - found.st_mtime > ORPHANED_AFTER.total_seconds():
                    self._unlink(path)
                    self.removed.append(Removed(str(path), "no entry names it", found.st_size))

    def shrink(self, max_bytes: int) -> None:
        """Remove entries, the one not used for longest first, until the rest fits."""
        files = {
            path: each.size for e in self.entries for path, each in _own(e.files, self._folder)
        }
        total = sum(files.values()) + sum(len(each.result.encode()) for each in self.entries)
        for entry in list(self.entries):
            if total <= max_bytes:
                return
            total -= self.remove(entry, "not used for longest")

    def _unlink(self, path: Path) -> None:
        if not self._dry_run:
            with suppress(OSError):  # an orphan then, for next time
                path.unlink()


def _own(files: Iterable[FilePrint], folder: Path) -> Iterator[tuple[Path, FilePrint]]:
    """Those of the files that lie in the cache's folder."""
    for each in files:
        path = Path(each.path).resolve()
        if path.is_relative_to(folder):
            yield path, each


def _total(entries: Iterable[CacheEntry], folder: Path) -> int:
    """What those take together; a file that two of them name counts once."""
    sizes: dict[Path, int] = {}
    results = 0
    for entry in entries:
        results += len(entry.result.encode())
        sizes |= {path: each.size for path, each in _own(entry.files, folder)}
    return results + sum(sizes.values())


def _files_under(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*") if folder.is_dir() else ():
        if path.is_file() and not path.is_symlink():
            yield path


def _is_named(entry: CacheEntry, name: str) -> bool:
    # The beginning of a key goes beyond the task's name: `extract/1/3f`.
    return entry.task == name or ("/" in name and entry.key.startswith(name))


def _entry(row: sqlite3.Row) -> CacheEntry:
    when: Callable[[str], datetime] = datetime.fromisoformat
    return CacheEntry(
        key=row["key"],
        task=row["task"],
        version=row["version"],
        arguments=json.loads(row["arguments"] or "{}"),
        place=row["place"],
        types=json.loads(row["types"] or "{}"),
        result=row["result"],
        files=tuple(FilePrint(**each) for each in json.loads(row["files"])),
        created_at=when(row["created_at"]),
        expires_at=when(row["expires_at"]) if row["expires_at"] else None,
        last_used_at=when(row["last_used_at"]),
        run_id=row["run_id"],
        run_name=row["run_name"],
    )
