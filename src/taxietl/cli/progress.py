"""One line on a terminal that says how far a transfer is, and is gone when it ends."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from taxietl.cli.output import Output

if TYPE_CHECKING:
    from taxietl.tlc.trip_file import TripFile

_EVERY_SECONDS = 0.1
_CLEAR = "\r\x1b[2K"


def progress_line(out: Output, stream: TextIO | None = None) -> ProgressLine | None:
    """The line on stderr; None where nobody would see it move."""
    stream = stream or sys.stderr
    return None if out.quiet or not stream.isatty() else ProgressLine(stream)


class ProgressLine:
    """Rewrites one line of a terminal, a few times a second."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._lock = threading.Lock()
        self._next = 0.0
        self._is_shown = False
        self._began: tuple[float, int] | None = None
        """When this transfer was first told of, and of how many bytes."""

    def moved(self, trip_file: TripFile, done: int, total: int | None) -> None:
        """Show it, unless it was shown just now."""
        with self._lock:
            now = self._clock()
            began, before = self._began = self._began or (now, done)
            if now < self._next:
                return
            self._next, self._is_shown = now + _EVERY_SECONDS, True
            of = f" of {total / 1e6:,.1f} MB  {done / total:4.0%}" if total else " MB"
            rate = f"  {(done - before) / (now - began) / 1e6:,.1f} MB/s" if now > began else ""
            self._stream.write(f"{_CLEAR}  {trip_file}  {done / 1e6:,.1f}{of}{rate}")
            self._stream.flush()

    def ended(self, trip_file: TripFile) -> None:  # noqa: ARG002
        """Take it away, so that what is written next begins a line."""
        with self._lock:
            if self._is_shown:
                self._stream.write(_CLEAR)
                self._stream.flush()
            self._next, self._is_shown, self._began = 0.0, False, None
