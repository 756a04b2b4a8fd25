"""What a forked child must not keep of its parent: open files and sockets that hold a lock.

A lock taken with `flock` belongs to every process that has the open file, and a server's lock to
its connection: a forked child (of a `ProcessPoolExecutor`, say) that outlives a killed parent
would hold them on. So the child lets go of them first of all. It only closes: to unlock there,
or to say good-bye to a server, would end the parent's lock.

Programs that are started have none of this: what Python opens is closed by `exec`. Windows
does not fork.
"""

from __future__ import annotations

import os
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

_opening = threading.RLock()
"""Held while a file is opened and noted, and by whoever forks: no child is made between the two."""
_files: set[UnsharedFile] = set()
_connections: weakref.WeakSet[Any] = weakref.WeakSet()


class UnsharedFile:
    """An open file of this process alone: in a forked child it is closed."""

    def __init__(self, path: Path, flags: int, mode: int = 0o644) -> None:
        with _opening:
            self.descriptor = os.open(path, flags, mode)
            """-1 once it is closed."""
            _files.add(self)

    @property
    def is_open(self) -> bool:
        """It has been neither closed nor left to the parent."""
        return self.descriptor >= 0

    def close(self) -> None:
        """Close it; twice is as good as once."""
        with _opening:
            _files.discard(self)
            descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def unshare(connection: Any) -> None:
    """Cut a forked child off from a database's connection.

    Args:
        connection: with a `fileno()` that raises once it is closed.
    """
    _connections.add(connection)


def _let_go() -> None:
    """In a forked child, before anything else."""
    for file in list(_files):
        os.close(file.descriptor)
        file.descriptor = -1
    _files.clear()
    if found := list(_connections):
        _cut_off(found)
    _opening.release()


def _cut_off(connections: list[Any]) -> None:
    """Put nothing in the place of their sockets, whose numbers their clients still use."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for each in connections:
        with suppress(Exception):  # it was closed before
            os.dup2(nothing, each.fileno(), inheritable=False)
    os.close(nothing)
    _connections.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_opening.acquire, after_in_parent=_opening.release, after_in_child=_let_go
    )
