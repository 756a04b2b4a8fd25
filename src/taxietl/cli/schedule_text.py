"""How a schedule is shown: its document, its line in a table, and what was written for it."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taxietl.schedule.definition import Schedule
    from taxietl.schedule.installing import Text
    from taxietl.schedule.outcomes import Outcome


def describe(schedule: Schedule) -> dict[str, Any]:
    """A schedule as the documents have it."""
    from taxietl.schedule.execution import last_outcome, utc_now
    from taxietl.schedule.installing import next_run
    from taxietl.schedule.zones import zone_name, zone_of

    zone = zone_of(schedule.starter)
    following = next_run(schedule, utc_now())
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
        "added_at": schedule.added_at,
        "time_zone": zone_name(zone),
        "next_at": following.astimezone(zone) if following else None,
        "last": describe_outcome(last_outcome(schedule.home, schedule.name)),
    }


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


def row(schedule: Schedule, described: dict[str, Any]) -> dict[str, Any]:
    """A schedule as a line of a table; `described` as `describe` made it."""
    from taxietl.schedule.execution import last_outcome

    last = last_outcome(schedule.home, schedule.name)
    zone = described["next_at"].tzinfo if described["next_at"] else None
    return {
        "name": schedule.name,
        "when": schedule.when.given,
        "by": schedule.starter.value,
        "next": _shown(described["next_at"]),
        "last": _shown(last.started_at.astimezone(zone)) if last else None,
        "outcome": last.reason if last else "never run",
        "command": shlex.join(schedule.command),
    }


def _shown(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%d %H:%M:%S %Z}" if at else None
