"""Which files are the cache's own, those that lie in its folder, and the frames among them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from taxietl.orchestrator.store import frames
from taxietl.orchestrator.store.fingerprints import FileFingerprint


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


class FrameFiles:
    """The files of the frames in one result, by the key under which it is kept.

    Args:
        key: that key.
        folder: the cache's own.
    """

    def __init__(self, key: str, folder: Path) -> None:
        self._folder = folder / "frames"
        self._name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self.fingerprints: list[FileFingerprint] = []

    def write(self, frame: object) -> Path:
        """Write the next one; ValueError if it does not come back as it was."""
        from taxietl.orchestrator.store.database import translated  # a decorator needs no sqlite3

        number = len(self.fingerprints)
        path = self._folder / f"{self._name}{f'-{number}' if number else ''}.parquet"
        with translated(path):
            frames.write(frame, path)
            self.fingerprints.append(FileFingerprint.take(path))
        return path

    @classmethod
    @contextmanager
    def of(cls, key: str, folder: Path) -> Iterator[FrameFiles]:
        """Those of a result that is just being kept; removed if it cannot be."""
        written = cls(key, folder)
        try:
            yield written
        except BaseException:
            for each in written.fingerprints:
                Path(each.path).unlink(missing_ok=True)
            raise
