"""Whether a dashboard of a home is up, and where: a file with its address that it keeps locked.

No network is asked, and what a dashboard that was killed leaves behind counts for nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from taxietl.filelock import is_locked, try_lock

FILE = "ui.lock"


@contextmanager
def announced(home: Path, address: str) -> Iterator[bool]:
    """Say that a dashboard is up at that address while the block runs; False if another one is."""
    lock = try_lock(home / FILE)
    if lock is None:
        yield False
        return
    try:
        os.ftruncate(lock.descriptor, 0)
        os.pwrite(lock.descriptor, address.encode(), 0)
        yield True
    finally:
        lock.release()


def dashboard_address(home: Path) -> str | None:
    """Where the dashboard of that home is, such as `http://127.0.0.1:4280`; None if none is up."""
    path = home / FILE
    try:
        if not is_locked(path):
            return None
        return path.read_text(encoding="utf-8", errors="replace") or None
    except OSError:
        return None
