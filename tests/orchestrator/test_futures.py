"""Submitted tasks and flows, from the outside; the threads under them are in `test_pool.py`."""

from __future__ import annotations

import contextvars
import random
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from taxietl.errors import Cancelled, ConfigError, TargetError
from taxietl.orchestrator import (
    Cache,
    Engine,
    FinalState,
    Future,
    FutureList,
    State,
    StateName,
    Stream,
    current_cancellation,
    flow,
    get_run_logger,
    task,
    unmapped,
)

from .conftest import states

SOON = 10


@task
def double(number: int) -> int:
    return 2 * number


@task
def add(*numbers: int) -> int:
    return sum(numbers)


@task
def broken(why: str = "no such month") -> None:
    raise ValueError(why)


@task
def stopped() -> None:
    raise Cancelled("I was asked to.")


def test_a_submitted_task_runs_in_another_thread_and_gives_its_result(engine: Engine) -> None:
    begin, threads = threading.Event(), []

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
        assert not future.state.is_final
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
    assert not [each for each in threading.enumerate() if "taxietl" in each.name]


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


def test_what_waits_for_others_occupies_no_worker(home: Path) -> None:
    release = threading.Event()

    @task
    def slow() -> int:
        assert release.wait(SOON)
        return 1

    @flow
    def main() -> int:
        first = slow.submit()
        dependants = [double.submit(first) for _ in range(20)]
        double.submit(0).result(timeout=SOON)  # the second worker is free for it
        release.set()
        return sum(each.result() for each in dependants)

    with Engine(home, workers=2) as engine:
        assert engine.run(main).result() == 40


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


def test_a_flow_that_returns_nothing_counts_what_never_began_as_not_completed(
    engine: Engine,
) -> None:
    @flow
    def main() -> None:
        double.submit(broken.submit())
        double.submit(1)

    run = engine.run(main)

    assert str(run.state) == "Failed('1/3 states failed.')"
    with pytest.raises(ValueError, match="no such month"):
        run.result()
    only = engine.run(flow(lambda: double.submit(broken.submit())))
    assert str(only.state) == "Failed('1/1 states not ready.')"
    with pytest.raises(ValueError, match="no such month"):
        only.result()


def test_a_task_that_is_not_ready_stays_so_when_its_run_is_found_dead(engine: Engine) -> None:
    run = engine.run(flow(lambda: double.submit(broken.submit())))

    with engine.history.writing() as writer:
        at = engine.clock()
        writer.end_open(run.id, State(StateName.CRASHED, "gone", at))

    assert states(engine, run.id, "double-0") == ["Pending", "NotReady"]


@pytest.mark.parametrize(
    ("body", "text", "value"),
    [
        (lambda: double.submit(1), "Completed('All states completed.')", 2),
        (lambda: [double.submit(1), 5], "Completed('All states completed.')", [2, 5]),
        (lambda: {"a": (double.submit(1),)}, "Completed('All states completed.')", {"a": (2,)}),
        (lambda: {double.submit(1)}, "Completed('All states completed.')", {2}),
        (lambda: double.map([1, 2]), "Completed('All states completed.')", [2, 4]),
        (lambda: [double(1, return_state=True)], "Completed('All states completed.')", [2]),
        (lambda: (broken.submit(), 7)[1], "Completed()", 7),
        (list, "Completed()", []),
        (lambda: [double.submit(1), broken.submit()], "Failed('1/2 states failed.')", ValueError),
        (lambda: broken(return_state=True), "Failed('1/1 states failed.')", ValueError),
        (lambda: stopped(return_state=True), "Cancelled('1/1 states cancelled.')", Cancelled),
        (
            lambda: [broken.submit(), stopped.submit(), double.submit(1)],
            "Cancelled('1/3 states cancelled.')",
            Cancelled,
        ),
        (lambda: (stopped.submit(), None)[1], "Cancelled('1/1 states cancelled.')", Cancelled),
    ],
)
def test_what_a_flow_returns_decides_and_its_caller_gets_values(
    engine: Engine, body: Callable[[], Any], text: str, value: Any
) -> None:
    run = engine.run(flow(name="main")(body))

    assert str(run.state) == text
    if isinstance(value, type):
        with pytest.raises(value):
            run.result()
    else:
        assert run.result() == value


def test_a_flow_whose_values_do_not_fit_what_it_returned_fails(engine: Engine) -> None:
    run = engine.run(flow(lambda: {task(name="months")(lambda: [1]).submit()}))

    assert run.state.name == "Failed"
    with pytest.raises(TypeError, match="unhashable"):
        run.result()


