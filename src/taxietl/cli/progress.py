"""One line on a terminal that says how far transfers are, and is gone when they end."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from taxietl.cli.output import Output
from taxietl.cli.stderr import LogFormat, log_format
from taxietl.flows.progress import Watcher

if TYPE_CHECKING:
    from taxietl.tlc.trip_file import TripFile

_EVERY_SECONDS = 0.1
_CLEAR = "\r\x1b[2K"


def progress_line(out: Output, stream: TextIO | None = None) -> ProgressLine | None:
    """The line on stderr; None where nobody would see it move."""
    stream = stream or sys.stderr
    return None if out.quiet or not is_for_people(stream) else ProgressLine(stream)


def is_for_people(stream: TextIO) -> bool:
    """Whether somebody sees lines there being rewritten."""
    return stream.isatty() and log_format() is LogFormat.TEXT


class ProgressLine(Watcher):
    """Rewrites one line of a terminal, a few times a second."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._lock = threading.Lock()
        self._next = 0.0
        self._is_shown = False
        self._under_way: dict[TripFile, _Transfer] = {}

    def moved(self, trip_file: TripFile, done: int, total: int | None) -> None:
        """Show it, with what else is under way, unless that was shown just now."""
        with self._lock:
            now = self._clock()
            known = self._under_way.setdefault(trip_file, _Transfer(now, done))
            known.done, known.total = done, total
            if now < self._next:
                return
            self._next, self._is_shown = now + _EVERY_SECONDS, True
            self._stream.write(f"{_CLEAR}  {self._text(trip_file, now)}")
            self._stream.flush()

    def ended(self, trip_file: TripFile) -> None:
        """Take it away, so that what is written next begins a line."""
        with self._lock:
            self._under_way.pop(trip_file, None)
            if self._is_shown:
                self._stream.write(_CLEAR)
                self._stream.flush()
            self._next, self._is_shown = 0.0, False

    def _text(self, trip_file: TripFile, now: float) -> str:
        transfers = list(self._under_way.values())
        name = str(trip_file) if len(transfers) == 1 else f"{len(transfers)} months"
        done = sum(each.done for each in transfers)
        total = sum(each.total or 0 for each in transfers)
        is_known = all(each.total for each in transfers)
        of = f" of {total / 1e6:,.1f} MB  {done / total:4.0%}" if is_known else " MB"
        rates = [each.rate(now) for each in transfers]
        rate = f"  {sum(rates) / 1e6:,.1f} MB/s" if any(rates) else ""
        return f"{name}  {done / 1e6:,.1f}{of}{rate}"


@dataclass
class _Transfer:
    """One that is shown."""

    began: float
    before: int
    """Bytes that were here when it was first told of."""

    done: int = 0
    total: int | None = None

    def rate(self, now: float) -> float:
        """Bytes a second since then."""
        return (self.done - self.before) / (now - self.began) if now > self.began else 0.0
