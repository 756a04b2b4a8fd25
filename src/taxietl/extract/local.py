"""A file that lies here already: what identifies it, and its SHA-256."""

from __future__ import annotations

import hashlib
from pathlib import Path

from taxietl.errors import SourceError
from taxietl.steps.values import SourceFile, SourceVersion
from taxietl.tlc.trip_file import TripFile


def version_of(path: Path, trip_file: TripFile, *, source: Path) -> SourceVersion:
    """A local file's identity: path, size, mtime and inode.

    Args:
        path: the file.
        trip_file: the month it is said to hold.
        source: the folder or file that `--source` named.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    etag = f"{stat.st_mtime_ns:x}-{stat.st_ino:x}"
    return SourceVersion(trip_file, source.as_uri(), path.as_uri(), etag, stat.st_size)


def hashed(version: SourceVersion, path: Path) -> SourceFile:
    """The file where it lies, with the SHA-256 of its bytes.

    Raises:
        SourceError: it cannot be read, or is another file by now.
    """
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except OSError as error:
        raise _unreadable(path, error) from error
    if size != version.size_bytes:
        raise SourceError(
            f"{path} changed while it was read: {version.size_bytes:,} bytes became {size:,}.",
            hint="Run again when it is no longer being written.",
        )
    return SourceFile(version, path, size, sha256)


def _unreadable(path: Path, error: OSError) -> SourceError:
    return SourceError(
        f"{path} cannot be read: {error.strerror}.", hint="Check the path and its permissions."
    )