def test_a_state_that_a_flow_makes_itself_is_taken_as_it_is(engine: Engine) -> None:
    done = State(StateName.COMPLETED, "Nothing to do.", engine.clock())
    not_done = State(StateName.FAILED, "No month given.", engine.clock())

    assert engine.run(flow(lambda: done)).state == done
    run = engine.run(flow(lambda: not_done))
    assert run.state == not_done
    with pytest.raises(Exception, match=r"returned the state Failed\('No month given.'\)"):
        run.result()


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


def test_return_state_gives_the_state_and_raises_nothing(engine: Engine) -> None:
    kept = task(name="kept", cache=Cache())(lambda number: number)
    child = flow(name="child")(lambda: broken())

    @flow
    def main() -> list[str]:
        good, again = kept(1, return_state=True), kept(1, return_state=True)
        bad, below = broken(return_state=True), child(return_state=True)
        later = double.submit(2, return_state=True)
        assert all(isinstance(each, FinalState) for each in (good, again, bad, below, later))
        assert (good.result(), again.result(), later.result()) == (1, 1, 4)
        assert isinstance(bad.result(raise_on_failure=False), ValueError)
        assert isinstance(below.error, ValueError)
        return [each.name.value for each in (good, again, bad, below, later)]

    assert engine.run(main).result() == ["Completed", "Cached", "Failed", "Failed", "Completed"]


def test_map_makes_a_call_of_each_element(engine: Engine) -> None:
    @task
    def label(number: int, folder: list[str], suffix: str) -> str:
        return f"{folder[0]}/{number}{suffix}"

    @flow
    def main() -> list[str]:
        futures = label.map(range(100), unmapped(["x"]), suffix=".csv")
        assert isinstance(futures, FutureList)
        assert [each.name for each in futures] == [f"label-{n}" for n in range(100)]
        assert all(futures.wait())
        return futures.result()

    assert engine.run(main).result() == [f"x/{number}.csv" for number in range(100)]


def test_map_resolves_futures_element_by_element(engine: Engine) -> None:
    numbers = task(name="numbers")(lambda: [1, 2, 3])

    @flow
    def main() -> list[Any]:
        doubled = double.map(numbers.submit())  # the future's value is what is mapped
        summed = add.map(doubled, [10, 20, 30], unmapped(double.submit(50)))
        failing = double.map([broken.submit(), 4])
        return [summed.result(), failing.result(raise_on_failure=False)]

    run = engine.run(main)
    summed, (error, eight) = run.result()

    assert summed == [112, 124, 136]
    assert (type(error), eight) == (ValueError, 8)


@pytest.mark.parametrize(
    ("args", "kwargs", "says"),
    [
        (([1, 2], [1, 2, 3]), {}, "of different lengths: left=2, right=3"),
        (([1],), {"right": ()}, "of different lengths: left=1, right=0"),
        ((1,), {"right": "text"}, "nothing to map over"),
    ],
)
def test_map_refuses_what_does_not_fit(
    engine: Engine, args: tuple[Any, ...], kwargs: dict[str, Any], says: str
) -> None:
    pair = task(name="pair")(lambda left, right: None)

    run = engine.run(flow(lambda: pair.map(*args, **kwargs)))

    with pytest.raises(ConfigError, match=says) as raised:
        run.result()
    assert raised.value.hint
    assert engine.history.task_runs(run.id) == []


def test_a_submitted_flow_is_a_child_run_with_a_place(engine: Engine) -> None:
    @flow
    def child(number: int) -> int:
        return double(number)

    @flow
    def main() -> int:
        return child.submit(double.submit(2)).result() + child.submit(1).result()

    run = engine.run(main)

    assert run.result() == 10
    places = [each for each in engine.history.task_runs(run.id) if each.kind == "subflow"]
    below = engine.history.children(run.id)
    assert [each.child_run_id for each in places] == [each.id for each in below]
    assert [each.parent_task_run_id for each in below] == [each.id for each in places]
    assert [each.arguments for each in places] == ['{"number": 4}', '{"number": 1}']
    assert states(engine, run.id, "child-0") == ["Pending", "Running", "Completed"]
    assert [each.state.name for each in below] == ["Completed"] * 2


