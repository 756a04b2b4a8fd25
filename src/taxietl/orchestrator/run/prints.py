"""`log_prints=True`: what a flow or task prints becomes lines of its log.

While one is in progress, `sys.stdout` is a stand-in that asks at every write in whose context it
is made; whatever is not to be logged goes on to the stdout that was there before. Lines are
logged when they are whole, and what is left of one at the end.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from taxietl.orchestrator.run.logs import get_run_logger


class Prints:
    """What is printed in one context, from `begin` to `end`, both called in it."""

    def __init__(self) -> None:
        self._text = ""
        self._lock = threading.Lock()

    def begin(self) -> None:
        """From now on this context's prints are logged."""
        _stand_in.install()
        _current.set(self)

    def end(self) -> None:
        """Log what is left, and no more."""
        _current.set(None)
        _stand_in.remove()
        with self._lock:
            left, self._text = self._text, ""
        if left:
            get_run_logger().info("%s", left)

    def write(self, text: str) -> None:
        """Take a piece of text."""
        with self._lock:
            *lines, self._text = (self._text + text).split("\n")
        # A log handler that itself writes to stdout must not come back to here.
        token = _current.set(None)
        try:
            for line in lines:
                get_run_logger().info("%s", line)
        finally:
            _current.reset(token)


_current: ContextVar[Prints | None] = ContextVar("taxietl_prints", default=None)


@contextmanager
def prints_logged(is_wanted: bool) -> Iterator[None]:
    """Log what the block prints, or let it be printed although its caller's prints are logged."""
    outer = _current.get()
    prints = Prints() if is_wanted else None
    _current.set(None)
    if prints is not None:
        prints.begin()
    try:
        yield
    finally:
        if prints is not None:
            prints.end()
        _current.set(outer)


class _LoggingStdout:
    """Stands in for `sys.stdout`."""

    def __init__(self, original: Any) -> None:
        self.original = original

    def write(self, text: str) -> int:
        prints = _current.get()
        if prints is None:
            return int(self.original.write(text))
        prints.write(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.original, name)


class _StandIn:
    """Puts the stand-in in place while anybody needs it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    def install(self) -> None:
        with self._lock:
            self._count += 1
            # Somebody may have put back one of ours that he had found in place.
            if not isinstance(sys.stdout, _LoggingStdout):
                sys.stdout = _LoggingStdout(sys.stdout)

    def remove(self) -> None:
        with self._lock:
            self._count -= 1
            if self._count == 0 and isinstance(sys.stdout, _LoggingStdout):
                sys.stdout = sys.stdout.original


_stand_in = _StandIn()
