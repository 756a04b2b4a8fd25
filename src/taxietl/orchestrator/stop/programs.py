"""Programs that a run's tasks have started: ended with the run when it is told to stop.

What is the run's is told by descent: children of this process that were not there when the run
began, and what they have started. Each is signalled by itself, never a process group, which may
be somebody else's. A program that has cut its descent (a daemon) is not found. Where two runs
share the process it is not known whose a program is, and it is left.

Nothing is waited for with `waitpid`, which would take a program's status from who started it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

ASK_AFTER_SECONDS = 1.0
"""From the request to stop, which the tasks hear first, to SIGTERM."""
GRACE_SECONDS = 1.5
"""From SIGTERM to SIGKILL."""
_POLL_SECONDS = 0.02

_lock = threading.Lock()
_tracking: set[Programs] = set()
_isolated: set[int] = set()


@contextmanager
def kept_apart(pid: int) -> Iterator[None]:
    """While the block runs, who runs it ends that process and what that has started."""
    _isolated.add(pid)
    try:
        yield
    finally:
        _isolated.discard(pid)


class Programs:
    """What a top-level run starts, from its making on to the end of the `with` block."""

    def __init__(self) -> None:
        self._before = _children()
        self._is_shared = False
        self._over = threading.Event()
        self._ended: dict[int, str] = {}

    def __enter__(self) -> Programs:
        with _lock:
            _tracking.add(self)
            if len(_tracking) > 1:
                for each in _tracking:
                    each._is_shared = True
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        with _lock:
            _tracking.discard(self)

    def ask(self) -> None:
        """The run is told to stop: end what runs now, unless its tasks do; does not block."""
        threading.Thread(target=self._ask, name="taxietl-programs", daemon=True).start()

    def end(self, *, grace_seconds: float = GRACE_SECONDS) -> list[str]:
        """End what is left now, and wait for that; what was ended in all: `sleep (123)`."""
        self._over.set()
        self._terminate(self._left(), grace_seconds, until=lambda: False)
        return list(self._ended.values())

    def _ask(self) -> None:
        # What is started from now on cleans up.
        programs = self._left()
        if programs and not self._over.wait(ASK_AFTER_SECONDS):
            self._terminate(programs, GRACE_SECONDS, until=self._over.is_set)

    def _terminate(
        self, programs: list[psutil.Process], grace_seconds: float, *, until: Callable[[], bool]
    ) -> None:
        import psutil

        programs = [each for each in programs if _lives(each)]
        for each in programs:
            with suppress(psutil.Error):
                self._ended[each.pid] = f"{each.name()} ({each.pid})"
                each.terminate()
        deadline = time.monotonic() + grace_seconds
        while any(map(_lives, programs)) and time.monotonic() < deadline and not until():
            time.sleep(_POLL_SECONDS)
        for each in programs:
            with suppress(psutil.Error):
                if _lives(each):
                    each.kill()

    def _left(self) -> list[psutil.Process]:
        """The programs of this run that live."""
        new = _children() - self._before - _isolated
        if not new or self._is_shared:
            return []
        import psutil

        found = []
        for pid in new:
            with suppress(psutil.Error):
                program = psutil.Process(pid)
                found += [program, *program.children(recursive=True)]
        return [each for each in found if _lives(each)]


def _lives(program: psutil.Process) -> bool:
    import psutil

    try:
        return bool(program.is_running() and program.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _children() -> frozenset[int]:
    """The processes that this one has started, whichever of its threads did."""
    try:  # 20 µs; psutil takes milliseconds to load, and then looks at every process
        threads = [*Path("/proc/self/task").iterdir()]
        lists = [_read(each / "children") for each in threads]
        return frozenset(int(pid) for each in lists for pid in each.split())
    except OSError:
        import psutil

        return frozenset(each.pid for each in psutil.Process(os.getpid()).children())


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        if path.parent.exists():
            raise OSError from None  # the kernel has no such file
        return ""  # the thread has just ended
