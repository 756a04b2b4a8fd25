from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from runs_at_hand import double, states

from taxietl.errors import TargetError
from taxietl.orchestrator import (
    Cache,
    Engine,
    Stream,
    current_run,
    default,
    flow,
    get_run_logger,
    set_default_engine,
    task,
)


@task
def broken() -> None:
    raise ValueError("no such month")


def test_a_whole_flow_is_told_from_its_history(engine: Engine) -> None:
    calls: list[int] = []

    @task(retries=2, retry_delay_seconds=10)
    def flaky() -> int:
        calls.append(1)
        if len(calls) < 3:
            raise OSError("cut")
        return 1

    @task(cache=Cache())
    def fetch(month: int) -> int:
        return month

    @task
    def batches(count: int) -> Generator[int, None, int]:
        yield from range(count)
        return count

    @task
    def load(numbers: Stream[int, int]) -> int:
        return sum(numbers) + numbers.result

    @flow
    def child(number: int) -> int:
        return double(number)

    @flow
    def tour() -> None:
        flaky()
        fetch(1)
        fetch(1)
        load(batches(3))
        child(21)
        try:
            broken()
        except ValueError:
            get_run_logger().info("never mind")

    run = engine.run(tour)

    retried = ["AwaitingRetry", "Retrying"]
    assert {
        each.name: states(engine, run.id, each.name) for each in engine.history.task_runs(run.id)
    } == {
        "flaky-0": ["Pending", "Running", *retried, *retried, "Completed"],
        "fetch-0": ["Pending", "Running", "Completed"],
        "fetch-1": ["Pending", "Cached"],
        "load-0": ["Pending", "Running", "Completed"],
        "batches-0": ["Running", "Completed"],
        "child-0": ["Pending", "Running", "Completed"],
        "broken-0": ["Pending", "Running", "Failed"],
    }
    assert states(engine, run.id) == ["Pending", "Running", "Failed"]
    assert str(engine.history.run(run.name).state) == "Failed('1/7 states failed.')"
    (below,) = engine.history.children(run.id)
    place = next(each for each in engine.history.task_runs(run.id) if each.kind == "subflow")
    assert (place.child_run_id, place.result) == (below.id, "42")
    assert (below.parent_id, below.parent_task_run_id) == (run.id, place.id)
    assert states(engine, below.id, "double-0") == ["Pending", "Running", "Completed"]
    with pytest.raises(ValueError, match="no such month"):  # swallowed, and yet the truth
        run.result()


def test_a_flow_that_returns_data_completes_although_a_task_failed(engine: Engine) -> None:
    @flow
    def forgiving() -> str:
        try:
            broken()
        except ValueError:
            return "went on"
        return "unreachable"

    run = engine.run(forgiving)

    assert (run.result(), str(run.state)) == ("went on", "Completed()")


def test_an_exception_fails_the_flow_and_is_raised_again(engine: Engine) -> None:
    run = engine.run(flow(lambda: broken()))

    assert (
        str(run.state) == "Failed('Flow run encountered an exception: ValueError: no such month')"
    )
    with pytest.raises(ValueError, match="no such month"):
        run.result()


def test_a_subflow_that_failed_and_was_swallowed_decides(engine: Engine) -> None:
    child = flow(name="child")(lambda: broken())

    @flow
    def parent() -> None:
        with suppress(ValueError):
            child()

    run = engine.run(parent)

    assert run.state.message == "1/1 states failed."
    with pytest.raises(ValueError, match="no such month"):
        run.result()


def test_a_flow_called_in_a_task_is_a_child_run_of_that_task(engine: Engine) -> None:
    child = flow(name="child")(lambda: double(4))
    outer = task(name="outer")(lambda: child())

    run = engine.run(flow(lambda: outer()))

    (task_run,) = engine.history.task_runs(run.id)
    (below,) = engine.history.children(run.id)
    assert run.result() == 8
    assert below.parent_task_run_id == task_run.id
    assert [each.name for each in engine.history.task_runs(below.id)] == ["double-0"]


