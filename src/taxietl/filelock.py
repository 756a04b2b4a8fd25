"""A lock on a file that the operating system drops when its holder dies, however it dies.

A holder is one process: its forked children have no part in the lock.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from taxietl.forks import UnsharedFile

if sys.platform == "win32":
    import msvcrt

    def lock_open_file(descriptor: int) -> bool:
        """Take the lock on an open file, for as long as it is open; False if somebody has it."""
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    _is_free = lock_open_file

else:
    import fcntl

    def lock_open_file(descriptor: int) -> bool:
        """Take the lock on an open file, for as long as it is open; False if somebody has it."""
        try:
            # flock, not lockf: lockf's lock is lost when *any* descriptor of the file is closed
            # by the process, as a look at one's own run would do.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _is_free(descriptor: int) -> bool:
        try:
            # Shared: of two who look at once, neither takes the other for the holder.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class FileLock:
    """A held lock; `release` removes the file, so that only living holders have one."""

    def __init__(self, path: Path, file: UnsharedFile) -> None:
        self.path, self._file = path, file

    @property
    def descriptor(self) -> int:
        """Of the open file; a program that is given it holds the lock, too."""
        return self._file.descriptor

    def release(self) -> None:
        """Remove the file and let go of it; twice, or in a forked child, it does nothing."""
        if not self._file.is_open:
            return
        if sys.platform == "win32":  # an open file cannot be removed there
            self._file.close()
            self.path.unlink(missing_ok=True)
        else:
            # Removed while still held: nobody can lock the name in between and lose it to us.
            self.path.unlink(missing_ok=True)
            self._file.close()


def try_lock(path: Path) -> FileLock | None:
    """Take the lock on that file, made if need be; None if somebody holds it."""
    while True:
        file = UnsharedFile(path, os.O_RDWR | os.O_CREAT)
        if not lock_open_file(file.descriptor):
            file.close()
            return None
        if _is_still(path, file.descriptor):
            return FileLock(path, file)
        file.close()  # its last holder removed the file after we opened it


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock on that file; it is not taken, and no file is made."""
    try:
        file = UnsharedFile(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _is_free(file.descriptor)
    finally:
        file.close()


@contextmanager
def waiting_lock(path: Path, *, seconds: float) -> Iterator[None]:
    """Hold the lock while the block runs, waiting up to that long for it.

    Raises:
        TimeoutError: somebody else held it all the time.
    """
    deadline = time.monotonic() + seconds
    while (lock := try_lock(path)) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path} is locked by another process.")
        time.sleep(0.01)
    try:
        yield
    finally:
        lock.release()


def _is_still(path: Path, descriptor: int) -> bool:
    """The name still belongs to the file that was opened."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
