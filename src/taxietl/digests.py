"""A file's SHA-256, computed once for as long as the file stays what it is."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

SETTLED_NS = 2_000_000_000
"""A file written to more recently may be written to again under the same time of its clock."""

_KEPT = 64


class _Stamp(NamedTuple):
    modified_ns: int
    changed_ns: int
    size: int
    device: int
    inode: int

    def is_settled(self, now_ns: int) -> bool:
        return max(self.modified_ns, self.changed_ns) < now_ns - SETTLED_NS


_known: dict[_Stamp, str] = {}


def sha256_of(path: Path, *, clock: Callable[[], int] = time.time_ns) -> tuple[str, int]:
    """The file's SHA-256 in hexadecimal, and its size in bytes.

    Hashed again only where something about the file has changed: inode, size, either time.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        stamp = _stamp(file.fileno())
        if (known := _known.get(stamp)) is not None:
            return known, stamp.size
        digest, size = hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
        if _stamp(file.fileno()) == stamp and stamp.is_settled(clock()):
            while len(_known) >= _KEPT:
                _known.pop(next(iter(_known)), None)
            _known[stamp] = digest
    return digest, size


def _stamp(descriptor: int) -> _Stamp:
    found = os.fstat(descriptor)
    return _Stamp(found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_dev, found.st_ino)
