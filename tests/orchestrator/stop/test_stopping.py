"""A run is stopped from another process, wherever it is stuck, and says who asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from punctual import check_in_time

from taxietl.errors import ConfigError, TryLaterError, UnknownNameError
from taxietl.orchestrator import Engine, History, flow
from taxietl.orchestrator.stop.stopping import _terminate, request_path, stop
from taxietl.orchestrator.store.liveness import process_start

SCRIPT = """
import socket, sqlite3, sys, threading, time
from pathlib import Path
from taxietl.orchestrator import Engine, configure_logging, current_cancellation, flow, task

@task
def loop() -> None:
    print("ready", flush=True)
    while True:
        time.sleep(0.01)

@task
def wait() -> None:
    print("ready", flush=True)
    current_cancellation().wait(60)

@task
def recv() -> None:
    one, other = socket.socketpair()
    print("ready", flush=True)
    one.recv(1)

@task
def query() -> None:
    print("ready", flush=True)
    sqlite3.connect(":memory:").execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(i) FROM n"
    ).fetchone()

@flow(run_name="child")
def child(name: str) -> None:
    globals()[name]()

@flow(run_name="root")
def root(name: str) -> None:
    child(name)

def start() -> None:
    Engine(Path(sys.argv[1])).run(root, sys.argv[2]).result()

configure_logging(40)
if sys.argv[3] == "thread":
    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
else:
    start()
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    """Starts a run that goes on until it is stopped."""
    started: list[subprocess.Popen[str]] = []

    def start_run(task: str, where: str = "main") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(home), task, where],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield start_run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def history(home: Path) -> Iterator[History]:
    with History.opened(home) as history:
        yield history


@pytest.mark.parametrize(
    ("task", "where"),
    [
        pytest.param("loop", "main", id="loop"),
        pytest.param("recv", "main", id="socket.recv"),
        pytest.param("query", "main", id="database call"),
        pytest.param("wait", "thread", id="off the main thread"),
    ],
)
def test_it_is_cancelled_within_5_seconds_and_says_who_asked(
    start: Start, history: History, home: Path, task: str, where: str
) -> None:
    def attempt(turn: int) -> float:
        number = f"-{turn + 1}" if turn else ""
        process = start(task, where)
        began = time.monotonic()
        run, was_running = stop(history, f"root{number}")
        seconds = time.monotonic() - began

        assert was_running
        assert run.state.name == "Cancelled"
        assert run.state.message.startswith("Cancelled by ")
        assert run.state.message.endswith(f" with `taxietl runs cancel` on {os.uname().nodename}.")
        process.wait(timeout=30)
        assert {each.state.name for each in history.runs()} == {"Cancelled"}
        below = history.task_runs(history.run(f"child{number}").id)
        assert {each.state.name for each in below} == {"Cancelled"}
        assert list((home / "runs").iterdir()) == []
        return seconds

    check_in_time(5, attempt)


def test_the_stopped_process_ends_like_a_terminated_one(start: Start, history: History) -> None:
    process = start("loop")

    stop(history, "root")

    # The script raises what the run's result raises; a command makes of it 143.
    assert process.wait(timeout=30) == 1


def test_an_ended_run_and_a_child_and_nobody(history: History, start: Start) -> None:
    start("loop")

    with pytest.raises(ConfigError, match="'child' is a child run of 'root'") as refused:
        stop(history, "child")
    assert "root" in refused.value.hint
    with pytest.raises(UnknownNameError, match="no run named 'rot'") as unknown:
        stop(history, "rot")
    assert "Did you mean 'root'" in unknown.value.hint
    stop(history, "root")
    run, was_running = stop(history, "root")
    assert (run.state.name, was_running) == ("Cancelled", False)


def test_a_run_that_dies_meanwhile_is_told_as_crashed(start: Start, history: History) -> None:
    process = start("loop")
    os.kill(process.pid, signal.SIGSTOP)

    def kill_at_once(_seconds: float) -> None:
        process.kill()
        process.wait()

    run, was_running = stop(history, "root", sleep=kill_at_once)

    assert (run.state.name, was_running) == ("Crashed", True)


def test_a_process_that_cannot_hear_is_named(start: Start, history: History) -> None:
    process = start("loop")
    os.kill(process.pid, signal.SIGSTOP)

    with pytest.raises(TryLaterError, match="does not") as refused:
        stop(history, "root", sleep=lambda _: None)

    assert f"kill -9 {process.pid}" in refused.value.hint


def test_only_the_very_process_is_sent_a_signal(start: Start, history: History) -> None:
    process = start("loop")
    run = history.run("root")
    assert run.process_start is not None
    assert abs((run.process_start - process_start(process.pid)).total_seconds()) < 1  # type: ignore[operator]

    earlier = run.process_start - timedelta(seconds=60)
    assert not _terminate(replace(run, process_start=earlier))
    assert not _terminate(replace(run, host="another"))
    assert not _terminate(replace(run, process_start=None))
    assert process.poll() is None


def test_a_request_that_nobody_hears_any_more_is_swept(home: Path) -> None:
    with Engine(home) as engine:

        @flow
        def living() -> list[str]:
            for each in (engine.history.runs()[0].id, "dead"):
                request_path(home, each).write_text("")
            with History.opened(home):
                return sorted(path.suffix for path in (home / "runs").iterdir())

        assert engine.run(living).result() == [".cancel", ".lock"]

    assert list((home / "runs").iterdir()) == []
