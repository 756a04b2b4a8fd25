"""What came of a schedule's last run, written by whoever holds its lock; and telling of it."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from taxietl.errors import TryLaterError
from taxietl.schedule.definition import Schedule, folder_of, write_json

LATE_AFTER = 3
"""As many times in a row that a command may say *try again later* before that is a failure."""

_logger = logging.getLogger("taxietl.schedule")


class Result(StrEnum):
    """How a run went."""

    RUNNING = "running"
    DONE = "done"
    TRY_LATER = "try later"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    CRASHED = "crashed"


@dataclass(frozen=True)
class Outcome:
    """The last run of a schedule."""

    result: Result
    started_at: datetime
    ended_at: datetime | None = None
    exit_code: int | None = None
    pid: int | None = None
    """Of the process that runs it, or did."""
    child: int | None = None
    """The process of the command, once it has ended."""
    succeeded_at: datetime | None = None
    """When a run last ended with 0."""
    late_in_a_row: int = 0
    """How many runs, this one last, ended with 75."""
    invocation: str | None = None
    """systemd's id of the start of the service."""

    def ended(self, exit_code: int, at: datetime) -> Outcome:
        """The same run, once it has ended."""
        result = _result(exit_code)
        return replace(
            self,
            result=result,
            ended_at=at,
            exit_code=exit_code,
            succeeded_at=at if result is Result.DONE else self.succeeded_at,
            late_in_a_row=self.late_in_a_row + 1 if result is Result.TRY_LATER else 0,
        )

    @property
    def reason(self) -> str:
        """What came of it, in words."""
        match self.result:
            case Result.FAILED:
                return f"failed with exit code {self.exit_code}"
            case Result.TRY_LATER if self.late_in_a_row > 1:
                return f"try later, {self.late_in_a_row} times in a row"
        return self.result.value


def failed(schedule: Schedule, outcome: Outcome) -> None:
    """Log that a run failed or crashed, or has said *try again later* too often; once a run."""
    at = f"{outcome.started_at.astimezone():%Y-%m-%d %H:%M:%S %Z}"
    _logger.error("Schedule %r, started %s: %s", schedule.name, at, outcome.reason)


def is_failure(outcome: Outcome) -> bool:
    """Whether somebody is to be told of it."""
    too_late = outcome.late_in_a_row > 0 and outcome.late_in_a_row % LATE_AFTER == 0
    return outcome.result in (Result.FAILED, Result.CRASHED) or too_late


def read(home: Path, name: str) -> Outcome | None:
    """The last run; None if there was none. One in progress is *running*, whether it lives or not.

    What cannot be read is as good as none: it says nothing that a next run needs.
    """
    try:
        value = json.loads(outcome_file(home, name).read_text("utf-8"))
        times = {key: _time(value[key]) for key in ("started_at", "ended_at", "succeeded_at")}
        return Outcome(**(value | times | {"result": Result(value["result"])}))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(home: Path, name: str, outcome: Outcome) -> None:
    """Keep what came of a run; only for the holder of the lock.

    Raises:
        TargetError: the disk refuses.
    """
    value: dict[str, Any] = asdict(outcome)
    for key in ("started_at", "ended_at", "succeeded_at"):
        value[key] = value[key].isoformat() if value[key] else None
    write_json(outcome_file(home, name), value)


def outcome_file(home: Path, name: str) -> Path:
    """Where it is kept."""
    return folder_of(home) / f"{name}.last.json"


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _result(exit_code: int) -> Result:
    if exit_code == 0:
        return Result.DONE
    if exit_code == TryLaterError.exit_code:
        return Result.TRY_LATER
    return Result.INTERRUPTED if exit_code in (130, 143) else Result.FAILED
