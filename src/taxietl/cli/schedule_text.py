"""How a schedule is shown: its document, its line in a table, and what was written for it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taxietl.schedule.definition import Schedule
    from taxietl.schedule.installing import Text
    from taxietl.schedule.outcomes import Outcome


@dataclass(frozen=True)
class Snapshot:
    """A schedule as it is at a moment: what ran last, and what comes next."""

    schedule: Schedule
    time_zone: str
    next_at: datetime | None
    last: Outcome | None

    def document(self) -> dict[str, Any]:
        """As the documents have it."""
        schedule = self.schedule
        return {
            "name": schedule.name,
            "cron": schedule.when.cron,
            "on_calendar": schedule.when.on_calendar,
            "when": schedule.when.given,
            "by": schedule.starter.value,
            "command": list(schedule.command),
            "folder": schedule.folder,
            "home": schedule.home,
            "config": schedule.config,
            "user": schedule.user,
            "credentials": {name: str(file) for name, file in schedule.credentials.items()},
            "ping": schedule.ping,
            "added_at": schedule.added_at,
            "time_zone": self.time_zone,
            "next_at": self.next_at,
            "last": describe_outcome(self.last),
        }

    def row(self) -> dict[str, Any]:
        """As a line of a table."""
        zone = self.next_at.tzinfo if self.next_at else None
        return {
            "name": self.schedule.name,
            "when": self.schedule.when.given,
            "by": self.schedule.starter.value,
            "next": _shown(self.next_at),
            "last": _shown(self.last.started_at.astimezone(zone)) if self.last else None,
            "outcome": self.last.reason if self.last else "never run",
            "command": shlex.join(self.schedule.command),
        }


def snapshot(schedule: Schedule) -> Snapshot:
    """The schedule as it is now."""
    from taxietl.schedule.execution import last_outcome, utc_now
    from taxietl.schedule.installing import next_run
    from taxietl.schedule.zones import zone_name, zone_of

    zone = zone_of(schedule.starter)
    following = next_run(schedule, utc_now())
    return Snapshot(
        schedule,
        zone_name(zone),
        following.astimezone(zone) if following else None,
        last_outcome(schedule.home, schedule.name),
    )


def describe_files(files: list[Text]) -> list[dict[str, Any]]:
    """What is written for a schedule, as the documents have it."""
    return [{"place": each.place, "text": each.text, "is_edited": each.is_edited} for each in files]


def show_files(files: list[Text]) -> str:
    """The same for people, each under its place."""
    return "\n".join(
        f"# {each.place}{' (edited by hand)' if each.is_edited else ''}\n{each.text}"
        for each in files
    )


def describe_outcome(last: Outcome | None) -> dict[str, Any] | None:
    """The last run, as the documents have it."""
    if last is None:
        return None
    return {
        "result": last.result.value,
        "started_at": last.started_at,
        "ended_at": last.ended_at,
        "exit_code": last.exit_code,
        "succeeded_at": last.succeeded_at,
        "late_in_a_row": last.late_in_a_row,
    }


def _shown(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%d %H:%M %Z}" if at else None
