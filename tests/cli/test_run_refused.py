"""`taxietl run` of flows that cannot go on: one error, one hint, the code, and true states."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from command import Taxietl, check_refused

FLOWS = """
import threading
from collections.abc import Generator
from taxietl import Future, Stream, flow, task
from taxietl.orchestrator.store import history

@task
def double(n: int) -> int:
    return 2 * n

@flow
def two_of_one_name() -> None:
    task(name="extract")(lambda: 1)()
    task(name="extract")(lambda: 2)()

@task
def wait_for(other: list[Future[int]], both: threading.Barrier) -> int:
    both.wait(30)
    return other[0].result()

@flow
def circle() -> list[Future[int]]:
    first, second, both = [], [], threading.Barrier(3)
    first.append(wait_for.submit(Hidden(second), both))
    second.append(wait_for.submit(Hidden(first), both))
    both.wait(30)
    return first + second

class Hidden:
    # An argument in which no future is looked for.
    def __init__(self, futures):
        self.futures = futures
    def __getitem__(self, place):
        return self.futures[place]

@task
def numbers() -> Generator[int, None, None]:
    yield from range(3)

@task
def add(stream: Stream[int, None]) -> int:
    return sum(stream)

@flow
def one_stream_twice() -> int:
    stream = numbers()
    return add(stream) + add(stream)

@task
def outer() -> int:
    return double.submit(1).result()

@flow
def submitting_task() -> int:
    return outer()

@task
def plain_outer() -> int:
    return double(21)

@flow
def task_in_task() -> int:
    return plain_outer()

@flow
def full_disk() -> None:
    connection = history.current.get().database.connection()
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    for n in range(1000):
        double(n)
"""


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    path = tmp_path / "refused_flows.py"
    path.write_text(FLOWS)
    return path


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("two_of_one_name", 2, ["'extract'", "@task(name=…)"]),
        ("circle", 2, ["both would wait for ever"]),
        ("one_stream_twice", 2, ["'numbers'", "one consumer"]),
        ("submitting_task", 2, ["double.submit()", "double(…)"]),
    ],
)
def test_a_flow_that_cannot_be_is_refused_and_has_failed(
    taxietl: Taxietl, flows: Path, name: str, code: int, words: list[str]
) -> None:
    done = taxietl("run", f"{flows}:{name}", "-q")

    check_refused(done, code, *words)
    (run,) = taxietl("runs", "ls", "--json").document["runs"]
    assert run["state"] == "Failed"


def test_a_task_called_in_a_task_is_the_plain_function(taxietl: Taxietl, flows: Path) -> None:
    done = taxietl("run", f"{flows}:task_in_task", "--json").document

    assert done["result"] == 42
    tree = taxietl("runs", "show", done["run"]["name"], "--json").document
    assert [each["name"] for each in tree["task_runs"]] == ["plain_outer-0"]


def test_a_full_disk_is_code_5_and_the_run_is_not_left_running(
    taxietl: Taxietl, flows: Path
) -> None:
    check_refused(taxietl("run", f"{flows}:full_disk", "-q"), 5, "The disk is full", "--home")

    (run,) = taxietl("runs", "ls", "--json").document["runs"]
    assert run["state"] == "Crashed"


def test_a_history_of_a_newer_taxietl_is_code_2_and_left_as_it_is(
    taxietl: Taxietl, flows: Path, home: Path
) -> None:
    assert taxietl("run", f"{flows}:task_in_task", "-q").code == 0
    connection = sqlite3.connect(home / "history.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()

    for words in (("run", f"{flows}:task_in_task"), ("runs", "ls")):
        check_refused(taxietl(*words), 2, "written by a newer taxietl")

    connection = sqlite3.connect(home / "history.db")
    assert connection.execute("PRAGMA user_version").fetchone() == (99,)
    assert connection.execute("SELECT count(*) FROM runs").fetchone() == (1,)
    connection.close()
