"""One process that acts out a scenario: its home, its engine with fakes, and what it does.

A flow that is resumed is loaded anew, so what its tasks share with the process is kept here. What
is called is written into a file, too, which outlives a killed process.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from commit_trace import Trace, dumped, watch
from runs_at_hand import Clock

from taxietl.errors import ConfigError
from taxietl.orchestrator import Engine, Run, configure_logging

CALLS = "GOLDEN_CALLS"
"""The environment variable that names the file of calls."""

trace: Trace | None = None
"""Of this process; None in the process of an isolated task."""

events: dict[str, threading.Event] = {}
"""For threads to wait for each other."""


def called(name: str, **arguments: object) -> int:
    """Note that a task was called; how often that call was made, now included."""
    line = f"{name} {dumped(arguments)}"
    with Path(os.environ[CALLS]).open("a+") as file:
        file.write(f"{line}\n")
        file.flush()
        file.seek(0)
        times = file.read().splitlines().count(line)
    note(f"called: {line}")
    return times


def note(text: str) -> None:
    if trace is not None:
        trace.note(text)


def until(is_so: Callable[[], bool]) -> None:
    """Wait for what another thread is about to do."""
    ends = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < ends, "the other thread did not do it"
        time.sleep(0.002)


def shown(text: str) -> bool:
    return trace is not None and any(
        line.startswith("shown: ") and text in line for line in trace.text.splitlines()
    )


class World:
    """One process, with a home of its own; or of another one that came before it.

    Args:
        folder: with the home, and all else that the scenario leaves behind.
        options: of the engine.
        reads_commits: what each commit changed goes into the trace, too.
    """

    def __init__(self, folder: Path, options: dict[str, Any], *, reads_commits: bool) -> None:
        self.folder, self.home = folder, folder / "home"
        self.files = folder / "files"
        self.files.mkdir(exist_ok=True)
        self.clock = Clock()
        self.trace = Trace(self.home, self.clock())
        self.ended: Run[Any] | None = None
        self._options, self._reads_commits = options, reads_commits
        os.environ[CALLS] = str(folder / "calls.txt")
        globals()["trace"] = self.trace
        events.update({name: threading.Event() for name in ("begun", "submitted", "held")})
        configure_logging(stream=self.trace)  # type: ignore[arg-type]

    def run(self, flow: Any, *args: Any) -> None:
        """Run it, by an engine of its own."""
        with self._engine() as engine:
            self._end(lambda: engine.run(flow, *args))

    def resume(self, name: str) -> None:
        """Go on with it, by an engine of its own."""
        with self._engine() as engine:
            self._end(lambda: engine.resume(name))

    def resume_last(self) -> bool:
        """Go on with the run that was begun last; False if there is none."""
        with self._engine() as engine:
            names = [run.name for run in engine.history.runs(limit=100) if not run.parent_id]
            if names:
                self._end(lambda: engine.resume(names[0]))
        return bool(names)

    def repair(self) -> None:
        """From now on, what failed would go well."""
        (self.files / "published").touch()

    def _engine(self) -> Engine:
        """One with the fakes."""
        if self._reads_commits:
            watch(self.trace, self.home / "history.db")
        given = {"workers": 1, **self._options}
        clock = self.clock
        return Engine(self.home, clock=clock, sleep=clock.sleep, rng=random.Random(1), **given)

    def _end(self, act: Callable[[], Run[Any] | None]) -> None:
        try:
            self.ended = act()
        except ConfigError as error:
            self.trace.note(f"refused: {error} {error.hint}")
            return
        self.trace.note(f"ended: {outcome(self.ended)}")


def outcome(ended: Run[Any] | None) -> str:
    """How a run ended, and what it gave."""
    if ended is None:
        return "nothing to do"
    if ended.error is not None:
        return f"{ended.state} {ended.error!r}"
    return f"{ended.state} {ended.result()!r}"
