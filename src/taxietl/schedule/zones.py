"""The time zone that a schedule's times are in: the machine's, which is always shown beside them.

cron and systemd go by `/etc/localtime` whatever the shell's TZ says; the foreground scheduler is a
process like any other, and obeys TZ (which is how a container is told its zone).
"""

from __future__ import annotations

import os
from datetime import datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from taxietl.schedule.definition import Starter

LOCALTIME = Path("/etc/localtime")


def zone_of(starter: Starter, *, localtime: Path = LOCALTIME) -> tzinfo:
    """The zone in which that starter reads times."""
    named = os.environ.get("TZ", "").removeprefix(":") if starter is Starter.RUN else ""
    if named:
        try:
            return ZoneInfo(named)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            # A rule such as XYZ3, or none that is known: what the system makes of it today.
            return datetime.now().astimezone().tzinfo or ZoneInfo("UTC")
    try:
        with localtime.open("rb") as file:
            return ZoneInfo.from_file(file, key=_name(localtime))
    except (OSError, ValueError):
        return ZoneInfo("UTC")  # as the C library takes it


def zone_name(zone: tzinfo) -> str:
    """What people call it: `America/New_York`, or `EST` where that is all that is known."""
    return getattr(zone, "key", None) or datetime.now(zone).tzname() or "UTC"


def _name(localtime: Path) -> str | None:
    """By the file that it is a link to."""
    _, found, name = str(localtime.resolve()).partition("/zoneinfo/")
    return name if found else None
