"""One transaction that removes from the cache: entries, and with the last that names them files."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from taxietl.orchestrator.store.cache import ENTRIES, CacheRow
from taxietl.orchestrator.store.cache_files import files_under, own_files
from taxietl.orchestrator.store.fingerprints import FileFingerprint
from taxietl.orchestrator.store.schema import OPEN

if TYPE_CHECKING:
    import sqlite3

ORPHANED_AFTER = timedelta(days=1)
"""A file that no entry names may be one that is just being made."""

_SMALL_BYTES = 4096

_IN_USE = (
    "SELECT cache_key, files FROM task_runs WHERE run_id IN"  # noqa: S608
    f" (SELECT id FROM runs WHERE {OPEN})"
)
"""By what runs in progress did so far. A child run that has ended uses nothing any more: what it
gave its parent is among the parent's."""


@dataclass(frozen=True)
class Removed:
    """An entry, or a file without one, that was removed or would be."""

    what: str
    """The entry's key, or the file's path."""
    why: str
    bytes: int


class Sweep:
    """One transaction of removing."""

    def __init__(
        self, connection: sqlite3.Connection, folder: Path, *, dry_run: bool = False
    ) -> None:
        self._connection, self._folder, self._dry_run = connection, folder, dry_run
        rows = connection.execute(f"{ENTRIES} ORDER BY last_used_at, cache.rowid")
        self.entries = [CacheRow.of(row) for row in rows]
        self.removed: list[Removed] = []
        self._unlinked: set[Path] = set()
        self.left: list[str] = []
        """Keys of entries that were to be removed, and are in use."""
        used = connection.execute(_IN_USE).fetchall()
        self._keys = {row["cache_key"] for row in used}
        fingerprints = (
            FileFingerprint(**each) for row in used for each in json.loads(row["files"] or "[]")
        )
        self._files = {path for path, _ in own_files(fingerprints, folder)}
        self._named: dict[Path, int] = {}
        for entry in self.entries:
            for path, _ in own_files(entry.files, folder):
                self._named[path] = self._named.get(path, 0) + 1

    def remove(self, entry: CacheRow, why: str) -> int:
        """Remove an entry with its own files, unless it is in use; how many bytes that frees."""
        own = list(own_files(entry.files, self._folder))
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
        for path in files_under(self._folder):
            if self._named.get(path, 0) or path in self._files or path in self._unlinked:
                continue
            with suppress(OSError):
                found = path.stat()
                if now.timestamp() - found.st_mtime > ORPHANED_AFTER.total_seconds():
                    self._unlink(path)
                    self.removed.append(Removed(str(path), "no entry names it", found.st_size))

    def shrink(self, max_bytes: int) -> None:
        """Remove entries, the one not used for longest first, until the rest fits.

        What removing would hardly make room for, such as a digest that took a download, goes last.
        """
        files = {
            path: each.size for e in self.entries for path, each in own_files(e.files, self._folder)
        }
        for path in files_under(self._folder):  # what no entry names takes its room, too
            if path not in files and path not in self._unlinked:
                with suppress(OSError):
                    files[path] = path.stat().st_size
        total = sum(files.values()) + sum(len(each.result.encode()) for each in self.entries)
        for entry in sorted(self.entries, key=self._is_small):
            if total <= max_bytes:
                return
            total -= self.remove(entry, "not used for longest")

    def _is_small(self, entry: CacheRow) -> bool:
        of_files = sum(each.size for _, each in own_files(entry.files, self._folder))
        return of_files + len(entry.result) <= _SMALL_BYTES

    def _unlink(self, path: Path) -> None:
        self._unlinked.add(path)
        if not self._dry_run:
            with suppress(OSError):  # an orphan then, for next time
                path.unlink()
