"""Asking a run of another process to stop, and hearing that one's own was asked.

The request is a file beside the run's lock, which the run looks for while it works: no signal
reaches a process in another container that shares the home, a file does. A process that does
not hear it gets SIGTERM, if it is certain that it is that process.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from taxietl.errors import ConfigError, TryLaterError
from taxietl.orchestrator.store.database import translated
from taxietl.orchestrator.store.liveness import process_start
from taxietl.replacing import replacing

if TYPE_CHECKING:
    from taxietl.orchestrator.store.history import History
    from taxietl.orchestrator.store.rows import RunRow

SIGNAL_AFTER_SECONDS = 3.0
"""A run that hears the request ends within two seconds, cleaning up included."""
GIVE_UP_AFTER_SECONDS = 15.0
POLL_SECONDS = 0.1
START_TOLERANCE_SECONDS = 2.0
"""A process's start is counted from the boot; the clock may have been set since."""


def request_path(home: Path, root_id: str) -> Path:
    """Where a request to stop that run is written."""
    return home / "runs" / f"{root_id}.cancel"


def requested(home: Path, root_id: str) -> str | None:
    """Why that run was asked to stop; None if it was not."""
    try:
        return request_path(home, root_id).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def withdraw(home: Path, root_id: str) -> None:
    """Remove the request of a run that has ended."""
    with suppress(OSError):
        request_path(home, root_id).unlink(missing_ok=True)


def stop(
    history: History,
    name: str,
    *,
    means: str = "`taxietl runs cancel`",
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[RunRow, bool]:
    """Stop the run of that name, and wait for its end.

    Args:
        name: of the run, or its id.
        means: with what it is stopped, as its last message says.
        sleep: waits between two looks.

    Returns:
        The run as it ended, and whether it was still running when this was called.

    Raises:
        UnknownNameError: there is no such run.
        ConfigError: it is a child run.
        TryLaterError: it does not end.
    """
    run = history.run(name)
    if run.parent_id is not None:
        root = history.run(run.root_id)
        raise ConfigError(
            f"{run.name!r} is a child run of {root.name!r}, and stops with it.",
            hint=f"Cancel that one: {history.handle(root)}",
        )
    if run.state.is_final():
        return run, False
    _ask(history.home, run, means)
    waited, was_signalled = 0.0, False
    while waited < GIVE_UP_AFTER_SECONDS:
        sleep(POLL_SECONDS)
        waited += POLL_SECONDS
        history.reconcile()  # it may have died instead
        if (now := history.run(run.id)).state.is_final():
            return now, True
        if waited >= SIGNAL_AFTER_SECONDS and not was_signalled:
            was_signalled = _terminate(run)
    raise TryLaterError(
        f"Run {run.name!r} (process {run.pid} on {run.host}) has been asked to stop, and does not.",
        hint=f"On {run.host}: kill -9 {run.pid}; then `taxietl runs show {history.handle(run)}`.",
    )


def _ask(home: Path, run: RunRow, means: str) -> None:
    """Write the request; whole or not at all, since it is looked for all the time."""
    who = f"Cancelled by {_user()} with {means} on {socket.gethostname()}."
    path = request_path(home, run.id)
    with translated(path), replacing(path) as beside:
        beside.write_text(who, encoding="utf-8")


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "somebody"


def _terminate(run: RunRow) -> bool:
    """Send SIGTERM to the run's process, if that number still means it, and means it here."""
    if run.host != socket.gethostname() or run.process_start is None or run.pid == os.getpid():
        return False
    started = process_start(run.pid)
    if started is None:
        return False
    if abs((started - run.process_start).total_seconds()) > START_TOLERANCE_SECONDS:
        return False
    with suppress(OSError):
        os.kill(run.pid, signal.SIGTERM)
        return True
    return False
