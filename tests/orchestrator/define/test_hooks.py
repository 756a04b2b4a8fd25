from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from punctual import check_in_time

from taxietl.errors import ConfigError
from taxietl.orchestrator import (
    Cache,
    Engine,
    Run,
    TaskRun,
    current_run,
    flow,
    get_run_logger,
    task,
)

EVENTS = ("on_completion", "on_failure", "on_crash", "on_cancel")


def noting(into: list[tuple[str, Any]]) -> dict[str, Any]:
    """A hook for each event, that notes what it is called with."""
    return {event: [lambda ended, event=event: into.append((event, ended))] for event in EVENTS}


def end(how: str) -> int:
    if how == "on_failure":
        raise OSError("cut")
    if how == "on_crash":
        raise SystemExit(3)
    run = current_run()
    if how == "on_cancel" and run is not None:
        run.cancellation.request("Enough.")
        run.cancellation.check()
    return 5


@pytest.mark.parametrize("event", EVENTS)
def test_a_flows_hooks_are_called_with_the_run_that_ended(engine: Engine, event: str) -> None:
    told: list[tuple[str, Run[int]]] = []

    @flow(name="Work", run_name="worker", **noting(told))
    def work(how: str) -> int:
        return end(how)

    run = engine.run(work, event)

    ((name, ended),) = told
    assert name == event
    assert (ended.id, ended.name, ended.flow_name) == (run.id, "worker", "Work")
    assert (ended.state, ended.error) == (run.state, run.error)
    assert ended.parameters == {"how": event}
    if event == "on_completion":
        assert ended.result() == 5


@pytest.mark.parametrize("event", EVENTS)
def test_a_tasks_hooks_are_called_with_the_task_run_that_ended(engine: Engine, event: str) -> None:
    told: list[tuple[str, TaskRun]] = []

    @task(retries=1, **noting(told))
    def work(how: str) -> int:
        return end(how)

    @flow(run_name="worker")
    def around(how: str) -> int:
        return work(how)

    run = engine.run(around, event)

    ((name, ended),) = told
    (kept,) = engine.history.task_runs(run.id)
    assert name == event
    assert (ended.id, ended.name, ended.task_name) == (kept.id, "work-0", "work")
    assert (ended.run_id, ended.run_name, ended.flow_name) == (run.id, "worker", "around")
    assert (ended.state, ended.error) == (kept.state, run.error)
    assert ended.attempts == (2 if event == "on_failure" else 1)
    assert ended.parameters == {"how": event}


def test_a_kept_result_completes_too(engine: Engine) -> None:
    told: list[tuple[str, TaskRun]] = []

    @task(cache=Cache(), **noting(told))
    def work() -> int:
        return 5

    engine.run(flow(lambda: work() + work()))

    assert [(event, ended.state.name) for event, ended in told] == [
        ("on_completion", "Completed"),
        ("on_completion", "Cached"),
    ]


def test_the_state_is_stored_before_a_hook_is_called(engine: Engine) -> None:
    seen: list[str] = []

    def look(run: Run[None]) -> None:
        seen.append(engine.history.run(run.id).state.name)

    engine.run(flow(on_completion=[look])(lambda: None))

    assert seen == ["Completed"]


def test_a_hook_that_raises_is_logged_and_keeps_nobody_from_their_turn(engine: Engine) -> None:
    told: list[tuple[str, Any]] = []

    def broken(ended: object) -> None:
        raise ConnectionError("no mail server")

    @task(on_completion=[broken, *noting(told)["on_completion"]])
    def work() -> int:
        return 5

    run = engine.run(flow(on_completion=[broken])(lambda: work()))

    warnings = [each for each in engine.history.logs(run.id) if each.level == "WARNING"]
    (task_run,) = engine.history.task_runs(run.id)
    assert run.result() == 5
    assert len(told) == 1
    assert [each.task_run_id for each in warnings] == [task_run.id, None]
    assert all("broken failed: ConnectionError: no mail" in each.message for each in warnings)


def test_what_a_hook_logs_is_in_the_runs_log(engine: Engine) -> None:
    run = engine.run(flow(on_completion=[lambda run: get_run_logger().info("sent")])(lambda: 1))

    assert "sent" in [each.message for each in engine.history.logs(run.id)]


@pytest.mark.parametrize("hooks", [print, [print, "mail"], ["mail"]], ids=str)
@pytest.mark.parametrize("decorator", [flow, task])
def test_what_cannot_be_called_is_refused(decorator: Any, hooks: Any) -> None:
    with pytest.raises(ConfigError, match="not a list of callables"):
        decorator(on_failure=hooks)(lambda: None)


SCRIPT = """
import signal, sys, time
from pathlib import Path
from taxietl.errors import Cancelled
from taxietl.orchestrator import Engine, flow, task

signal.signal(signal.SIGINT, signal.default_int_handler)

@task(on_cancel=[lambda task_run: print("told of", task_run.name, flush=True)])
def loop() -> None:
    print("ready", flush=True)
    while True:
        pass

@flow(on_cancel=[lambda run: print("told of", run.name, flush=True)], run_name="worker")
def work() -> None:
    loop()

try:
    Engine(Path(sys.argv[1])).run(work).result()
except Cancelled as error:
    sys.exit(error.exit_code)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
def test_a_ctrl_c_calls_the_hooks_within_two_seconds(tmp_path: Path) -> None:
    def attempt(turn: int) -> float:
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(tmp_path / str(turn))],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.1)
            sent = time.monotonic()
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=20)
        finally:
            process.kill()
        seconds = time.monotonic() - sent

        assert process.returncode == 130
        assert out == "told of loop-0\ntold of worker\n"
        return seconds

    check_in_time(2, attempt)


def test_a_task_that_never_began_tells_nobody(engine: Engine) -> None:
    told: list[tuple[str, Any]] = []

    @task
    def fail() -> int:
        raise OSError("cut")

    @task(**noting(told))
    def after(number: int) -> int:
        return number

    @flow
    def work() -> None:
        after.submit(fail.submit())

    engine.run(work)

    assert told == []