def test_a_task_is_the_plain_function_outside_a_flow_and_inside_a_task(engine: Engine) -> None:
    quadruple = task(name="quadruple")(lambda number: double(double(number)))

    assert double(3) == 6
    run = engine.run(flow(lambda: quadruple(1)))
    assert run.result() == 4
    assert [each.task for each in engine.history.task_runs(run.id)] == ["quadruple"]


def test_code_in_a_run_knows_it_and_other_code_knows_none(engine: Engine) -> None:
    whoami = task(lambda: (run := current_run()) and run.name)

    run = engine.run(flow(lambda: whoami()))

    assert run.result() == run.name
    assert current_run() is None


def test_tags_version_and_arguments_are_kept(engine: Engine) -> None:
    @task(name="fetch it", tags={"tlc", "a"}, version="3")
    def fetch(month: int, folder: str = "/x") -> None: ...

    run = engine.run(flow(lambda: fetch(2)))

    (kept,) = engine.history.task_runs(run.id)
    assert (kept.name, kept.tags, kept.version) == ("fetch it-0", ("a", "tlc"), "3")
    assert kept.arguments == '{"month": 2, "folder": "/x"}'


def test_a_full_disk_ends_the_run_with_an_error_that_says_so(home: Path) -> None:
    with Engine(home) as engine:
        connection = engine.history.database.connection()

        @flow
        def fill() -> None:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + 2}")
            for number in range(1000):
                double(number)

        with pytest.raises(TargetError, match="The disk is full") as error:
            engine.run(fill)
        assert "--home" in error.value.hint
        assert list((home / "runs").iterdir()) == []

    with Engine(home) as engine:  # its last state could not be written: found at the next start
        assert [each.state.name for each in engine.history.runs()] == ["Crashed"]


def test_many_threads_may_share_an_engine(home: Path) -> None:
    @flow
    def busy() -> int:
        return sum(double(number) for number in range(5))

    with Engine(home) as engine, ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: engine.run(busy), range(40)))

        assert {run.result() for run in runs} == {20}
        assert len({run.name for run in runs}) == 40
        kept = [engine.history.task_runs(run.id) for run in runs]
        assert [[each.ordinal for each in tasks] for tasks in kept] == [[0, 1, 2, 3, 4]] * 40


def test_a_call_that_python_would_refuse_is_refused_as_python_does(engine: Engine) -> None:
    run = engine.run(flow(lambda: double()))  # type: ignore[call-arg]

    with pytest.raises(TypeError, match="missing a required argument: 'number'"):
        run.result()


def test_a_flow_called_anywhere_uses_the_process_s_engine(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_default", "_factory"):  # put back afterwards
        monkeypatch.setattr(default, name, None)
    set_default_engine(lambda: engine)

    assert flow(name="plain")(lambda: double(5))() == 10
    assert [each.flow for each in engine.history.runs()] == ["plain"]


SCRIPT = """
from taxietl import flow, task

@task
def extract(month: int) -> str:
    return f"month {month}"

@flow(run_name="r-{month}")
def tutorial(month: int):
    extract(month)

tutorial(3)
"""


def test_a_script_of_ones_own_needs_no_set_up(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "TAXIETL_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == ""
    assert [line[26:] for line in done.stderr.splitlines()] == [
        "INFO    | taxietl.engine - Created flow run 'r-3' for flow 'tutorial'",
        "INFO    | Flow run 'r-3' - Created task run 'extract-0' for task 'extract'",
        "INFO    | Flow run 'r-3' - Executing 'extract-0' immediately...",
        "INFO    | Task run 'extract-0' - Finished in state Completed()",
        "INFO    | Flow run 'r-3' - Finished in state Completed('All states completed.')",
    ]


def test_importing_the_orchestrator_costs_nothing() -> None:
    code = (
        "import sys, taxietl.orchestrator, taxietl.orchestrator.define.decorators;"
        "print([name for name in"
        " ('pydantic', 'tenacity', 'coolname', 'sqlite3') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
