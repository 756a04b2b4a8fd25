"""Starts commands that run flows, each in a process that outlives this one."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import IO

from taxietl.errors import ConfigError, TryLaterError
from taxietl.orchestrator.query.browsing import run_of_process
from taxietl.ui.dashboard import Dashboard

PATIENCE_SECONDS = 20.0
"""So long a run may take to begin."""
LOOK_SECONDS = 0.05


def begun(dashboard: Dashboard, command: Sequence[str]) -> str:
    """Start a command that runs a flow; gives the page of its run as soon as that has begun.

    Raises:
        ConfigError: the command ended before; with what it said.
        TryLaterError: nothing has come of it for long.
    """
    since = datetime.now(UTC)
    # A file, not a pipe: the command goes on when nobody reads it any more.
    with tempfile.TemporaryFile() as answer:
        line = [sys.executable, "-m", "taxietl", *dashboard.options, *command, "--json", "--quiet"]
        process = subprocess.Popen(
            line,
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        threading.Thread(target=process.wait, daemon=True).start()  # lest it be a zombie
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            has_ended = process.poll() is not None
            if run_id := run_of_process(dashboard.history, process.pid, since):
                return f"/runs/{run_id}"
            if has_ended:
                return _without_run(answer, process.returncode)
            time.sleep(LOOK_SECONDS)
    raise TryLaterError(
        "The run has not begun yet.", hint="It will be among the runs as soon as it has."
    )


def _without_run(answer: IO[bytes], code: int) -> str:
    """What a command said that began no run."""
    answer.seek(0)
    try:
        said = json.loads(answer.read())
    except ValueError:
        said = {}
    if error := said.get("error"):
        raise ConfigError(error["message"], hint=error["hint"])
    if "run" in said:  # nothing was to be done
        return f"/runs/{said['run']['id']}"
    raise ConfigError(f"The command ended with exit code {code}, and said nothing.")
