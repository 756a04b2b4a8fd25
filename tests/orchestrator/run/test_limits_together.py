"""Limits across processes that share a home: turns, wake-ups, and the dead."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from namespaces import pid_namespace, small_disk

from taxietl.orchestrator import History
from taxietl.orchestrator.query.standings import standings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")

WORKER = """
import json, logging, os, sys, threading, time
from pathlib import Path
from taxietl.orchestrator import Engine, configure_logging, flow, task

home, name, tags, limits = Path(sys.argv[1]), sys.argv[2], *map(json.loads, sys.argv[3:])

class Ear(logging.Handler):
    def emit(self, record):
        if record.getMessage().startswith("Waiting for a slot"):
            print("waiting", flush=True)

@task(tags=tags)
def stay():
    print(f"in {time.monotonic()}", flush=True)
    sys.stdin.readline()
    return time.monotonic()

@flow(run_name=name)
def one() -> float:
    return stay()

watchdog = threading.Timer(120, os._exit, [1])
watchdog.daemon = True
watchdog.start()
configure_logging(40)
logging.getLogger("taxietl.task_runs").addHandler(Ear())
ended = Engine(home, limits=limits).run(one)
print(f"{ended.state.name} {ended.result()}", flush=True)
"""


class Worker:
    """A process with one task that stays in until it is let go."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def heard(self) -> tuple[str, float]:
        """The next thing it says, and the time it gives."""
        assert self.process.stdout is not None
        word, _, at = self.process.stdout.readline().strip().partition(" ")
        return word, float(at or 0)

    def let_go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def finish(self) -> float:
        """Let it go and await its end; when its task ended."""
        self.let_go()
        word, at = self.heard()
        assert word == "Completed"
        assert self.process.wait(30) == 0
        return at


