"""Submitted tasks and flows, from the outside; the threads under them are in `test_pool.py`."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runs_at_hand import broken, double, states, stopped
from threads import new_threads

from taxietl.errors import Cancelled, ConfigError
from taxietl.orchestrator import (
    Engine,
    Future,
    StateName,
    current_cancellation,
    flow,
    get_run_logger,
    task,
)

SOON = 10


def test_a_submitted_task_runs_in_another_thread_and_gives_its_result(engine: Engine) -> None:
    begin, threads, left = threading.Event(), [], new_threads()

    @task
    def work(number: int) -> int:
        assert begin.wait(SOON)
        threads.append(threading.current_thread().name)
        return number + 1

    @flow
    def main() -> int:
        threads.append(threading.current_thread().name)
        future = work.submit(1)
        assert (future.name, future.state.name) in {("work-0", each) for each in StateName}
        assert not future.state.is_final()
        assert future.wait(timeout=0) is None
        with pytest.raises(TimeoutError, match="'work-0' has not ended within"):
            future.result(timeout=0.01)
        begin.set()
        ended = future.wait()
        assert ended is not None
        assert (str(ended), ended.result(), future.state) == ("Completed()", 2, ended)
        return future.result()

    run = engine.run(main)

    assert run.result() == 2
    assert threads == ["taxietl-run", "taxietl-worker-0"]
    (kept,) = engine.history.task_runs(run.id)
    assert (kept.name, kept.result, kept.arguments) == ("work-0", "2", '{"number": 1}')
    assert states(engine, run.id, "work-0") == ["Pending", "Running", "Completed"]
    assert left() == []


def test_the_log_says_what_was_submitted(engine: Engine) -> None:
    child = flow(name="child")(lambda: None)

    @flow(run_name="main")
    def main() -> None:
        double.submit(1).wait()
        child.submit().wait()

    run = engine.run(main)

    lines = [each.message for each in engine.history.logs(run.id, children=False)]
    below = engine.history.children(run.id)[0].name
    assert lines == [
        "Created flow run 'main' for flow 'main'",
        "Created task run 'double-0' for task 'double'",
        "Submitted task run 'double-0' for execution.",
        "Finished in state Completed()",
        "Submitted subflow 'child-0' for execution.",
        f"Created subflow run {below!r} for flow 'child'",
        "Finished in state Completed('All states completed.')",
    ]


def test_futures_among_the_arguments_become_their_values_in_every_container(
    engine: Engine,
) -> None:
    got: list[Any] = []
    take = task(name="take")(lambda *args, **kwargs: got.append((args, kwargs)))

    @flow
    def main() -> None:
        one, two = double.submit(1), double.submit(2)
        take.submit(one, [two, 5], (one, {"k": two}), key={one}).result()
        take(one, [two])  # a plain call waits for them here

    run = engine.run(main)

    run.result()
    assert got == [((2, [4, 5], (2, {"k": 4})), {"key": {2}}), ((2, [4]), {})]
    kept = [each for each in engine.history.task_runs(run.id) if each.task == "take"]
    assert [each.arguments for each in kept] == [
        '{"args": [2, [4, 5], [2, {"k": 4}]], "kwargs": {"key": [2]}}',
        '{"args": [2, [4]], "kwargs": {}}',
    ]


def test_arguments_without_futures_are_handed_over_as_they_are(engine: Engine) -> None:
    class Months(list[int]):
        pass

    given, got = Months([1]), []
    engine.run(flow(lambda: task(got.append).submit(given).result())).result()

    assert got[0] is given


def test_a_diamond_of_dependencies_runs_in_its_order(engine: Engine) -> None:
    order: list[str] = []

    @task
    def step(name: str, *after: str) -> str:
        order.append(name)
        return name

    @flow
    def main() -> str:
        top = step.submit("top")
        sides = [step.submit("left", top), step.submit("right", top)]
        return step.submit("bottom", *sides).result()

    assert engine.run(main).result() == "bottom"
    assert (order[0], order[-1], set(order[1:3])) == ("top", "bottom", {"left", "right"})


def test_wait_for_holds_back_submitted_and_plain_calls_and_maps(engine: Engine) -> None:
    release, order = threading.Event(), []

    @task
    def slow() -> None:
        assert release.wait(SOON)
        order.append("slow")

    @task
    def after(name: str) -> None:
        order.append(name)

    child = flow(name="child")(lambda: order.append("child"))

    @flow
    def main() -> None:
        first = slow.submit()
        child.submit(wait_for=[first])
        waiting = [after.submit("submitted", wait_for=[first])]
        waiting += after.map(["mapped"], wait_for=[first])
        threading.Timer(0.05, release.set).start()
        after("plain", wait_for=[first])

    engine.run(main).result()

    assert order[0] == "slow"
    assert sorted(order[1:]) == ["child", "mapped", "plain", "submitted"]


@pytest.mark.parametrize(
    ("upstream", "raises"),
    [(broken, ValueError), (stopped, Cancelled)],
    ids=["failed", "cancelled"],
)
@pytest.mark.parametrize("by", ["argument", "wait_for", "plain call", "plain flow", "chain"])
def test_what_depends_on_one_that_did_not_complete_never_runs(
    engine: Engine, upstream: Any, raises: type[BaseException], by: str
) -> None:
    ran: list[str] = []
    dependant = task(name="dependant")(lambda given=None: ran.append("task"))
    between = task(name="between")(lambda given: given)
    child = flow(name="dependant")(lambda given=None: ran.append("flow"))

    @flow
    def main() -> str:
        first = upstream.submit()
        calls = {
            "argument": lambda: dependant.submit([first]).result(),
            "wait_for": lambda: dependant.submit(wait_for=[first]).result(),
            "plain call": lambda: dependant(first),
            "plain flow": lambda: child(first),
            "chain": lambda: dependant.submit(between.submit(first)).result(),
        }
        with pytest.raises(raises):
            calls[by]()
        return "done"

    run = engine.run(main)

    assert (run.result(), ran) == ("done", [])
    kept = {each.name: each for each in engine.history.task_runs(run.id)}["dependant-0"]
    assert states(engine, run.id, "dependant-0") == ["Pending", "NotReady"]
    blamed = "between-0" if by == "chain" else f"{upstream.name}-0"
    assert kept.state.message == (
        f"Upstream task run {blamed!r} did not reach a 'COMPLETED' state."
    )
    assert (kept.started_at, kept.attempts) == (None, 0)
    assert kept.ended_at is not None
    assert engine.history.children(run.id) == []


def test_a_task_that_is_not_ready_stays_so_when_its_run_is_found_dead(engine: Engine) -> None:
    run = engine.run(flow(lambda: double.submit(broken.submit())))

    with engine.history.transaction(engine.clock()) as change:
        change.end_open(run.id, change.state(StateName.CRASHED, "gone"))

    assert states(engine, run.id, "double-0") == ["Pending", "NotReady"]


@pytest.mark.parametrize("fails", [False, True], ids=["completed", "failed"])
def test_a_future_is_in_its_last_state_when_the_line_that_tells_so_is_shown(
    engine: Engine, fails: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    submitted, futures, shown = threading.Event(), [], []

    @task(name="work")
    def work() -> None:
        assert submitted.wait(SOON)
        if fails:
            raise ValueError("no")

    @flow
    def main() -> str:
        futures.append(work.submit())
        submitted.set()
        return "done"

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if getattr(record, "task_run_name", "") and "Finished" in record.getMessage():
                shown.append(futures[0].state.is_final())

    logging.getLogger().addHandler(handler := Handler())
    try:
        engine.run(main)
    finally:
        logging.getLogger().removeHandler(handler)

    assert shown == [True]


def test_an_exception_waits_for_what_was_submitted_and_fails_the_flow(engine: Engine) -> None:
    done = threading.Event()

    @task
    def slow() -> None:
        time.sleep(0.05)
        done.set()

    @flow
    def main() -> None:
        slow.submit()
        raise ValueError("the body")

    run = engine.run(main)

    assert done.is_set()
    assert run.state.message == "Flow run encountered an exception: ValueError: the body"
    assert states(engine, run.id, "slow-0") == ["Pending", "Running", "Completed"]


def test_waiting_in_a_circle_is_refused(home: Path) -> None:
    shared: list[Future[Any]] = []
    there = threading.Event()

    @flow
    def waits() -> None:
        assert there.wait(SOON)
        shared[0].result()

    @flow
    def submits() -> None:
        assert there.wait(SOON)
        double.submit(1, wait_for=shared)

    @flow
    def below() -> None:
        assert there.wait(SOON)
        flow(name="deeper")(lambda: shared[0].wait()).submit().result()

    @task
    def waits_for_itself() -> None:
        assert there.wait(SOON)
        shared[0].result()

    def waited(called: Any) -> Callable[[], None]:
        def main() -> None:
            shared.append(called.submit())
            there.set()

        return main

    with Engine(home, workers=1) as engine:
        for called in (waits, submits, below, waits_for_itself):
            shared.clear()
            there.clear()
            with pytest.raises(ConfigError, match=r"would wait for .* both would wait for ever"):
                engine.run(flow(waited(called))).result()


def test_two_that_wait_for_each_other_are_refused(home: Path) -> None:
    shared: dict[str, Future[Any]] = {}
    both = threading.Barrier(3)

    @task
    def wait_for(name: str) -> str:
        both.wait(SOON)
        return str(shared[name].result())

    @flow
    def main() -> list[BaseException]:
        shared["a"] = wait_for.submit("b")
        shared["b"] = wait_for.submit("a")
        both.wait(SOON)
        errors = [each.result(raise_on_failure=False) for each in shared.values()]
        return [each for each in errors if isinstance(each, BaseException)]

    with Engine(home, workers=4) as engine:
        errors = engine.run(main).result()

    assert {type(each) for each in errors} == {ConfigError}


@pytest.mark.parametrize("method", ["submit", "map"])
def test_only_a_flow_submits(engine: Engine, method: str) -> None:
    inside = task(name="inside")(lambda: getattr(double, method)([1]))

    with pytest.raises(ConfigError, match="outside any flow") as raised:
        getattr(double, method)([1])
    assert "double(…)" in raised.value.hint
    with pytest.raises(ConfigError, match="in the task run 'inside-0'"):
        engine.run(flow(lambda: inside())).result()
    with pytest.raises(ConfigError, match=r"main.submit\(\) was called outside any flow"):
        flow(name="main")(lambda: None).submit()


def test_nothing_is_submitted_after_the_end_of_the_run(engine: Engine) -> None:
    kept: list[contextvars.Context] = []

    run = engine.run(flow(lambda: kept.append(contextvars.copy_context())))

    with pytest.raises(ConfigError, match=f"after the end of its run '{run.name}'"):
        kept[0].run(double.submit, 1)


def test_return_state_and_wait_for_are_for_task_runs(engine: Engine) -> None:
    with pytest.raises(ConfigError, match="has no return_state= or wait_for= here"):
        double(1, return_state=True)
    inside = task(name="inside")(lambda: double(1, wait_for=[2]))
    with pytest.raises(ConfigError, match="has no return_state= or wait_for= here"):
        engine.run(flow(lambda: inside())).result()


def test_two_functions_of_one_task_name_are_refused_in_one_run(engine: Engine) -> None:
    def named() -> Any:
        return task(name="extract", version="1")(lambda: 1)

    other = task(name="extract")(lambda: 2)

    @flow
    def main(*tasks: Any) -> list[int]:
        return [each() for each in tasks]

    assert engine.run(main, named(), named()).result() == [1, 1]  # one function, made twice
    with pytest.raises(ConfigError, match="Two different functions are called as task 'extract'"):
        engine.run(main, named(), other).result()


def test_context_variables_and_log_lines_are_those_of_the_submitted_call(engine: Engine) -> None:
    word = contextvars.ContextVar("word", default="none")
    heard: list[str] = []

    @task
    def say() -> None:
        heard.append(word.get())
        word.set("leaked")
        get_run_logger().info("hello")

    @flow
    def main() -> None:
        for each in ("one", "two"):
            word.set(each)
            say.submit().wait()

    run = engine.run(main)

    assert heard == ["one", "two"]
    said = [each for each in engine.history.logs(run.id) if each.message == "hello"]
    by_id = {each.id: each.name for each in engine.history.task_runs(run.id)}
    assert [by_id[str(each.task_run_id)] for each in said] == ["say-0", "say-1"]


def test_a_cancelled_run_begins_nothing_that_was_submitted(engine: Engine) -> None:
    begun: list[int] = []
    submitted = threading.Event()

    @task
    def wait_to_be_stopped() -> None:
        begun.append(1)
        assert submitted.wait(SOON)
        cancellation = current_cancellation()
        cancellation.request("Asked by a test.")
        cancellation.wait(SOON)

    @flow
    def main() -> None:
        first = wait_to_be_stopped.submit()
        double.map([first] * 20)
        flow(name="child")(lambda x: begun.append(2)).submit(first)
        submitted.set()

    run = engine.run(main)

    assert str(run.state) == "Cancelled('Asked by a test.')"
    assert begun == [1]
    kept = engine.history.task_runs(run.id)
    assert len(kept) == 22
    assert {each.state.name for each in kept} == {"Cancelled"}
