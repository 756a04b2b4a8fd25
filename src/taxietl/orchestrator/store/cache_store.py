"""The cache as a whole: what it keeps, how much that takes, and what has to go.

Files inside the home's folder `cache` belong to it, and are removed with the last entry that
names them; those that none names, downloads as a rule, when they are a day old. Files elsewhere
are somebody else's: they are looked at, never removed or counted.
Whatever a run in progress uses stays. Files are removed in the transaction that removes their
entries, so that nobody who makes the same file anew can lose it to that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from taxietl.errors import UnknownNameError
from taxietl.orchestrator.store.cache import ENTRIES, CacheRow, has_room, size_of
from taxietl.orchestrator.store.cache_files import files_under, own_files
from taxietl.orchestrator.store.cache_sweep import Removed, Sweep
from taxietl.orchestrator.store.rows import to_text

if TYPE_CHECKING:
    from taxietl.orchestrator.store.history import History


@dataclass(frozen=True)
class OtherFile:
    """A file in the cache's folder that no entry names, a download as a rule."""

    path: Path
    bytes: int
    modified_at: datetime


@dataclass(frozen=True)
class Usage:
    """What is taken now."""

    entries: int
    files: int
    """That no entry names."""
    bytes: int


class CacheStore:
    """The cache of one home.

    Args:
        history: where it is kept.
        max_bytes: what it may take, files and results; None for no limit.
    """

    def __init__(self, history: History, *, max_bytes: int | None = None) -> None:
        self.history, self.max_bytes = history, max_bytes
        self._database = history.database
        self.folder = (history.home / "cache").resolve()

    def entries(self, task: str | None = None) -> list[CacheRow]:
        """All that is kept, or of one task; what was used last comes first."""
        where, given = ("WHERE cache.task = ?", (task,)) if task else ("", ())
        rows = self._database.rows(f"{ENTRIES} {where} ORDER BY last_used_at DESC", given)
        return [CacheRow.of(row) for row in rows]

    def other_files(self) -> list[OtherFile]:
        """What lies in the cache's folder and no entry names, the newest first."""
        named = {path for each in self.entries() for path, _ in own_files(each.files, self.folder)}
        found = []
        for path in files_under(self.folder):
            with suppress(OSError):  # it has just been removed
                if path not in named:
                    stat = path.stat()
                    at = datetime.fromtimestamp(stat.st_mtime, UTC)
                    found.append(OtherFile(path, stat.st_size, at))
        return sorted(found, key=lambda each: each.modified_at, reverse=True)

    def usage(
        self,
        entries: Iterable[CacheRow] | None = None,
        files: Iterable[OtherFile] | None = None,
    ) -> Usage:
        """What those entries and files, or all, take; a file that two name counts once."""
        found = list(self.entries() if entries is None else entries)
        others = list(self.other_files() if files is None else files)
        total = _total(found, self.folder) + sum(each.bytes for each in others)
        return Usage(len(found), len(others), total)

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

        def is_wanted(entry: CacheRow) -> bool:
            return everything or any(_is_named(entry, name) for name in names)

        with self._database.transaction() as connection:
            sweep = Sweep(connection, self.folder)
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
            sweep = Sweep(connection, self.folder, dry_run=dry_run)
            if not dry_run:  # a clock that was ahead must not keep what it used for ever
                connection.execute(
                    "UPDATE cache SET last_used_at = ? WHERE last_used_at > ?", (to_text(now),) * 2
                )
            for entry in list(sweep.entries):
                missing = next((p.path for p in entry.files if not Path(p.path).is_file()), None)
                if entry.is_expired(now):
                    sweep.remove(entry, f"expired at {entry.expires_at:%Y-%m-%d %H:%M}")
                elif missing:
                    sweep.remove(entry, f"{missing} is missing")
            sweep.remove_orphans(now)
            if self.max_bytes is not None:
                sweep.shrink(self.max_bytes)
        return sweep.removed

    def make_room(self) -> None:
        """Remove what was not used for longest, if all takes too much; cheap if it does not."""
        if self.max_bytes is None or has_room(self._database, self.max_bytes):
            return
        with self._database.transaction() as connection:
            sweep = Sweep(connection, self.folder)
            sweep.shrink(self.max_bytes)
            for entry in sweep.entries:  # an older taxietl counted files elsewhere, too
                size = size_of(entry.result, entry.files, self.folder)
                connection.execute(
                    "UPDATE cache SET bytes = ? WHERE key = ? AND bytes <> ?",
                    (size, entry.key, size),
                )


def _is_named(entry: CacheRow, name: str) -> bool:
    # The beginning of a key goes beyond the task's name: `extract/1/3f`.
    return entry.task == name or ("/" in name and entry.key.startswith(name))


def _total(entries: Iterable[CacheRow], folder: Path) -> int:
    """What those take together; a file that two of them name counts once."""
    sizes: dict[Path, int] = {}
    results = 0
    for entry in entries:
        results += len(entry.result.encode())
        sizes |= {path: each.size for path, each in own_files(entry.files, folder)}
    return results + sum(sizes.values())
