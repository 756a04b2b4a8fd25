"""Files that are replaced whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside the file to write to; it becomes the file after the block, once on the disk.

    Raises:
        OSError: the disk refuses. What was there before still is, as after any error in the block.
    """
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.part")
    try:
        yield beside
        with beside.open("r+b") as written:  # Windows syncs only what may be written
            os.fsync(written.fileno())
        beside.replace(path)
    finally:
        with suppress(OSError):
            beside.unlink()
