"""Who listens is told of each top-level run that ended, and of each crash once."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from runs_at_hand import Clock, double

from taxietl.errors import Cancelled, TaxietlError
from taxietl.orchestrator import Engine, History, Run, flow

SLEEPER = """
import sys, time
from pathlib import Path
from taxietl.orchestrator import Engine, attach_event, configure_logging, flow

@flow(run_name="sleeper")
def sleeper() -> None:
    attach_event("late")
    print("ready", flush=True)
    time.sleep(60)

configure_logging(40)
Engine(Path(sys.argv[1])).run(sleeper)
"""


class Listening:
    """Keeps what it is told of: names, states, errors."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    def __call__(self, runs: Sequence[Run[Any]], history: History) -> None:
        for run in runs:
            assert history.run(run.id).name == run.name
            self.told.append((run.name, run.state.name, type(run.error).__name__))


@flow(run_name="parent")
def parent(how: str) -> None:
    double(1)
    child(how)


@flow(run_name="child")
def child(how: str) -> None:
    if how == "fails":
        raise ValueError(how)
    if how == "stops":
        raise Cancelled(how)


@pytest.fixture
def crashed(home: Path) -> Path:
    """A home with a run whose process was killed."""
    with subprocess.Popen(
        [sys.executable, "-c", SLEEPER, str(home)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.kill()
    return home


@pytest.mark.parametrize(
    ("how", "state", "error"),
    [
        ("ends", "Completed", "NoneType"),
        ("fails", "Failed", "ValueError"),
        ("stops", "Cancelled", "Cancelled"),
    ],
)
def test_a_top_level_run_is_told_of_when_it_ended(
    home: Path, how: str, state: str, error: str
) -> None:
    heard = Listening()
    with Engine(home, on_end=heard) as engine:
        engine.run(parent, how)

    assert heard.told == [("parent", state, error)]


def test_what_a_listener_logs_is_kept_with_the_run_and_its_failure_fails_none(
    home: Path, clock: Clock
) -> None:
    def fails(runs: Sequence[Run[Any]], history: History) -> None:
        raise ConnectionError("postgresql://root:hunter2@h/db is gone")

    with Engine(home, clock=clock, on_end=fails) as engine:
        run = engine.run(parent, "ends")
        line = engine.history.logs(run.id)[-1]

    assert run.state.name == "Completed"
    assert (line.level, line.logger) == ("WARNING", "taxietl.engine")
    assert line.message == (
        "Telling that 'parent' ended failed: ConnectionError: "
        "postgresql://root:**********@h/db is gone"
    )


def test_a_run_whose_end_cannot_be_stored_is_told_of_as_crashed(home: Path) -> None:
    heard: list[tuple[str, str]] = []

    def hear(runs: Sequence[Run[Any]], history: History) -> None:
        heard.extend((each.state.name, each.state.message) for each in runs)

    with Engine(home, on_end=hear) as engine:

        @flow
        def full() -> None:
            engine.history.database.connection().execute("PRAGMA query_only = ON")

        with pytest.raises(TaxietlError):
            engine.run(full)
        engine.history.database.connection().execute("PRAGMA query_only = OFF")

    [(state, message)] = heard
    assert state == "Crashed"
    assert message.startswith("ConfigError: The folder ")


def test_a_crash_is_told_once_by_whoever_starts_next(crashed: Path) -> None:
    heard = Listening()
    with History.opened(crashed) as history:  # marks it as crashed, and has nobody to tell
        assert history.run("sleeper").state.name == "Crashed"
    start = threading.Barrier(4)

    def begin() -> None:
        start.wait()
        Engine(crashed, on_end=heard).close()

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    Engine(crashed, on_end=heard).close()

    assert heard.told == [("sleeper", "Crashed", "NoneType")]


def test_a_crash_that_nobody_listened_for_is_not_told_later(crashed: Path) -> None:
    heard = Listening()

    Engine(crashed).close()
    Engine(crashed, on_end=heard).close()

    assert heard.told == []
