"""The programs that are asked: systemctl, systemd-analyze, loginctl and crontab, found on PATH."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime

from taxietl.errors import ConfigError, TargetError
from taxietl.schedule.definition import Starter

_TIMEOUT_SECONDS = 60


def run(
    program: str, *arguments: str, given: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a program of the system, in English and without TZ: it is to mean the machine's zone.

    Raises:
        ConfigError: it is not installed.
        TargetError: it does not answer.
    """
    found = shutil.which(program)
    if found is None:
        raise ConfigError(f"There is no program {program} here.", hint=_MISSING[program])
    environment = {name: value for name, value in os.environ.items() if name != "TZ"}
    try:
        return subprocess.run(
            [found, *arguments],
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            check=False,
            timeout=_TIMEOUT_SECONDS,
            env=environment | {"LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TargetError(
            f"{program} does not work: {error}.", hint=f"Try it by hand: {program} --help."
        ) from error


_NO_SYSTEMD = (
    "Without systemd, choose --by cron; in a container --by run, with `taxietl schedule run`."
)
_MISSING = {
    "systemctl": _NO_SYSTEMD,
    "systemd-analyze": _NO_SYSTEMD,
    "loginctl": _NO_SYSTEMD,
    "crontab": "Install cron (Debian: apt-get install cron), or choose --by systemd-user; in a "
    "container --by run, with `taxietl schedule run`.",
}


def systemctl(starter: Starter, *arguments: str) -> None:
    """Ask the manager that starts the schedule.

    Raises:
        ConfigError: there is no systemctl.
        TargetError: it refuses.
    """
    done = run("systemctl", *_scope(starter), *arguments)
    if done.returncode:
        raise TargetError(
            f"systemctl {' '.join(arguments)}: {_last_line(done.stderr)}",
            hint="Nothing was changed. Try it by hand: "
            f"systemctl {' '.join((*_scope(starter), *arguments))}",
        )


def check_systemd(starter: Starter) -> None:
    """Refuse where the manager does not run.

    Raises:
        ConfigError: it does not, or there is no systemctl.
    """
    done = run("systemctl", *_scope(starter), "show", "--property=Version")
    if done.returncode:
        whose = "for this user" if starter is Starter.SYSTEMD_USER else "here"
        raise ConfigError(
            f"systemd does not run {whose}: {_last_line(done.stderr)}", hint=_NO_SYSTEMD
        )


def check_calendar(expression: str) -> None:
    """Refuse what is no time to systemd.

    Raises:
        ConfigError: it is none, or there is no systemd-analyze.
    """
    done = run("systemd-analyze", "calendar", "--", expression)
    if done.returncode:
        raise ConfigError(
            f"--on-calendar {expression!r}: {_last_line(done.stderr)}",
            hint="For instance --on-calendar 'Mon..Fri 05:17'; see `man systemd.time`.",
        )


def next_elapses(expressions: tuple[str, ...], *, times: int = 1) -> list[datetime]:
    """The next times of these, earliest first, as systemd counts them; fewer if it ends."""
    found = set[datetime]()
    for expression in expressions:
        done = run("systemd-analyze", "calendar", f"--iterations={times}", "--", expression)
        found |= _times(done.stdout.decode())
    return sorted(found)[:times]


def is_lingering(user: str) -> bool:
    """Whether the user's manager runs while the user is logged out."""
    try:
        done = run("loginctl", "show-user", user, "--property=Linger", "--value")
    except (ConfigError, TargetError):
        return False
    return done.stdout.strip() == b"yes"


def read_crontab() -> bytes:
    """This user's crontab, empty if there is none.

    Raises:
        ConfigError: there is no program crontab.
        TargetError: it refuses.
    """
    done = run("crontab", "-l")
    if done.returncode == 0:
        return done.stdout
    if b"no crontab" in done.stderr:
        return b""
    raise TargetError(f"crontab -l: {_last_line(done.stderr)}", hint="Try it by hand: crontab -l.")


def write_crontab(text: bytes) -> None:
    """Replace this user's crontab; an empty one is removed.

    Raises:
        TargetError: it refuses; what was there still is.
    """
    done = run("crontab", "-", given=text) if text else run("crontab", "-r")
    if done.returncode:
        raise TargetError(
            f"crontab: {_last_line(done.stderr)}", hint="Nothing was changed. See `crontab -l`."
        )


def _scope(starter: Starter) -> tuple[str, ...]:
    return ("--user",) if starter is Starter.SYSTEMD_USER else ("--system",)


def _last_line(said: bytes) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return (lines[-1].strip() if lines else "no reason given").rstrip(".") + "."


def _times(said: str) -> set[datetime]:
    """The times in what `systemd-analyze calendar` prints; with another zone, those in UTC."""
    pattern = r"(?:Next elapse|Iter\. #\d+|\(in UTC\)): \w{3} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC$"
    return {
        datetime.strptime(each, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        for each in re.findall(pattern, said, re.MULTILINE)
    }