def test_a_submitted_flow_with_a_wrong_parameter_is_refused(engine: Engine) -> None:
    @flow
    def child(number: int) -> int:
        return number

    def at_once() -> None:
        with pytest.raises(ConfigError, match="wrong value for 'number'"):
            child.submit("many")
        with pytest.raises(ConfigError, match="cannot be called so"):
            child.submit(double.submit(1), 2)

    def later() -> None:
        text = task(name="text")(lambda: "many")
        child.submit(text.submit())

    assert str(engine.run(flow(at_once)).state) == "Completed('All states completed.')"
    run = engine.run(flow(later))
    assert run.state.message == "1/2 states failed."
    with pytest.raises(ConfigError, match="wrong value for 'number'"):
        run.result()
    assert states(engine, run.id, "child-0") == ["Pending", "Failed"]


@pytest.mark.parametrize("workers", [1, 2])
def test_flows_that_submit_flows_that_submit_do_not_starve(home: Path, workers: int) -> None:
    @flow
    def nest(depth: int) -> int:
        if depth == 0:
            return sum(double.map(range(3)).result())
        return sum(each.result() for each in [nest.submit(depth - 1) for _ in range(3)])

    with Engine(home, workers=workers) as engine:
        assert engine.run(nest, 3).result() == 27 * 6
        assert {each.state.name for each in engine.history.runs(limit=1000)} == {"Completed"}


def test_no_more_than_the_workers_are_at_work(home: Path) -> None:
    lock, now, most = threading.Lock(), 0, 0

    @task
    def work() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.002)
        with lock:
            now -= 1

    @flow
    def child() -> None:
        for _ in range(4):
            work.submit()

    @flow
    def main() -> None:
        for _ in range(8):
            child.submit()
            work.submit()

    with Engine(home, workers=3) as engine:
        engine.run(main).result()

    assert most == 3


def test_an_engine_without_workers_is_refused(home: Path) -> None:
    with pytest.raises(ConfigError, match="workers=0"):
        Engine(home, workers=0)


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


def test_a_stream_is_pulled_in_the_thread_of_its_submitted_consumer(engine: Engine) -> None:
    threads: list[str] = []

    @task
    def batches(count: int) -> Generator[int, None, str]:
        for number in range(count):
            threads.append(threading.current_thread().name)
            yield number
        return "tally"

    @task
    def load(numbers: Stream[int, str]) -> str:
        return f"{sum(numbers)} {numbers.result}"

    @flow
    def main() -> str:
        count = double.submit(2)
        return load.submit(batches(count)).result()

    run = engine.run(main)

    assert run.result() == "6 tally"
    assert set(threads) <= {"taxietl-worker-0", "taxietl-worker-1"}
    kept = {each.name: each for each in engine.history.task_runs(run.id)}
    assert (kept["batches-0"].arguments, kept["batches-0"].counts) == (
        '{"count": 4}',
        {"items": 4},
    )


def test_a_consumer_waits_for_what_its_stream_waits_for(engine: Engine) -> None:
    @task
    def batches(after: Any) -> Generator[int, None, None]:
        yield 1

    load = task(name="load")(lambda stream: list(stream))

    @flow
    def main() -> None:
        load.submit(batches(broken.submit()))
        with suppress(ValueError):
            next(batches(broken.submit()))

    run = engine.run(main)

    assert str(run.state) == "Failed('2/4 states failed.')"
    assert states(engine, run.id, "load-0") == ["Pending", "NotReady"]
    assert states(engine, run.id, "batches-1") == ["Pending", "NotReady"]
    assert len(engine.history.task_runs(run.id)) == 4  # the stream never pulled is no task run


def test_a_second_consumer_is_refused_and_leaves_the_first_its_stream(engine: Engine) -> None:
    pulled, refused = threading.Event(), threading.Event()

    @task
    def batches() -> Generator[int, None, None]:
        yield 1
        pulled.set()
        assert refused.wait(SOON)
        yield 2

    load = task(name="load")(lambda stream: list(stream))

    @flow
    def main() -> list[int]:
        stream = batches()
        first = load.submit(stream)
        assert pulled.wait(SOON)
        second = load.submit(stream)
        with pytest.raises(ConfigError, match="cannot be used a second time"):
            second.result()
        refused.set()
        return list(first.result())

    run = engine.run(main)

    assert run.result() == [1, 2]
    assert states(engine, run.id, "batches-0") == ["Running", "Completed"]


