"""The schedules of a home as they are now: what they run, when, and what came of the last run."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from taxietl.errors import ConfigError
from taxietl.schedule.definition import Schedule, load, names
from taxietl.schedule.execution import last_outcome
from taxietl.schedule.installing import next_run
from taxietl.schedule.outcomes import Outcome, Result

TONES = {
    Result.RUNNING: "busy",
    Result.DONE: "good",
    Result.TRY_LATER: "wait",
    Result.FAILED: "bad",
    Result.INTERRUPTED: "stop",
    Result.CRASHED: "bad",
}


@dataclass(frozen=True)
class Row:
    """A schedule as it is now."""

    schedule: Schedule
    following: datetime | None
    last: Outcome | None

    @property
    def command(self) -> str:
        """What it runs, as one would type it."""
        return f"taxietl {shlex.join(self.schedule.command)}"

    @property
    def tone(self) -> str:
        """How the outcome of its last run is to be taken."""
        return TONES[self.last.result] if self.last else "stop"


def schedules_of(home: Path) -> tuple[list[Row], list[ConfigError]]:
    """The schedules of a home, by name, and why others cannot be read."""
    now = datetime.now(UTC)
    found, broken = [], []
    for name in names(home):
        try:
            schedule = load(home, name)
        except ConfigError as error:
            broken.append(error)
        else:
            found.append(Row(schedule, next_run(schedule, now), last_outcome(home, name)))
    return found, broken
