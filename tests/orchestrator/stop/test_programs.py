"""What a plain task has started is ended with its run; nothing else is."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from taxietl.orchestrator import Engine, History, flow, task
from taxietl.orchestrator.stop.programs import Programs
from taxietl.orchestrator.stop.stopping import stop

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="starts POSIX programs")

SCRIPT = """
import os, subprocess, sys, threading, time
from pathlib import Path
from taxietl.errors import Cancelled
from taxietl.orchestrator import Engine, current_cancellation, flow, task

folder = Path(sys.argv[1])

def note(name, pid):
    (folder / f"{name}.part").write_text(str(pid))
    (folder / f"{name}.part").rename(folder / name)

@task
def wait_for_program():
    program = subprocess.Popen(["sh", "-c", "sleep 600 & echo $!; wait"], stdout=subprocess.PIPE)
    note("inner", int(program.stdout.readline()))
    note("outer", program.pid)
    program.wait()

@task
def leave_behind():
    deaf = "trap '' TERM; echo ready; while :; do sleep 0.1; done"
    program = subprocess.Popen(["sh", "-c", deaf], stdout=subprocess.PIPE)
    program.stdout.readline()
    note("deaf", program.pid)

@task
def clean_up():
    try:
        note("begun", 0)
        current_cancellation().wait(600)
    finally:
        note("cleaned", subprocess.run(["sleep", "0.2"]).returncode)

@flow(run_name="work")
def work():
    leave_behind()
    futures = [wait_for_program.submit(), clean_up.submit()]
    futures[0].result()

before = subprocess.Popen(["sleep", "600"], stderr=subprocess.DEVNULL)
note("before", before.pid)
try:
    Engine(folder / "home").run(work).result()
except Cancelled as error:
    sys.exit(error.exit_code)
"""


def lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def until(is_so: Callable[[], Any]) -> None:
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


class Script:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(folder)], stderr=subprocess.PIPE, text=True
        )

    def pid(self, name: str) -> int:
        path = self.folder / name
        until(lambda: path.exists() or self.process.poll() is not None)
        return int(path.read_text())

    def end(self) -> str:
        _, err = self.process.communicate(timeout=60)
        return err


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Script]:
    script = Script(tmp_path)
    yield script
    script.process.kill()
    for name in ("before", "inner", "outer", "deaf"):
        if (path := tmp_path / name).exists() and lives(int(path.read_text())):
            psutil.Process(int(path.read_text())).kill()


def by_cancel(script: Script) -> None:
    with History.opened(script.folder / "home") as history:
        stop(history, "work")


def by_signal(script: Script) -> None:
    script.process.send_signal(signal.SIGTERM)


@pytest.mark.parametrize("how", [by_cancel, by_signal])
def test_programs_of_plain_tasks_end_with_a_run_that_is_stopped(
    script: Script, how: Callable[[Script], None]
) -> None:
    pids = {name: script.pid(name) for name in ("before", "deaf", "inner", "outer")}
    assert all(map(lives, pids.values()))
    script.pid("begun")

    how(script)
    said = script.end()

    assert script.process.returncode == 143
    assert {name: lives(pid) for name, pid in pids.items()} == {
        **dict.fromkeys(pids, False),
        "before": True,
    }
    assert script.pid("cleaned") == 0  # a program that cleans up is let finish
    with History.opened(script.folder / "home") as history:
        lines = [each.message for each in history.logs(history.run("work").id)]
    (line,) = [each for each in lines if each.startswith("Ended ")]
    assert "programs that it had started: " in line
    for name in ("deaf", "inner", "outer"):
        assert f"({pids[name]})" in line
    assert line in said


def test_a_run_that_is_not_stopped_leaves_its_programs(engine: Engine) -> None:
    @task
    def start() -> Any:
        return subprocess.Popen(["sleep", "600"])

    run = engine.run(flow(lambda: start()))

    program = run.result()
    try:
        assert program.poll() is None
    finally:
        program.kill()
        program.wait()


def test_where_two_runs_share_a_process_nothing_is_ended() -> None:
    with Programs() as one, Programs() as other:
        program = subprocess.Popen(["sleep", "600"])
        assert (one.end(), other.end()) == ([], [])
        assert program.poll() is None
    with Programs() as alone:
        assert alone.end() == []  # it was there before
        program.kill()
        program.wait()
        program = subprocess.Popen(["sleep", "600"])
        assert alone.end() == [f"sleep ({program.pid})"]
    assert program.wait() == -signal.SIGTERM
