"""How several months get on: a table on a terminal, elsewhere a line a month as it ends."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taxietl.cli.output import Output
from taxietl.cli.progress import duration, is_for_people
from taxietl.flows.progress import Moved, Watcher
from taxietl.terminal import one_line
from taxietl.tlc.trip_file import TripFile

if TYPE_CHECKING:
    from rich.console import RenderableType

_TIMES_A_SECOND = 4
_SHOWN_ENDED = 8
"""The latest; of those that failed, all are shown."""


@contextmanager
def months_shown(out: Output) -> Iterator[Watcher | None]:
    """What shows the months while the block runs; log lines go to stderr from here on."""
    if out.quiet or out.verbose or not is_for_people(sys.stderr):
        out.log_to_stderr()
        yield None if out.quiet else MonthLines(out)
        return
    from rich.console import Console
    from rich.live import Live

    table = MonthTable()
    with Live(
        console=Console(stderr=True),
        get_renderable=table.as_table,
        refresh_per_second=_TIMES_A_SECOND,
        redirect_stdout=False,
        transient=True,
    ):
        out.log_little_to_stderr()
        yield table
    out.log_to_stderr()


def _rows_in(report: Any) -> int | None:
    """How many rows a report tells of, whichever command it is of."""
    if hasattr(report, "rows_loaded"):
        return int(report.rows_loaded)
    facts = report.version.facts if hasattr(report, "version") else report
    return None if facts.rows is None else int(facts.rows)


@dataclass
class MonthProgress:
    """One month of several."""

    began: float
    ended: float | None = None
    state: str = "under way"
    done: int = 0
    total: int | None = None
    """Bytes that came, and are to come."""

    rows: int = 0
    failed: bool = False

    def seconds(self, now: float) -> float:
        """How long it took, or has taken."""
        return (self.ended or now) - self.began

    def rate(self, now: float) -> float:
        """Rows a second."""
        seconds = self.seconds(now)
        return self.rows / seconds if seconds > 0 else 0.0


class MonthsWatched(Watcher):
    """Keeps what it is told of each month."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._count, self._clock = 0, clock
        self._lock = threading.Lock()
        self._began = clock()
        self._months: dict[TripFile, MonthProgress] = {}

    def expected(self, count: int) -> None:
        """See `Watcher`."""
        with self._lock:
            self._count, self._began = count, self._clock()
            self._months.clear()

    def began(self, trip_file: TripFile) -> None:
        """See `Watcher`."""
        with self._lock:
            self._months[trip_file] = MonthProgress(self._clock())

    def moved(self, trip_file: TripFile, moved: Moved) -> None:
        """See `Watcher`."""
        if (month := self._months.get(trip_file)) is None:
            return
        month.state = moved.doing
        if moved.doing.unit == "bytes":
            month.done, month.total = moved.done, moved.total
        else:
            month.rows = moved.done

    def finished(self, trip_file: TripFile, report: Any, error: Any) -> None:
        """See `Watcher`."""
        with self._lock:
            month = self._months[trip_file]
            month.ended, month.failed = self._clock(), error is not None
            month.state = f"failed: {one_line(error.message)}" if error else report.action
            is_new = error is None and report.action != "nothing to do"
            month.rows = (_rows_in(report) or 0) if is_new else 0
            self.show_ended(trip_file, month)

    def show_ended(self, trip_file: TripFile, month: MonthProgress) -> None:
        """Show a month that has ended."""

    def _ended(self) -> list[tuple[TripFile, MonthProgress]]:
        """Those that have, the latest last."""
        found = [each for each in self._months.items() if each[1].ended is not None]
        return sorted(found, key=lambda each: each[1].ended or 0.0)

    def _seconds_left(self, now: float) -> float | None:
        """By what the months took so far that were not done before."""
        ended = len(self._ended())
        under_way = len(self._months) - ended
        if not ended:
            return None
        each = (now - self._began) / (ended + under_way / 2)
        return each * (self._count - ended - under_way / 2)


class MonthLines(MonthsWatched):
    """Says a line when a month ends."""

    def __init__(self, out: Output, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock=clock)
        self._out = out

    def show_ended(self, trip_file: TripFile, month: MonthProgress) -> None:
        """See `MonthsWatched`."""
        now = self._clock()
        counts = f": {month.rows:,} rows, {month.rate(now):,.0f} rows/s" if month.rows else ""
        ended = len(self._ended())
        self._out.note(
            f"{trip_file}  {month.state}{counts}  ({ended} of {self._count}, "
            f"{duration(month.seconds(now))})"
        )


class MonthTable(MonthsWatched):
    """A table of what is under way, what failed and what ended last, over a line for all."""

    def as_table(self) -> RenderableType:
        """How it is now."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        now = self._clock()
        with self._lock:
            ended = self._ended()
            under_way = [each for each in self._months.items() if each[1].ended is None]
            left = self._seconds_left(now)
        failed = [each for each in ended[:-_SHOWN_ENDED] if each[1].failed]
        table = Table(box=None, pad_edge=False, padding=(0, 2))
        for heading in ("month", "state", "rows", "rows/s", "MB", "time"):
            is_text = heading in ("month", "state")
            table.add_column(heading, justify="left" if is_text else "right", no_wrap=True)
        for trip_file, month in (*failed, *ended[-_SHOWN_ENDED:], *under_way):
            table.add_row(
                str(trip_file),
                Text(month.state, style="red" if month.failed else "", overflow="ellipsis"),
                f"{month.rows:,}" if month.rows else "",
                f"{month.rate(now):,.0f}" if month.rows else "",
                _megabytes(month),
                duration(month.seconds(now)),
            )
        return Group(table, Text(self._total(ended, len(under_way), left, now)))

    def _total(
        self,
        ended: Sequence[tuple[TripFile, MonthProgress]],
        under_way: int,
        left: float | None,
        now: float,
    ) -> str:
        failures = sum(month.failed for _, month in ended)
        rows = sum(month.rows for _, month in ended)
        parts = [f"{len(ended)} of {self._count} months ended", f"{under_way} under way"]
        parts += [f"{failures} failed"] if failures else []
        parts += [f"{rows:,} rows", duration(now - self._began)]
        parts += [f"about {duration(left)} left"] if left is not None else []
        return ", ".join(parts)


def _megabytes(month: MonthProgress) -> str:
    if not month.done:
        return ""
    of = f" of {month.total / 1e6:,.1f}" if month.total else ""
    return f"{month.done / 1e6:,.1f}{of}"
