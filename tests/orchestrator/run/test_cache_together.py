"""The cache between scripts and processes: whose result it is, and who makes it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from taxietl.orchestrator import Cache, Engine, History, flow, task
from taxietl.orchestrator.define.entry import load_flow
from taxietl.orchestrator.query.cache_why import call_of, explain

FETCH = """
import sys, time
from dataclasses import dataclass
from pathlib import Path
from taxietl import Cache, flow, task

@dataclass(frozen=True)
class Month:
    number: int

@task(cache=Cache(){options})
def fetch(month: Month, folder: Path) -> str:
    with (folder / "calls").open("a") as calls:
        calls.write("x")
    while not (folder / "go").exists():
        time.sleep(0.01)
    return "{answer}"

@flow
def work(folder: Path) -> str:
    return fetch(Month(1), folder)

if __name__ == "__main__":
    print(work(Path(sys.argv[1])))
"""
WAITING = "Waiting for the same result, which another call is making."


class Scripts:
    """Scripts in a folder of their own, their home and the processes that run them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "home"
        self.processes: list[subprocess.Popen[str]] = []

    def write(self, name: str, *, answer: str = "a", options: str = "") -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(FETCH.format(answer=answer, options=options))
        return path

    def run_here(self, engine: Engine, path: Path) -> str:
        run = engine.run(load_flow(f"{path}:work"), self.folder)
        return str(run.result())

    def start(self, *command: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *map(str, command)],
            cwd=self.folder,
            env={**os.environ, "TAXIETL_HOME": str(self.home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.processes.append(process)
        return process

    def calls(self) -> int:
        path = self.folder / "calls"
        return len(path.read_text()) if path.exists() else 0

    def await_calls(self, count: int) -> None:
        _until(lambda: self.calls() == count)

    def await_waiting(self, count: int) -> None:
        def waiting() -> int:
            lines = [line for run in history.runs() for line in history.logs(run.id)]
            return sum(line.message == WAITING for line in lines)

        with History.opened(self.home) as history:
            _until(lambda: waiting() == count)


def _until(is_so: Any) -> None:
    until = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture
def scripts(tmp_path: Path) -> Iterator[Scripts]:
    scripts = Scripts(tmp_path)
    yield scripts
    for process in scripts.processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("options", ["", ', version="1"'], ids=["code", "version"])
def test_two_scripts_tasks_of_one_name_do_not_share_results(
    engine: Engine, scripts: Scripts, options: str
) -> None:
    (scripts.folder / "go").touch()
    one = scripts.write("flows.py", options=options, answer="one")
    other = scripts.write("elsewhere/flows.py", options=options, answer="two")

    answers = [scripts.run_here(engine, each) for each in (one, other, one)]

    assert answers == ["one", "two", "one"]
    assert scripts.calls() == 2


@pytest.mark.parametrize(
    ("options", "expected"), [("", "other"), (', version="1"', "old")], ids=["code", "version"]
)
def test_a_changed_body_is_a_miss_unless_a_version_is_given(
    engine: Engine, scripts: Scripts, options: str, expected: str
) -> None:
    (scripts.folder / "go").touch()
    assert scripts.run_here(engine, scripts.write("a.py", options=options, answer="old")) == "old"

    # Of another length: Python takes its compiled file for that of a source of one size and second.
    path = scripts.write("a.py", options=options, answer="other")

    assert scripts.run_here(engine, path) == expected


def test_a_changed_body_is_named_by_cache_why(engine: Engine, scripts: Scripts) -> None:
    (scripts.folder / "go").touch()
    for answer in ("old", "other"):
        scripts.run_here(engine, scripts.write("a.py", answer=answer))

    call, *_ = call_of(engine.history, engine.history.runs()[0].name, "fetch-0")
    found = explain(call, engine.cache.entries("fetch"), engine.clock())

    assert [each.name for each in found.fields if not each.is_same] == ["code"]


def test_a_script_shares_with_itself_however_it_is_run(scripts: Scripts) -> None:
    (scripts.folder / "go").touch()
    path = scripts.write("flows.py")

    for command in (
        [path, scripts.folder],
        ["-m", "taxietl", "run", f"{path}:work", "-p", f"folder={scripts.folder}", "-q"],
    ):
        process = scripts.start(*command)
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0, out

    assert scripts.calls() == 1


def test_two_processes_that_miss_at_once_make_it_once(scripts: Scripts) -> None:
    path = scripts.write("flows.py")
    first = scripts.start(path, scripts.folder)
    scripts.await_calls(1)
    second = scripts.start(path, scripts.folder)
    scripts.await_waiting(1)

    (scripts.folder / "go").touch()

    outputs = [each.communicate(timeout=60)[0] for each in (first, second)]
    assert [out.splitlines()[-1] for out in outputs] == ["a", "a"]
    assert "Finished in state Cached(type=COMPLETED)" in outputs[1]
    assert scripts.calls() == 1


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
def test_who_waits_hears_a_signal_and_makes_it_if_the_other_dies(scripts: Scripts) -> None:
    path = scripts.write("flows.py")
    first = scripts.start(path, scripts.folder)
    scripts.await_calls(1)
    second, third = (scripts.start(path, scripts.folder) for _ in range(2))
    scripts.await_waiting(2)

    second.send_signal(signal.SIGTERM)
    assert "Stopped by SIGTERM." in second.communicate(timeout=60)[0]
    assert scripts.calls() == 1

    first.kill()
    scripts.await_calls(2)
    (scripts.folder / "go").touch()
    assert third.communicate(timeout=60)[0].splitlines()[-1] == "a"


class Making:
    """A cached task that takes until it is let go, called in threads of one run."""

    def __init__(self, **options: Any) -> None:
        self.calls = 0
        self.go, self.begun = threading.Event(), threading.Event()

        @task(name="make", cache=Cache(), **options)
        def make(number: int) -> int:
            self.calls += 1
            self.begun.set()
            assert self.go.wait(30)
            if self.calls == 1 and number < 0:
                raise ValueError("not the first time")
            return self.calls

        self.task = make


def states_of(engine: Engine, run_id: str, name: str) -> list[str]:
    (record,) = [each for each in engine.history.task_runs(run_id) if each.name == name]
    return [each.state.name for each in engine.history.states(run_id, record.id)]


def test_calls_of_one_process_make_it_once(engine: Engine) -> None:
    making = Making()

    @flow
    def work() -> list[int]:
        futures = [making.task.submit(1) for _ in range(3)]
        making.begun.wait(30)
        making.go.set()
        return [each.result() for each in futures]

    assert engine.run(work).result() == [1, 1, 1]
    assert making.calls == 1


def test_the_next_one_makes_what_the_first_failed_to_make(engine: Engine) -> None:
    making = Making()

    @flow
    def work() -> list[Any]:
        futures = [making.task.submit(-1) for _ in range(2)]
        making.begun.wait(30)
        making.go.set()
        return [each.result(raise_on_failure=False) for each in futures]

    results = engine.run(
        work,
    ).result()

    assert sorted(map(repr, results)) == ["2", "ValueError('not the first time')"]


def test_a_wait_ends_with_the_timeout_of_its_flow(engine: Engine) -> None:
    making = Making()

    @flow(timeout_seconds=0.3)
    def impatient() -> int:
        return making.task(1)

    @flow
    def work() -> str:
        first = making.task.submit(1)
        making.begun.wait(30)
        ended = impatient(return_state=True)
        making.go.set()
        first.result()
        return str(ended.name)

    assert engine.run(work).result() == "TimedOut"
    assert making.calls == 1


def test_after_its_own_timeout_it_waits_no_longer(engine: Engine) -> None:
    slow = Making()
    quick = task(cache=Cache(), timeout_seconds=0.2)(slow.task.function)  # one key, another limit

    @flow
    def work() -> str:
        first = slow.task.submit(1)
        slow.begun.wait(30)
        threading.Timer(1, slow.go.set).start()
        ended = quick(1, return_state=True)
        first.result()
        return str(ended.name)

    assert engine.run(work).result() == "TimedOut"
    assert slow.calls == 2


def test_who_holds_slots_waits_for_nobody(home: Path) -> None:
    making = Making()

    @flow
    def inner() -> int:
        return making.task(1)

    @task(tags={"one"})
    def holder() -> int:
        return inner()

    @flow
    def work() -> list[int]:
        first = making.task.submit(1)
        making.begun.wait(30)
        second = holder.submit()
        _until(lambda: making.calls == 2)
        making.go.set()
        return [first.result(), second.result()]

    with Engine(home, limits={"one": 1}) as engine:
        assert engine.run(work).result() == [2, 2]
