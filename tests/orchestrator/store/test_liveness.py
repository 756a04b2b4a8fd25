from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from namespaces import pid_namespace
from runs_at_hand import states

from taxietl.filelock import try_lock, waiting_lock
from taxietl.orchestrator import Engine, History, flow, task
from taxietl.orchestrator.store.liveness import hold, is_alive

SLEEPER = """
import sys, time
from collections.abc import Generator
from pathlib import Path
from taxietl.orchestrator import Engine, configure_logging, flow, task

@task
def numbers() -> Generator[int, None, None]:
    while True:
        yield 1

@task
def load(stream) -> None:
    next(stream)
    print("ready", flush=True)
    time.sleep(60)

@flow(run_name="child")
def child() -> None:
    load(numbers())

@flow(run_name="sleeper")
def sleeper() -> None:
    child()

configure_logging(40)
Engine(Path(sys.argv[1])).run(sleeper)
"""

FORKER = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from taxietl.orchestrator import Engine, configure_logging, flow, task

def pool():
    fork = multiprocessing.get_context("fork")
    workers = ProcessPoolExecutor(2, mp_context=fork)
    parent = workers.submit(os.getppid).result()
    for _ in range(2):
        workers.submit(time.sleep, 60)
    return parent, *workers._processes

def fork():
    if not (child := os.fork()):
        time.sleep(60)
    return os.getpid(), child

def wait(own, *children):
    assert own == os.getpid()
    print(*children, flush=True)
    time.sleep(60)

@task(tags={"warehouse"})
def load():
    wait(*forking())

@flow(run_name="forker")
def forker():
    load() if where == "task" else wait(*forking())

home, where, how = sys.argv[1:]
forking = {"pool": pool, "fork": fork}[how]
configure_logging(40)
Engine(Path(home), limits={"warehouse": 1}).run(forker)
"""


def start(home: Path, *, before: Sequence[str] = ()) -> subprocess.Popen[str]:
    """A process in the middle of a task of a child run."""
    process = subprocess.Popen(
        [*before, sys.executable, "-c", SLEEPER, str(home)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def finish(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=10)


def test_a_killed_run_is_crashed_and_a_live_one_is_left_alone(home: Path) -> None:
    dead, alive = start(home), start(home)
    try:
        finish(dead)

        with Engine(home) as engine:
            found = {run.name: run for run in engine.history.runs()}
            message = found["sleeper"].state.message
            assert {name: run.state.name for name, run in found.items()} == {
                "sleeper": "Crashed",
                "child": "Crashed",
                "sleeper-2": "Running",
                "child-2": "Running",
            }
            assert message.startswith(f"Its process {dead.pid} on ")
            assert "is gone; last heard of at 20" in message
            below = found["child"].id
            assert states(engine, below, "load-0") == ["Pending", "Running", "Crashed"]
            assert states(engine, below, "numbers-0") == ["Running", "Crashed"]
            assert states(engine, found["sleeper"].id, "child-0") == [
                "Pending",
                "Running",
                "Crashed",
            ]
            locks = [path.stem for path in (home / "runs").iterdir()]
            assert locks == [found["sleeper-2"].id]
            assert str(engine.run(flow(lambda: 1)).state) == "Completed()"
    finally:
        finish(alive)
    assert [each.state.name for each in _open(home)].count("Running") == 0


def _open(home: Path):  # type: ignore[no-untyped-def]
    history = History.open(home)
    try:
        return history.runs()
    finally:
        history.close()


def test_reading_alone_finds_the_dead(home: Path) -> None:
    finish(start(home))

    assert {run.state.name for run in _open(home)} == {"Crashed"}


def test_a_stopped_process_is_not_a_dead_one(home: Path) -> None:
    process = start(home)
    try:
        os.kill(process.pid, signal.SIGSTOP)
        assert {run.state.name for run in _open(home)} == {"Running"}
    finally:
        finish(process)


def test_a_run_in_another_pid_namespace_lives_until_it_is_killed_there(home: Path) -> None:
    before = pid_namespace()
    dead, alive = start(home, before=before), start(home, before=before)
    try:
        assert [(run.pid, run.state.name) for run in _open(home)] == [(1, "Running")] * 4

        finish(dead)
        (killed,) = [run.id for run in _open(home) if run.name == "sleeper"]
        while is_alive(home, killed):  # what was killed is the parent, with which it goes
            time.sleep(0.01)

        found = {run.name: run.state.name for run in _open(home)}
        assert found == {
            "sleeper": "Crashed",
            "child": "Crashed",
            "sleeper-2": "Running",
            "child-2": "Running",
        }
    finally:
        finish(alive)


@pytest.mark.parametrize("where", ["flow", "task"])
@pytest.mark.parametrize("how", ["pool", "fork"])
def test_forked_children_do_not_keep_a_killed_run_alive(home: Path, where: str, how: str) -> None:
    @task(tags={"warehouse"})
    def load() -> str:
        return "loaded"

    command = [sys.executable, "-W", "ignore", "-c", FORKER, str(home), where, how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        children = [int(each) for each in process.stdout.readline().split()]
        try:
            (run,) = _open(home)
            assert run.state.name == "Running"
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            while is_alive(home, run.id):  # until a child has begun to run
                time.sleep(0.01)
            for child in children:
                os.kill(child, 0)  # they live

            assert [run.state.name for run in _open(home)] == ["Crashed"]
            with Engine(home, limits={"warehouse": 1}) as engine:
                assert engine.run(flow(lambda: load())).result() == "loaded"
        finally:
            for child in children:
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)


def test_a_forked_child_cannot_give_up_its_parents_lock(home: Path) -> None:
    (home / "runs").mkdir(parents=True)
    lock = hold(home, "0123")

    if not (child := os.fork()):
        lock.release()
        os._exit(0)
    os.waitpid(child, 0)

    assert is_alive(home, "0123")
    lock.release()


def test_a_look_takes_no_lock_and_leaves_no_file(home: Path) -> None:
    assert not is_alive(home, "0123")
    (home / "runs").mkdir(parents=True)
    lock = hold(home, "0123")

    assert is_alive(home, "0123")
    lock.release()

    assert not is_alive(home, "0123")
    assert list((home / "runs").iterdir()) == []


def test_an_engine_of_the_same_process_leaves_its_runs_alone(home: Path) -> None:
    with Engine(home) as engine:

        @flow
        def look() -> list[str]:
            return [run.state.name for run in _open(home)]

        assert engine.run(look).result() == ["Running"]


def test_a_stale_lock_file_is_swept(home: Path) -> None:
    (home / "runs").mkdir(parents=True)
    (home / "runs" / "0123.lock").write_text("")

    _open(home)

    assert list((home / "runs").iterdir()) == []


def test_a_lock_is_had_by_one_and_its_file_goes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "one.lock"

    first = try_lock(path)
    assert first is not None
    assert try_lock(path) is None
    first.release()
    first.release()

    assert not path.exists()
    second = try_lock(path)
    assert second is not None
    second.release()


def test_waiting_for_a_lock_ends(tmp_path: Path) -> None:
    lock = try_lock(tmp_path / "one.lock")

    with (
        pytest.raises(TimeoutError, match="is locked"),
        waiting_lock(tmp_path / "one.lock", seconds=0.05),
    ):
        pass

    assert lock is not None
    lock.release()
