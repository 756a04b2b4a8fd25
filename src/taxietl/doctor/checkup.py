"""The list of all checks of a set-up, in the order they are shown."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from taxietl.config import Settings
from taxietl.doctor.alerts import alert_checks
from taxietl.doctor.configuration import configuration_checks
from taxietl.doctor.examination import Check
from taxietl.doctor.history import history_checks
from taxietl.doctor.places import FreeBytes, disk_check, home_check
from taxietl.doctor.profiles import profile_check
from taxietl.doctor.schedules import schedule_checks
from taxietl.doctor.sources import source_checks
from taxietl.doctor.versions import versions_check
from taxietl.errors import ConfigError


def utc_now() -> datetime:
    """This machine's clock."""
    return datetime.now(UTC)


def free_bytes(folder: Path) -> int:
    """What is free for this user where a folder lies."""
    return shutil.disk_usage(folder).free


def checks_of(
    settings: Settings | ConfigError,
    home: Path,
    *,
    free_bytes: FreeBytes = free_bytes,
    now: Callable[[], datetime] = utc_now,
) -> list[Check]:
    """The checks of a set-up.

    Args:
        settings: those in force, or what is wrong with them: then what they name is left out.
        home: the home folder.
        free_bytes: tells the room on a disk.
        now: this machine's clock.
    """
    checks = [*configuration_checks(settings), home_check(home), *history_checks(home, now)]
    if not isinstance(settings, ConfigError):
        checks.append(disk_check(settings, free_bytes))
        checks += [profile_check(each, home) for _, each in sorted(settings.profiles.items())]
        checks += [*source_checks(settings, now), *alert_checks(settings)]
    return [*checks, *schedule_checks(home, now), versions_check()]
