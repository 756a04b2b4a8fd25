"""Processes that act out a scenario: each a fork of one that has loaded all there is to load.

An interpreter that imports taxietl takes some 0.3 s to start, a fork of it some milliseconds. The
one that forks has no thread but its main one, and no open file of a history.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from typing import Any

LONGEST_SECONDS = 60


class Processes:
    """Begins processes, one after the other; use as a context."""

    def __enter__(self) -> Processes:
        self._parent = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *exception: object) -> None:
        self._parent.communicate()

    def run(self, what: str, folder: Path, **given: Any) -> dict[str, Any]:
        """Have one do that, to its end: what it tells, and the `signal` that has killed it."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        print(json.dumps([what, str(folder), given]), file=self._parent.stdin, flush=True)
        told: dict[str, Any] = json.loads(self._parent.stdout.readline())
        if "error" in told:
            raise AssertionError(f"{what} {given}: {told['error']}")
        return told


def _serve() -> None:
    """What the one that forks does."""
    import commit_trace

    commit_trace.install()

    # What is loaded at its first use is loaded here, and not by each fork.
    with tempfile.TemporaryDirectory() as folder:
        for scenario in ("plain", "read-again", "resumed"):
            (Path(folder) / scenario).mkdir()
            world, plan = _world(Path(folder) / scenario, scenario)
            plan.steps(world)
    commit_trace.forget()
    assert threading.active_count() == 1
    gc.freeze()  # or each fork would copy all that a collection looks at
    for line in sys.stdin:
        what, folder, given = json.loads(line)
        reading, writing = os.pipe()
        process = os.fork()
        if not process:
            signal.alarm(LONGEST_SECONDS)
            os.close(reading)
            _act(what, Path(folder), given, writing)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            told = pipe.read()
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        answer = json.loads(told or "{}") | {"signal": -status if status < 0 else 0}
        print(json.dumps(answer), flush=True)


def _act(what: str, folder: Path, given: dict[str, Any], writing: int) -> None:
    """What a forked one does; it does not return."""
    try:
        output = os.open(folder / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        told = globals()[f"_{what}"](folder, **given)
    except BaseException:  # noqa: BLE001 - told to the one that asked
        told = {"error": traceback.format_exc()}
    with os.fdopen(writing, "w") as pipe:
        pipe.write(json.dumps(told))
    sys.stdout.flush()
    os._exit(0)


def _world(folder: Path, scenario: str, *, reads_commits: bool = False) -> tuple[Any, Any]:
    import golden_flows
    import golden_world

    plan = golden_flows.SCENARIOS[scenario]
    return golden_world.World(folder, plan.options, reads_commits=reads_commits), plan


def _prepare(folder: Path, scenario: str) -> dict[str, Any]:
    """What came before the scenario."""
    world, plan = _world(folder, scenario)
    if plan.before is not None:
        plan.before(world)
    return {}


def _trace(folder: Path, scenario: str) -> dict[str, Any]:
    """The whole scenario: what happened, and how it ended."""
    import commit_trace
    import golden_world

    world, plan = _world(folder, scenario, reads_commits=True)
    plan.steps(world)
    return {
        "text": world.trace.text,
        "outcome": golden_world.outcome(world.ended),
        "commits": commit_trace.commits(),
    }


def _killed(folder: Path, scenario: str, commit: int, before: bool) -> dict[str, Any]:
    """The scenario, until just after that commit of its, or just before it."""
    import commit_trace

    world, plan = _world(folder, scenario)
    commit_trace.kill_at(commit, before=before)
    plan.steps(world)
    return {}


def _resumed(folder: Path, scenario: str, commit: int = 0, before: bool = False) -> dict[str, Any]:
    """What a killed process left, brought to its end: how it ended; or until that commit."""
    import commit_trace
    import golden_world

    world, plan = _world(folder, scenario)
    commit_trace.kill_at(commit, before=before)
    world.repair()
    if not world.resume_last():
        plan.steps(world)
    return {"outcome": golden_world.outcome(world.ended)}


def _after(folder: Path, scenario: str) -> dict[str, Any]:
    """A run that needs a slot of the limited tag, and waits for ever if none is free."""
    import golden_flows
    import golden_world

    world, _ = _world(folder, scenario)
    world.run(golden_flows.wanting)
    return {"outcome": golden_world.outcome(world.ended)}


if __name__ == "__main__":
    _serve()
