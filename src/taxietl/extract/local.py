"""A file that lies here already: what identifies it, and its SHA-256."""

from __future__ import annotations

import stat
from pathlib import Path

from taxietl.digests import sha256_of
from taxietl.errors import MissingFileError, SourceError
from taxietl.steps.values import SourceFile, SourceVersion
from taxietl.tlc.trip_file import TripFile


def version_of(path: Path, trip_file: TripFile, *, source: Path) -> SourceVersion:
    """A local file's identity: path, size, mtime and inode.

    Args:
        path: the file.
        trip_file: the month it is said to hold.
        source: the folder or file that `--source` named.

    Raises:
        MissingFileError: nothing lies there.
        SourceError: it is a pipe or a folder, or may not be looked at.
    """
    etag, size = _identity(path)
    address = path.absolute().as_uri()
    return SourceVersion(trip_file, source.absolute().as_uri(), address, etag, size)


def hashed(version: SourceVersion, path: Path) -> SourceFile:
    """The file where it lies, with the SHA-256 of its bytes.

    Raises:
        SourceError: it cannot be read, or is not that version, or no longer at the end.
    """
    try:
        sha256, _ = sha256_of(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    etag, size = _identity(path)
    if (etag, size) != (version.etag, version.size_bytes):
        raise SourceError(
            f"{path} changed after it was found: {version.size_bytes or 0:,} bytes then, "
            f"{size:,} now.",
            hint="Run again when it is no longer being written.",
        )
    return SourceFile(version, path, size, sha256)


def tail(path: Path, size_bytes: int) -> bytes:
    """A file's last bytes, or all where it has fewer.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - size_bytes))
            return file.read()
    except OSError as error:
        raise _unreadable(path, error) from error


def _identity(path: Path) -> tuple[str, int]:
    """What changes with the bytes, mtime and inode, and the size."""
    try:
        found = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    if not stat.S_ISREG(found.st_mode):
        # A pipe can be read once; the SHA-256 alone would use it up.
        raise SourceError(
            f"{path} is not a file.", hint="Write what it holds to a file, and give that."
        )
    return f"{found.st_mtime_ns:x}-{found.st_ino:x}", found.st_size


def _unreadable(path: Path, error: OSError) -> SourceError:
    if isinstance(error, FileNotFoundError):
        return MissingFileError(f"There is no file {path}.", hint="Check the path.")
    return SourceError(
        f"{path} cannot be read: {error.strerror}.", hint="Check the path and its permissions."
    )
