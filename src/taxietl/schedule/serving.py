"""The scheduler in the foreground: for containers, where neither systemd nor cron runs.

A schedule is due at the first time of its expression after its last start (after it was added, if
it never ran). So whatever was missed, while nothing ran or while the last run took too long, comes
to one run, and then the next time counts from there.
"""

from __future__ import annotations

import logging
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from queue import Empty, SimpleQueue

from taxietl.errors import TaxietlError
from taxietl.schedule import outcomes
from taxietl.schedule.cron import next_time
from taxietl.schedule.definition import Schedule, Starter, load, names
from taxietl.schedule.execution import Now, utc_now

Start = Callable[[Schedule], "subprocess.Popen[bytes]"]

_logger = logging.getLogger("taxietl.schedule")


def start(schedule: Schedule) -> subprocess.Popen[bytes]:
    """Start a run of the schedule in a process of its own."""
    return subprocess.Popen(
        [*schedule.line, "schedule", "exec", schedule.name],
        stdin=subprocess.DEVNULL,
        process_group=0,  # a terminal's Ctrl-C comes by way of us
    )


@dataclass
class Server:
    """Starts the schedules of a home that are left to it, each when it is due."""

    home: Path
    zone: tzinfo
    now: Now = utc_now
    start: Start = start
    look_seconds: float = 30.0
    """How often it is looked for schedules that were added, and for a clock that was set."""
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    """The runs in progress, by schedule."""
    started: int = 0
    """How many runs there were."""
    _since: dict[tuple[str, datetime], datetime] = field(default_factory=dict)
    """From when on a schedule's next time counts."""

    def schedules(self) -> list[Schedule]:
        """Those that are there now; a file that cannot be read is told, and left out."""
        found = []
        for name in names(self.home):
            try:
                schedule = load(self.home, name)
            except TaxietlError as error:
                _logger.warning("%s", error.message)
                continue
            if schedule.starter is Starter.RUN and schedule.when.cron:
                found.append(schedule)
        return found

    def tick(self) -> float:
        """Start what is due; returns how many seconds there are until something is."""
        self._reap()
        waits = [self.look_seconds]
        for schedule in self.schedules():
            due = self._due(schedule)
            if due and due <= self.now():
                self._since[schedule.name, schedule.added_at] = self.now()
                self._begin(schedule)
                due = self._due(schedule)
            if due:
                waits.append((due - self.now()).total_seconds())
        return max(min(waits), 0.0)

    def stop(self) -> None:
        """Tell the runs in progress to stop, and wait for them."""
        for child in self.children.values():
            child.terminate()
        for child in self.children.values():
            child.wait()
        self._reap()

    def _due(self, schedule: Schedule) -> datetime | None:
        key = schedule.name, schedule.added_at
        if key not in self._since:
            last = outcomes.read(self.home, schedule.name)
            self._since[key] = max(schedule.added_at, last.started_at if last else key[1])
        # What was noted by a clock that was ahead would make it wait.
        self._since[key] = min(self._since[key], self.now())
        return next_time(schedule.when.cron or "", self._since[key], self.zone)

    def _begin(self, schedule: Schedule) -> None:
        if schedule.name in self.children:
            _logger.warning("Schedule %r is due, and still running: left alone", schedule.name)
            return
        _logger.info("Schedule %r started", schedule.name)
        self.children[schedule.name] = self.start(schedule)
        self.started += 1

    def _reap(self) -> None:
        for name, child in list(self.children.items()):
            code = child.poll()
            if code is not None:
                del self.children[name]
                _logger.info("Schedule %r ended with exit code %d", name, code)


def serve(server: Server) -> None:
    """Start what is due until SIGTERM or SIGINT; then the runs in progress end first."""
    with _signals() as received:
        while True:
            seconds = server.tick()
            with suppress(Empty):
                received.get(timeout=min(seconds, 1.0) if server.children else seconds)
                break
        server.stop()


@contextmanager
def _signals() -> Iterator[SimpleQueue[int]]:
    """What this process is asked by SIGTERM and SIGINT; a handler may put into such a queue."""
    received: SimpleQueue[int] = SimpleQueue()
    before = {
        number: signal.signal(number, lambda number, _: received.put(number))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
