"""CRC32C, the checksum that Google Cloud Storage keeps of every object."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

_AT_A_TIME = 4 * 1024 * 1024


def crc32c_of(path: Path, *, check: Callable[[], None] = lambda: None) -> str:
    """Of a file's bytes, in base64.

    Args:
        check: called between blocks; may raise to give up.
    """
    import google_crc32c

    value = 0
    with path.open("rb", buffering=0) as file:
        while block := file.read(_AT_A_TIME):
            check()
            value = google_crc32c.extend(value, block)
    return base64.b64encode(value.to_bytes(4, "big")).decode()
