"""Cron expressions: checked field by field, their next times, and the same as systemd writes them.

The times are cronsim's, which follows Debian's cron through both changes of the clock: what is due
in the hour that is left out runs right after it, and in the hour that comes twice what has a fixed
hour runs once. (A timer of systemd's skips the former.)
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from taxietl.errors import ConfigError
from taxietl.schedule.definition import When

if TYPE_CHECKING:
    from cronsim import CronSim

_FIELDS = {
    "minute": "0-59",
    "hour": "0-23",
    "day of month": "1-31",
    "month": "1-12 or JAN-DEC",
    "day of week": "0-7 or SUN-SAT",
}
_SHORT = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_MINUTES = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)
_HOURS = (1, 2, 3, 4, 6, 8, 12, 24)
_DAYS = "Sun Mon Tue Wed Thu Fri Sat".split()
_ANY_TIME = datetime(2024, 1, 1, tzinfo=UTC)
"""Where to begin when only the form of an expression matters."""


def from_cron(given: str) -> When:
    """The times of a cron expression, or of a short form such as `@daily`.

    Raises:
        ConfigError: names each field that is wrong.
    """
    expression = _SHORT.get(given.strip().lower(), " ".join(given.split()))
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        raise ConfigError(
            f"--cron {given!r} has {len(fields)} fields instead of five.",
            hint=f"They are: {', '.join(_FIELDS)}; for instance --cron '17 5 * * *', daily at "
            f"05:17. Short forms: {', '.join(_SHORT)}.",
        )
    wrong = [name for index, name in enumerate(_FIELDS) if not _is_right(index, fields[index])]
    if wrong:
        said = ", ".join(f"{name} ({fields[list(_FIELDS).index(name)]})" for name in wrong)
        raise ConfigError(
            f"--cron {given!r} is wrong in: {said}.",
            hint="; ".join(f"{name}: {_FIELDS[name]}" for name in wrong)
            + "; lists 1,15, ranges 1-5 and steps */10 are allowed.",
        )
    when = When(cron=expression, given=given.strip())
    if next_time(expression, _ANY_TIME, UTC) is None:
        raise ConfigError(
            f"--cron {given!r} never comes: no month has that day.",
            hint="Choose another day of month or month.",
        )
    return when


def from_interval(given: str) -> When:
    """The times of an interval that divides an hour or a day: `15m`, `6h`, `1d`.

    Raises:
        ConfigError: it is none, or does not divide them.
    """
    match = re.fullmatch(r"(\d{1,4})\s*(m|min|h|d)", given.strip())
    amount, unit = (int(match[1]), match[2]) if match else (0, "")
    minutes = amount * {"m": 1, "min": 1, "h": 60, "d": 1440}.get(unit, 0)
    said = f"every {given.strip()}"
    if minutes in _MINUTES:
        return When(cron=f"*/{minutes} * * * *" if minutes > 1 else "* * * * *", given=said)
    hours, rest = divmod(minutes, 60)
    if hours in _HOURS and not rest:
        hour = {1: "*", 24: "0"}.get(hours, f"*/{hours}")
        return When(cron=f"0 {hour} * * *", given=said)
    raise ConfigError(
        f"--every {given!r} does not divide an hour or a day into equal parts.",
        hint=f"Minutes: {', '.join(f'{each}m' for each in _MINUTES)}; hours: "
        f"{', '.join(f'{each}h' for each in _HOURS[:-1])}; 1d. For other times: --cron.",
    )


def next_time(expression: str, after: datetime, zone: tzinfo) -> datetime | None:
    """The first time after that one, in UTC; None if none ever comes.

    Args:
        after: with its zone.
        zone: what the expression's hours and days are counted in.
    """
    try:
        times = _parsed(expression, after.astimezone(zone))
        found = (each.astimezone(UTC) for each in times)
        # From within the hour that comes twice, the time of its first pass may be found.
        return next((each for each in found if each > after), None)
    except ValueError:  # so is a day told that no month has
        return None


def some_times(expression: str, count: int) -> list[datetime]:
    """So many of its times in a row, if there are as many; from anywhen, and in UTC."""
    found = [_ANY_TIME]
    while len(found) <= count and (following := next_time(expression, found[-1], UTC)):
        found.append(following)
    return found[1:]


def on_calendar(expression: str) -> tuple[str, ...]:
    """The same times as systemd writes them.

    cron takes a day that fits the day of month *or* the day of week where neither begins with `*`,
    systemd only takes both: then there are two lines, and a timer elapses at either.
    """
    parsed = _parsed(expression, _ANY_TIME)
    clock = f"{_values(parsed.hours, 0, 23)}:{_values(parsed.minutes, 0, 59)}:00"
    month, day = _values(parsed.months, 1, 12), _values(parsed.days, 1, 31)
    week = sorted({int(str(each)) % 7 for each in parsed.weekdays})
    weekdays = "" if len(week) == len(_DAYS) else ",".join(_DAYS[each] for each in week) + " "
    if parsed.day_and:
        return (f"{weekdays}*-{month}-{day} {clock}",)
    return (f"*-{month}-{day} {clock}", f"{weekdays}*-{month}-* {clock}")


def _values(found: set[int], first: int, last: int) -> str:
    """`*`, or the values in order, three or more in a row as a range."""
    if found >= set(range(first, last + 1)):
        return "*"
    runs: list[list[int]] = []
    for each in sorted(found):
        if runs and each == runs[-1][-1] + 1:
            runs[-1].append(each)
        else:
            runs.append([each])
    return ",".join(
        f"{run[0]:02d}..{run[-1]:02d}" if len(run) > 2 else ",".join(f"{one:02d}" for one in run)
        for run in runs
    )


def _is_right(index: int, field: str) -> bool:
    fields = ["*"] * len(_FIELDS)
    fields[index] = field
    try:
        parsed = _parsed(" ".join(fields), _ANY_TIME)
    except ValueError:
        return False
    # "The last" and "the third Monday" are cronsim's own: no cron and no timer has them.
    return min(parsed.days) > 0 and all(isinstance(each, int) for each in parsed.weekdays)


def _parsed(expression: str, after: datetime) -> CronSim:
    """What cronsim makes of it.

    Raises:
        ValueError: it is wrong.
        ConfigError: cronsim is not installed.
    """
    try:
        from cronsim import CronSim, CronSimError
    except ImportError as error:
        raise ConfigError(
            "Schedules need the package cronsim, which is not installed.",
            hint="Install it: pip install 'taxietl[schedule]' "
            "(or: uv tool install 'taxietl[schedule]').",
        ) from error
    try:
        return CronSim(expression, after)
    except CronSimError as error:
        raise ValueError(str(error)) from error