def test_a_streaming_task_is_not_submitted(engine: Engine) -> None:
    @task
    def batches() -> Generator[int, None, None]:
        yield 1

    for call in (lambda: batches.submit(), lambda: batches.map([1])):
        with pytest.raises(ConfigError, match="runs in its consumer") as raised:
            engine.run(flow(call)).result()
        assert "Submit the consumer" in raised.value.hint


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


@pytest.mark.parametrize("decorate", [task, flow])
def test_a_parameter_that_every_call_has_is_refused_at_decoration(decorate: Any) -> None:
    with pytest.raises(ConfigError, match="has a parameter 'wait_for'"):
        decorate(lambda wait_for: None)


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


def test_a_retry_waits_without_occupying_a_worker(home: Path) -> None:
    release = threading.Event()
    tries: list[int] = []

    @task(retries=1, retry_delay_seconds=1)
    def flaky() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("cut")
        return len(tries)

    def sleep(seconds: float) -> None:
        assert release.wait(SOON)

    @flow
    def main() -> int:
        first = flaky.submit()
        double.submit(1).result(timeout=SOON)
        release.set()
        return first.result()

    with Engine(home, workers=1, sleep=sleep) as engine:
        assert engine.run(main).result() == 2


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


def test_a_full_disk_ends_a_run_that_has_submitted(home: Path) -> None:
    with Engine(home) as engine:
        connection = engine.history.database.connection()

        @task
        def fill() -> None:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + 2}")

        @flow
        def main() -> None:
            first = fill.submit()
            add.submit(*double.map([first] * 1000))

        with pytest.raises(TargetError, match="The disk is full"):
            engine.run(main).result()

    assert not [each for each in threading.enumerate() if "taxietl" in each.name]


def test_eight_threads_submit_many_tasks_to_one_engine(home: Path) -> None:
    @flow
    def busy(start: int) -> int:
        return sum(add.map(double.map(range(start, start + 50)), unmapped(1)).result())

    with Engine(home, workers=4) as engine, ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda start: engine.run(busy, start), range(8)))

        expected = [sum(2 * n + 1 for n in range(start, start + 50)) for start in range(8)]
        assert [run.result() for run in runs] == expected
        for run in runs:
            kept = engine.history.task_runs(run.id)
            assert {each.state.name for each in kept} == {"Completed"}
            names = {f"{task}-{n}" for task in ("double", "add") for n in range(50)}
            assert {each.name for each in kept} == names


@task
def leaf(seed: float, *after: Any) -> int:
    rng = random.Random(seed)
    if rng.random() < 0.1:
        time.sleep(0.003 * rng.random())
    if rng.random() < 0.05:
        raise ValueError("a leaf failed")
    return 1


@flow
def tree(seed: float, depth: int) -> int:
    """Submit, call and wait at random; some of it fails."""
    rng = random.Random(seed)
    futures: list[Future[int]] = []
    for _ in range(rng.randint(1, 5)):
        kind = rng.random()
        after = rng.sample(futures, min(len(futures), rng.randint(0, 2)))
        if depth and kind < 0.4:
            futures.append(tree.submit(rng.random(), depth - 1, wait_for=after))
        elif depth and kind < 0.5:
            tree(rng.random(), depth - 1, return_state=True)
        elif kind < 0.6:
            leaf(rng.random(), return_state=True)
        else:
            futures.append(leaf.submit(rng.random(), after))
        if futures and rng.random() < 0.3:
            rng.choice(futures).wait(rng.choice([None, 0.001]))
    return 1


def grow(home: Path, seed: int) -> int:
    """Run a tree with few workers, and see that all of it has ended; how many task runs it had."""
    with Engine(home, workers=1 + seed % 3) as engine:
        assert engine.run(tree, seed, 3).result() == 1
        runs = engine.history.runs(limit=10_000)
        kept = [each for run in runs for each in engine.history.task_runs(run.id)]
        assert all(run.state.is_final for run in runs)
        assert all(each.state.is_final for each in kept)
        return len(kept)


@pytest.mark.parametrize("seed", range(6))
def test_a_tree_of_calls_comes_to_its_end_with_few_workers(home: Path, seed: int) -> None:
    grow(home, seed)


@pytest.mark.torture
def test_torture_of_trees_of_submitted_calls(tmp_path: Path) -> None:
    counts = [grow(tmp_path / str(seed), seed) for seed in range(400)]

    print(f"seeds 0 to {len(counts) - 1}: {sum(counts):,} task runs, {max(counts):,} in one run")
