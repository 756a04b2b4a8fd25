"""A part of a file on its way, some KiB at a time, watched."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import BinaryIO

from taxietl.load.lake.patience import Patience
from taxietl.steps.protocols import Cancellation, Progress

_BLOCK_BYTES = 256 * 1024


class OverdueError(TimeoutError):
    """It took too long in all."""


def piece(
    file: BinaryIO,
    start: int,
    size_bytes: int,
    total: int,
    *,
    patience: Patience,
    cancellation: Cancellation,
    progress: Progress,
) -> Iterator[bytes]:
    """The part's blocks, as they are sent.

    Args:
        start: where in the file it begins.
        size_bytes: how long it is.
        total: how long the file is.

    Raises:
        OverdueError: it is under way for longer than a chunk may be.
    """
    deadline = time.monotonic() + patience.chunk_seconds
    file.seek(start)
    end = start + size_bytes
    while start < end:
        cancellation.check()
        progress(start, total)
        if time.monotonic() > deadline:
            raise OverdueError
        block = file.read(min(_BLOCK_BYTES, end - start))
        if not block:
            return
        start += len(block)
        yield block
