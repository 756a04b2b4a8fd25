"""The history under kills at any moment, and under many processes at once."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from taxietl.orchestrator import Engine, History
from taxietl.orchestrator.define.entry import load_flow

FLOWS = """
from collections.abc import Generator
from pathlib import Path
from taxietl import Cache, flow, get_run_logger, task

@task(cache=Cache(), version="1")
def extract(month: int, folder: Path) -> Path:
    path = folder / f"{month}.txt"
    beside = folder / f"{month}.part"
    beside.write_text("1\\n" * month)
    return beside.replace(path)

@task
def transform(path: Path) -> Generator[int, None, int]:
    rows = 0
    for line in path.read_text().splitlines():
        rows += 1
        yield int(line)
    return rows

@task(retries=1)
def load(rows, month: int) -> int:
    total = sum(rows)
    get_run_logger().info("%s rows of %s", total, month)
    return total

@flow
def ingest(month: int, folder: Path) -> int:
    return load(transform(extract(month, folder)), month)

@flow
def months(folder: Path, count: int) -> int:
    print("begun", flush=True)
    return sum(ingest(month, folder) for month in range(1, count + 1))
"""
MONTHS = 12
EXPECTED = MONTHS * (MONTHS + 1) // 2


class Home:
    """A history, and a flow of a dozen child runs."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.files = folder / "files"
        self.files.mkdir()
        self.flows = folder / "torture_flows.py"
        self.flows.write_text(FLOWS)

    def command(self, *arguments: object) -> list[str]:
        start = (sys.executable, "-m", "taxietl", "--home", str(self.home))
        return [*start, *(str(each) for each in arguments)]

    def run(self, count: int = MONTHS) -> list[str]:
        given = ("-p", f"folder={self.files}", "-p", f"count={count}", "-q")
        return self.command("run", f"{self.flows}:months", *given)

    def kill_after(self, seconds: float) -> bool:
        """Kill a run so long after it began; whether it was in time."""
        with subprocess.Popen(self.run(), stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begun\n"
            time.sleep(seconds)
            process.send_signal(signal.SIGKILL)
            return process.wait() == -signal.SIGKILL

    def check(self) -> None:
        """Nothing is damaged, and nobody reads of a dead run as running."""
        with History.opened(self.home) as history:
            assert {run.state.name for run in history.runs(limit=50)} <= {"Completed", "Crashed"}
            tree = history.runs(limit=MONTHS + 1)
            tasks = [task for run in tree for task in history.task_runs(run.id)]
            assert {task.state.name for task in tasks} <= {"Completed", "Cached", "Crashed"}
        with closing(sqlite3.connect(self.home / "history.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _killed(home: Home, kills: int, seed: int) -> int:
    """Kill so many runs, resume each; returns how many were killed in time."""
    rng = random.Random(seed)
    load_flow(f"{home.flows}:months")
    in_time = 0
    for number in range(kills):
        in_time += home.kill_after(rng.random() * 0.12)
        home.check()
        with Engine(home.home) as engine:
            (name,) = [run.name for run in engine.history.runs() if not run.parent_id][:1]
            resumed = engine.resume(name)
            assert resumed is None or resumed.result() == EXPECTED
            if number % 3 == 0:  # the others find the cache full
                engine.cache.remove([], everything=True)
    return in_time


def test_runs_killed_at_any_moment_leave_a_sound_history_and_go_on(tmp_path: Path) -> None:
    home = Home(tmp_path)

    in_time = _killed(home, 4, seed=7)

    assert in_time >= 2


@pytest.mark.torture
def test_200_runs_killed_at_any_moment_leave_a_sound_history_and_go_on(tmp_path: Path) -> None:
    home = Home(tmp_path)

    in_time = _killed(home, 200, seed=8)

    assert in_time >= 100
    print(f"seed 8: {in_time} of 200 runs killed in time; sound each time, and resumed to the end")


def _together(home: Home, rounds: int) -> None:
    """Eight commands at once: runs that write, and others that read, tidy and forget."""
    others = (("runs", "ls"), ("cache", "gc"), ("runs", "prune", "--older-than", "1d"))
    for number in range(1, rounds + 1):
        commands = [home.run(3)] * 5 + [home.command(*each, "-q") for each in others]
        processes = [
            subprocess.Popen(each, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for each in commands
        ]
        told = [process.communicate()[1] for process in processes]
        assert [process.returncode for process in processes] == [0] * 8, told
        assert set(told) == {""}
        with History.opened(home.home) as history:
            runs = history.runs(limit=10_000)
            assert len(runs) == number * 5 * 4
            for run in runs[: 5 * 4]:
                names = [each.state.name for each in history.states(run.id)]
                assert names == ["Pending", "Running", "Completed"]
                assert len(history.task_runs(run.id)) == 3
    home.check()


def test_eight_commands_at_once_lose_nothing_and_meet_no_lock(tmp_path: Path) -> None:
    _together(Home(tmp_path), 1)


@pytest.mark.torture
def test_eight_commands_at_once_for_20_rounds_lose_nothing_and_meet_no_lock(
    tmp_path: Path,
) -> None:
    began = time.monotonic()

    _together(Home(tmp_path), 20)

    print(f"20 rounds of 8 commands at once: nothing lost, {time.monotonic() - began:.0f} s")
