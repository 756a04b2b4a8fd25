"""One line on a terminal that says how far a step with a month is, and is gone when it ends."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO, cast

from taxietl.cli.output import Output
from taxietl.cli.stderr import LogFormat, log_format
from taxietl.flows.progress import Moved, Watcher

if TYPE_CHECKING:
    from taxietl.tlc.trip_file import TripFile

_EVERY_SECONDS = 0.1
_CLEAR = "\r\x1b[2K"
_WIDTH = 80
_LEFT_AFTER_SECONDS = 1.0
"""Sooner, the time that is left is a guess."""


@contextmanager
def progress_shown(out: Output) -> Iterator[ProgressLine | None]:
    """What shows on stderr how far a month is while the block runs; log lines go above it.

    None where nobody would see it move.
    """
    if out.quiet or not is_for_people(sys.stderr):
        out.log_to_stderr()
        yield None
        return
    stream = sys.stderr
    line = ProgressLine(stream)
    sys.stderr = cast(TextIO, _Above(line, stream))
    try:
        out.log_to_stderr()
        yield line
    finally:
        sys.stderr = stream
        out.log_to_stderr()


def is_for_people(stream: TextIO) -> bool:
    """Whether somebody sees lines there being rewritten."""
    return stream.isatty() and log_format() is LogFormat.TEXT


class ProgressLine(Watcher):
    """Rewrites one line of a terminal, a few times a second: how far a step with a month is."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._lock = threading.Lock()
        self._next = 0.0
        self._is_shown = False
        self._began: _Beginning | None = None

    def moved(self, trip_file: TripFile, moved: Moved) -> None:
        """Show it, unless it was shown just now."""
        with self._lock:
            now = self._clock()
            if self._began is None or self._began.moved.doing is not moved.doing:
                self._began = _Beginning(now, moved)
            if now < self._next:
                return
            self._next, self._is_shown = now + _EVERY_SECONDS, True
            text = f"{trip_file}  {moved.doing}  {amount(moved)}{self._began.pace(moved, now)}"
            self._stream.write(f"{_CLEAR}  {text[: self._width() - 3]}")
            self._stream.flush()

    def ended(self, trip_file: TripFile) -> None:  # noqa: ARG002 - one month is shown
        """Take it away, so that what is written next begins a line."""
        with self._lock:
            if self._is_shown:
                self._stream.write(_CLEAR)
                self._stream.flush()
            self._began, self._next, self._is_shown = None, 0.0, False

    def write_above(self, text: str) -> int:
        """Write something else to the terminal; the line comes back when there is more to tell."""
        with self._lock:
            if self._is_shown:
                self._stream.write(_CLEAR)
                self._next, self._is_shown = 0.0, False
            return self._stream.write(text)

    def _width(self) -> int:
        """Of the terminal, which somebody may have made narrower: a longer line would stay."""
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or _WIDTH
        except (OSError, ValueError):
            return _WIDTH


class _Above:
    """stderr, while a line is shown there."""

    def __init__(self, line: ProgressLine, stream: TextIO) -> None:
        self._line, self._stream = line, stream

    def write(self, text: str) -> int:
        """See `ProgressLine.write_above`."""
        return self._line.write_above(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@dataclass(frozen=True)
class _Beginning:
    """When a step was first told of, and how far it was: a transfer may be taken up again."""

    at: float
    moved: Moved

    def pace(self, moved: Moved, now: float) -> str:
        """How fast it is since then, and how long it will take."""
        seconds, gained = now - self.at, moved.done - self.moved.done
        if seconds <= 0 or gained <= 0:
            return ""
        rate = gained / seconds
        is_bytes = moved.doing.unit == "bytes"
        said = f"  {rate / 1e6:,.1f} MB/s" if is_bytes else f"  {rate:,.0f} rows/s"
        if moved.total is None or seconds < _LEFT_AFTER_SECONDS:
            return said
        return f"{said}  {duration(max(0.0, moved.total - moved.done) / rate)} left"


def amount(moved: Moved) -> str:
    """How much of how much: `12.3 of 64.1 MB   19%`, `250,000 rows`."""
    if moved.doing.unit == "bytes":
        done, total, unit = f"{moved.done / 1e6:,.1f}", f"{(moved.total or 0) / 1e6:,.1f}", "MB"
    else:
        done, total, unit = f"{moved.done:,}", f"{moved.total or 0:,}", "rows"
    return (
        f"{done} of {total} {unit}  {moved.done / moved.total:4.0%}"
        if moved.total
        else (f"{done} {unit}")
    )


def duration(seconds: float) -> str:
    """As a person says it: `3.2 s`, `4 min 10 s`, `1 h 5 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
