"""One run of a schedule's command, under the schedule's lock, with its outcome recorded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from taxietl.config.secrets import SecretReference
from taxietl.errors import ConfigError, TryLaterError
from taxietl.filelock import FileLock, is_locked, try_lock
from taxietl.schedule import outcomes
from taxietl.schedule.definition import Schedule, Starter, folder_of
from taxietl.schedule.outcomes import Outcome, Result
from taxietl.schedule.pings import ping

Now = Callable[[], datetime]
Tell = Callable[[Schedule, Outcome], None]
"""Tells somebody of a failure, once; it is logged anyway."""

_PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LINES_SHOWN = 100


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def untold(_schedule: Schedule, _outcome: Outcome) -> None:
    """Nobody is told."""


def execute(schedule: Schedule, *, now: Now = utc_now, tell: Tell = untold) -> Outcome:
    """Run the command once and record what came of it.

    SIGTERM and SIGINT are passed on to the command, which is then waited for.

    Raises:
        TryLaterError: the schedule is running already.
        ConfigError: its folder is gone, or taxietl is not where it was.
    """
    with _locked(schedule) as lock:
        if lock is None:
            raise TryLaterError(
                _running(schedule), hint="It is left alone; this start was one too many."
            )
        before = _report_crash(schedule, tell)
        started = Outcome(
            Result.RUNNING,
            now(),
            pid=os.getpid(),
            succeeded_at=before.succeeded_at if before else None,
            late_in_a_row=before.late_in_a_row if before else 0,
            invocation=os.environ.get("INVOCATION_ID"),
        )
        outcomes.write(schedule.home, schedule.name, started)
        try:
            code, child = _run(schedule, lock)
        except ConfigError as error:
            _settle(schedule, started.ended(error.exit_code, now()), tell)
            raise
        ended = replace(started.ended(code, now()), child=child)
        _settle(schedule, ended, tell)
        if schedule.ping and ended.result is Result.DONE:
            kind, _, place = schedule.ping.partition(":")
            ping(SecretReference(kind, place), schedule.name)  # type: ignore[arg-type]
        return ended


def report_failure(
    schedule: Schedule, environment: Mapping[str, str], *, now: Now = utc_now, tell: Tell = untold
) -> Outcome | None:
    """Record and tell what the run itself could not; for the unit's `OnFailure=`.

    Args:
        environment: where systemd (251 and newer) says which start of the service failed, and how.

    Returns:
        The last run; None while another one is in progress.
    """
    with _locked(schedule) as lock:
        if lock is None:
            return None
        last = _report_crash(schedule, tell)
        invocation = environment.get("MONITOR_INVOCATION_ID")
        if invocation and (last is None or last.invocation != invocation):
            # It did not come as far as the start of the command.
            status = environment.get("MONITOR_EXIT_STATUS", "")
            began = Outcome(
                Result.RUNNING,
                now(),
                succeeded_at=last.succeeded_at if last else None,
                invocation=invocation,
            )
            last = began.ended(int(status) if status.isdecimal() else 1, now())
            _settle(schedule, last, tell)
        return last


def last_outcome(home: Path, name: str) -> Outcome | None:
    """The last run as it is now: one whose process is gone has crashed."""
    last = outcomes.read(home, name)
    if last and last.result is Result.RUNNING and not is_locked(lock_file(home, name)):
        # It may have ended between the two looks.
        last = outcomes.read(home, name)
        if last and last.result is Result.RUNNING:
            return replace(last, result=Result.CRASHED)
    return last


def lock_file(home: Path, name: str) -> Path:
    """Locked while the schedule runs."""
    return folder_of(home) / f"{name}.lock"


def output_file(home: Path, name: str) -> Path:
    """What the last run under cron printed, which would be mailed or lost."""
    return folder_of(home) / f"{name}.log"


@contextmanager
def _locked(schedule: Schedule) -> Iterator[FileLock | None]:
    lock = try_lock(lock_file(schedule.home, schedule.name))
    try:
        yield lock
    finally:
        if lock:
            lock.release()


def _running(schedule: Schedule) -> str:
    last = outcomes.read(schedule.home, schedule.name)
    since = f" since {last.started_at.astimezone():%Y-%m-%d %H:%M:%S}" if last else ""
    pid = f", process {last.pid}" if last and last.pid else ""
    return f"Schedule {schedule.name!r} is running{since}{pid}."


def _report_crash(schedule: Schedule, tell: Tell) -> Outcome | None:
    """The last run; if it was killed before it could say how it ended, that is told now."""
    last = outcomes.read(schedule.home, schedule.name)
    if last and last.result is Result.RUNNING:
        last = replace(last, result=Result.CRASHED, late_in_a_row=0)
        _settle(schedule, last, tell)
    return last


def _settle(schedule: Schedule, outcome: Outcome, tell: Tell) -> None:
    outcomes.write(schedule.home, schedule.name, outcome)
    if outcomes.is_failure(outcome):
        outcomes.failed(schedule, outcome)
        tell(schedule, outcome)


def _run(schedule: Schedule, lock: FileLock) -> tuple[int, int]:
    """The exit code of the command, of one killed by a signal as shells count; its process."""
    path = output_file(schedule.home, schedule.name)
    kept = path.open("wb") if schedule.starter is Starter.CRON else nullcontext()
    with kept as output, _passing_signals() as pass_to:
        try:
            child = subprocess.Popen(
                [*schedule.line, *schedule.command],
                cwd=schedule.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[lock.descriptor],  # held as long as it lives, should we be killed
                process_group=0,  # else a terminal's Ctrl-C would reach it twice
            )
        except OSError as error:
            raise ConfigError(
                f"Schedule {schedule.name!r} cannot start: {error.filename}: {error.strerror}.",
                hint="If taxietl or the folder has moved, add the schedule again: "
                f"taxietl schedule add {schedule.name} --force …",
            ) from error
        pass_to(child)
        code = child.wait()
    code = 128 - code if code < 0 else code
    if output and code not in (0, TryLaterError.exit_code):
        _show(path)  # cron mails it
    return code, child.pid


@contextmanager
def _passing_signals() -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
    """Pass on to a child what this process is sent, also what came before there was one."""
    children: list[subprocess.Popen[bytes]] = []
    sent: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        sent.append(number)
        for child in children:
            child.send_signal(number)

    def pass_to(child: subprocess.Popen[bytes]) -> None:
        early = list(sent)
        children.append(child)
        for number in early:
            child.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in _PASSED_ON}
    try:
        yield pass_to
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _show(path: Path) -> None:
    with path.open(encoding="utf-8", errors="replace") as file:
        sys.stderr.writelines(deque(file, maxlen=_LINES_SHOWN))
