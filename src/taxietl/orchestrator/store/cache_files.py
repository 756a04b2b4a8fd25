"""Which files are the cache's own, those that lie in its folder, and the frames among them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from taxietl.orchestrator.store import frames
from taxietl.orchestrator.store.fingerprints import FileFingerprint
from taxietl.orchestrator.store.results import NotStorableError


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


def write_frame(key: str, value: object, folder: Path) -> tuple[str, tuple[FileFingerprint, ...]]:
    """Write a DataFrame or Arrow table into the one file that its key has.

    Returns:
        What is kept of it as a result, and the file's fingerprint.

    Raises:
        NotStorableError: it does not come back as it was.
    """
    from taxietl.orchestrator.store.database import translated  # a decorator needs no sqlite3

    path = folder / "frames" / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.parquet"
    try:
        with translated(path):
            text = frames.write(value, path)
            return text, (FileFingerprint.take(path),)
    except ValueError as error:
        name = type(value).__name__
        raise NotStorableError(f"the {name} does not come back from Parquet: {error}") from error
