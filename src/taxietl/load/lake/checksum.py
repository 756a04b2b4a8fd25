"""CRC32C, the checksum that Google Cloud Storage keeps of every object."""

from __future__ import annotations

import base64
from collections.abc import Callable
from io import RawIOBase
from pathlib import Path

_AT_A_TIME = 4 * 1024 * 1024


def crc32c_of(path: Path, *, check: Callable[[], None] = lambda: None) -> str:
    """Of a file's bytes, in base64.

    Args:
        check: called between blocks; may raise to give up.
    """
    with path.open("rb", buffering=0) as file:
        return crc32c_in(file, check=check)


def crc32c_in(file: RawIOBase, *, check: Callable[[], None] = lambda: None) -> str:
    """Of an open file's bytes; see `crc32c_of`."""
    import google_crc32c

    value = 0
    while block := file.read(_AT_A_TIME):
        check()
        value = google_crc32c.extend(value, block)
    return base64.b64encode(value.to_bytes(4, "big")).decode()
