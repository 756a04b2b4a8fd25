"""Which runs are alive: those whose process holds the lock on `runs/<id>.lock`.

Process ids and start times are kept for people to read. In containers that share a home they
lie, the lock does not: the system drops it when the process is gone, however it went.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from taxietl.filelock import FileLock, is_locked, try_lock
from taxietl.orchestrator.store.database import translated


def hold(home: Path, root_id: str) -> FileLock:
    """Be known as alive: taken before the run's row is written, released after its last state."""
    path = _lock_path(home, root_id)
    with translated(path):
        # Somebody who sweeps the folder may hold the new file for a moment.
        while (lock := try_lock(path)) is None:
            time.sleep(0.001)
    return lock


def is_alive(home: Path, root_id: str) -> bool:
    """Whether the process of a top-level run lives, and the run has not ended."""
    path = _lock_path(home, root_id)
    with translated(path):
        return is_locked(path)


@contextmanager
def taken_from_dead(home: Path, root_id: str) -> Iterator[bool]:
    """Whether the process of a top-level run is gone; for as long as the block runs it stays so."""
    path = _lock_path(home, root_id)
    with translated(path):
        lock = try_lock(path)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            lock.release()


def sweep_locks(home: Path) -> None:
    """Remove lock files whose holder died after its run had ended, and what was asked of them."""
    for path in (home / "runs").glob("*.lock"):
        with suppress(OSError):
            if (lock := try_lock(path)) is not None:
                lock.release()
    for path in (home / "runs").glob("*.cancel*"):
        with suppress(OSError):
            if not path.with_suffix(".lock").exists():
                path.unlink()


def _lock_path(home: Path, root_id: str) -> Path:
    return home / "runs" / f"{root_id}.lock"


def process_start(pid: int | None = None) -> datetime | None:
    """When a process, by default this one, began; on Linux, and None elsewhere."""
    try:
        # The 22nd field, in clock ticks after boot; the 2nd may hold spaces and brackets.
        text = Path(f"/proc/{pid or 'self'}/stat").read_text(encoding="ascii", errors="replace")
        ticks = int(text.rpartition(")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return None
    return datetime.fromtimestamp(time.time() - age, UTC)