Start = Callable[..., Worker]


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    """Starts workers on one home; ends those that are left."""
    started: list[subprocess.Popen[str]] = []

    def start(
        name: str,
        tags: Sequence[str] = ("tlc",),
        *,
        tlc: int = 1,
        before: Sequence[str] = (),
    ) -> Worker:
        limits = {"tlc": tlc, "warehouse": 1}
        command = [sys.executable, "-c", WORKER, str(home), name, json.dumps(list(tags))]
        started.append(
            subprocess.Popen(
                [*before, *command, json.dumps(limits)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        return Worker(started[-1])

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=30)


def in_and_waiting(start: Start, holders: int, waiters: int, *, tlc: int = 1) -> list[Worker]:
    """So many workers that are in, and so many that wait, in their order."""
    workers = []
    for number in range(holders + waiters):
        workers.append(start(f"worker-{number}", tlc=tlc))
        assert workers[-1].heard()[0] == ("in" if number < holders else "waiting")
    return workers


def test_who_waits_comes_in_soon_after_a_slot_is_free_and_in_order(start: Start) -> None:
    first, second, third = in_and_waiting(start, 1, 2)

    left_at = first.finish()
    word, at = second.heard()

    assert word == "in"
    assert at - left_at < 5  # it takes some 20 ms; a loaded machine takes its time
    second.finish()
    assert third.heard()[0] == "in"
    third.finish()


def test_a_killed_holder_and_a_killed_waiter_hold_up_nobody(start: Start, home: Path) -> None:
    holder, waiter, last = in_and_waiting(start, 1, 2)

    waiter.process.kill()
    waiter.process.wait(30)
    left = standings(home, {"tlc": 1})[0]
    assert [each.run_name for each in [*left.holders, *left.waiters]] == ["worker-0", "worker-2"]
    holder.process.kill()

    assert last.heard()[0] == "in"
    last.finish()
    assert standings(home, {"tlc": 1})[0].holders == []


def test_a_stopped_holder_keeps_its_slot(start: Start, home: Path) -> None:
    holder, waiter = in_and_waiting(start, 1, 1)

    holder.process.send_signal(signal.SIGSTOP)
    # Two rounds of looking for dead, as the waiter's own looks show.
    time.sleep(0.6)

    assert [each.run_name for each in standings(home, {})[0].holders] == ["worker-0"]
    holder.process.send_signal(signal.SIGCONT)
    holder.finish()
    assert waiter.heard()[0] == "in"
    waiter.finish()


def test_a_stopped_waiter_is_not_overtaken(start: Start, home: Path) -> None:
    holder, waiter = in_and_waiting(start, 1, 1)
    waiter.process.send_signal(signal.SIGSTOP)
    holder.finish()

    third = start("third")

    assert third.heard()[0] == "waiting"
    waiter.process.send_signal(signal.SIGCONT)
    assert waiter.heard()[0] == "in"
    waiter.finish()
    assert third.heard()[0] == "in"
    third.finish()


def test_ctrl_c_ends_a_wait_at_once_and_leaves_no_ticket(start: Start, home: Path) -> None:
    holder, waiter = in_and_waiting(start, 1, 1)

    waiter.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    waiter.process.wait(30)

    assert time.monotonic() - began < 10  # of 60
    assert standings(home, {})[0].waiters == []
    holder.finish()
    history = History.open(home)
    assert history.run("worker-1").state.name == "Cancelled"
    history.close()


def test_limits_and_lives_hold_across_pid_namespaces(start: Start, home: Path) -> None:
    before = pid_namespace()
    one, other, third = (start(name, tlc=2, before=before) for name in ("one", "other", "third"))
    workers: dict[str, list[Worker]] = {"in": [], "waiting": []}
    for worker in (one, other, third):
        workers[worker.heard()[0]].append(worker)
    assert [len(each) for each in workers.values()] == [2, 1]

    def states() -> dict[str, str]:
        history = History.open(home)
        found = {run.name: run.state.name for run in history.runs()}
        history.close()
        return found

    assert states() == dict.fromkeys(("one", "other", "third"), "Running")
    pids = [each.pid for each in standings(home, {})[0].holders]
    assert pids == [1, 1]  # neither could tell the other by its pid
    # A fourth, in a namespace of its own, opens the history and finds nobody dead.
    fourth = start("fourth", tags=["warehouse"], before=before)
    assert fourth.heard()[0] == "in"
    assert states() == dict.fromkeys(("one", "other", "third", "fourth"), "Running")
    fourth.finish()

    workers["in"][0].process.kill()

    (waiter,) = workers["waiting"]
    assert waiter.heard()[0] == "in"
    waiter.finish()
    workers["in"][1].finish()
    assert sorted(states().values()) == ["Completed", "Completed", "Completed", "Crashed"]


FULL_DISK = """
import sys
from pathlib import Path
from taxietl.errors import TargetError
from taxietl.orchestrator import Engine, configure_logging, flow, task

home, disk = Path(sys.argv[1]), Path(sys.argv[2])
home.mkdir()
(home / "limits.db").symlink_to(disk / "limits.db")

@task(tags={"tlc"})
def fill() -> None:
    with (disk / "much").open("wb", buffering=0) as file:
        while file.write(bytes(1024)):
            pass

@task(tags={"tlc"})
def go_on() -> None:
    print("in", flush=True)

@flow
def full() -> str:
    try:
        fill()
    except OSError as error:
        print(error.strerror)
    try:
        go_on()
    except TargetError as error:
        print(error.message)
    (disk / "much").unlink()
    go_on()
    return "done"

configure_logging(30)
print(Engine(home, limits={"tlc": 1}).run(full).result())
"""


def test_a_full_disk_is_told_and_the_slots_are_free_when_it_has_room(
    home: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = [*small_disk(disk), sys.executable, "-c", FULL_DISK, str(home), str(disk)]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.splitlines() == [
        "No space left on device",
        f"The disk is full: the queue of the limits {home / 'limits.db'} cannot be written"
        " (database or disk is full).",
        "in",
        "done",
    ]
    assert "The slots of 'fill-0' could not be given back: The disk is full" in done.stderr
