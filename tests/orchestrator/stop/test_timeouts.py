from __future__ import annotations

import contextvars
import itertools
import logging
import random
import threading
import time
from collections.abc import Callable, Generator
from typing import Any

import pytest
from runs_at_hand import states

from taxietl.errors import Cancelled, ConfigError, TimedOutError, TransientError
from taxietl.orchestrator import (
    Cancellation,
    Engine,
    Retry,
    Run,
    Stream,
    current_cancellation,
    current_run,
    flow,
    get_run_logger,
    task,
)
from taxietl.orchestrator.stop.cancellation import interruptible
from taxietl.orchestrator.stop.timeouts import TimeLimit

SHORT = 0.05
LONGER = (SHORT, 1.0, 5.0, 25.0)


def run_far_enough(
    engine: Engine, limited: Callable[[float], Any], begun: list[int], times: int = 1
) -> tuple[Run[Any], float]:
    """Run a flow of so short a limit that its work comes just to where it notes it has begun.

    A machine that stalls does not come there in 0.05 s. Gives the run, and its limit.
    """
    for limit in LONGER:
        begun.clear()
        run = engine.run(limited(limit))
        if len(begun) == times:
            break
    return run, limit


def spin() -> None:
    """Never end, in Python."""
    while True:
        pass


@task(timeout_seconds=SHORT)
def busy() -> None:
    spin()


@task(timeout_seconds=SHORT)
def patient() -> None:
    current_cancellation().wait(30)


@task(timeout_seconds=SHORT)
def polling() -> None:
    while True:
        current_cancellation().check()
        time.sleep(0.01)


@task(timeout_seconds=SHORT)
def chatter() -> None:
    while True:
        get_run_logger().info("still here")


@task(timeout_seconds=SHORT)
def query() -> None:
    """Like a database: interrupted from another thread, it fails with an error of its own."""
    interrupted = threading.Event()
    with current_cancellation().on_cancel(interrupted.set):
        interrupted.wait(30)
        raise ConnectionError("interrupted")


@task(timeout_seconds=SHORT)
def late() -> int:
    time.sleep(SHORT * 4)
    return 5


@pytest.mark.parametrize(
    "slow", [busy, chatter, patient, polling, query, late], ids=lambda slow: slow.name
)
def test_a_task_that_is_too_slow_has_timed_out(engine: Engine, slow: Any) -> None:
    began = time.monotonic()
    run = engine.run(flow(lambda: slow()))
    seconds = time.monotonic() - began

    (task_run,) = engine.history.task_runs(run.id)
    message = f"Task run '{slow.name}-0' exceeded its timeout of 0.05 seconds."
    assert str(task_run.state) == f'TimedOut("{message}", type=FAILED)'
    assert seconds < 10  # of 30, or of ever
    assert run.state.name == "Failed"
    with pytest.raises(TimedOutError, match=message):
        run.result()


def test_a_task_in_time_gives_its_value_and_leaves_no_thread(engine: Engine) -> None:
    @task(timeout_seconds=30)
    def quick() -> int:
        return 5

    run = engine.run(flow(lambda: quick()))

    assert run.result() == 5
    assert states(engine, run.id, "quick-0") == ["Pending", "Running", "Completed"]
    watchers = [each for each in threading.enumerate() if each.name == "taxietl-timeout"]
    for each in watchers:
        each.join(5)
    assert not any(each.is_alive() for each in watchers)


@pytest.mark.parametrize("on", [Exception, TimeoutError, TransientError, TimedOutError])
def test_a_timeout_is_retried_as_the_failure_it_is(engine: Engine, on: type[Exception]) -> None:
    @task(timeout_seconds=SHORT, retry=Retry(on=on, attempts=2, delay=10))
    def slow() -> None:
        current_cancellation().wait(30)

    run = engine.run(flow(lambda: slow()))

    assert states(engine, run.id, "slow-0") == [
        *("Pending", "Running", "AwaitingRetry", "Retrying", "TimedOut")
    ]


def test_an_attempt_has_the_whole_time_again_and_may_do_better(engine: Engine) -> None:
    attempts: list[int] = []
    ended: list[int] = []

    def improving() -> int:
        attempts.append(1)
        current_cancellation().wait(0.01 if len(attempts) % 2 == 0 else 60)
        ended.append(1)
        return 5

    def limited(seconds: float) -> Any:
        return flow(lambda: task(timeout_seconds=seconds, retries=1)(improving)())

    run, _ = run_far_enough(engine, limited, ended)

    assert run.result() == 5
    assert states(engine, run.id, "improving-0") == [
        *("Pending", "Running", "AwaitingRetry", "Retrying", "Completed")
    ]


def test_the_next_attempt_begins_when_the_last_has_ended(engine: Engine) -> None:
    events = []

    @task(timeout_seconds=SHORT, retries=1)
    def stubborn() -> None:
        events.append("begins")
        time.sleep(0.3)  # no thread can be stopped in there
        events.append("ends")

    engine.run(flow(lambda: stubborn()))

    assert events == ["begins", "ends"] * 2


def test_what_does_not_end_is_told_once() -> None:
    told = []
    is_told = threading.Event()

    def tell() -> None:
        told.append(1)
        is_told.set()

    def deaf() -> None:
        assert is_told.wait(30)
        time.sleep(0.5)  # in which it could be told again

    limit = TimeLimit(
        *(0.01, Cancellation()),
        who="Task run 'deaf-0'",
        run_id="1",
        stubborn=tell,
        stubborn_after_seconds=0.05,
    )

    with pytest.raises(TimedOutError), limit:
        limit.call(deaf)

    assert told == [1]


def test_the_log_says_that_a_thread_cannot_be_stopped_and_what_to_do(engine: Engine) -> None:
    warned = threading.Event()

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno == logging.WARNING:
                warned.set()

    @task(timeout_seconds=SHORT)
    def deaf() -> None:
        warned.wait(30)

    handler = Listening()
    logging.getLogger("taxietl.task_runs").addHandler(handler)
    try:
        run = engine.run(flow(lambda: deaf()))
    finally:
        logging.getLogger("taxietl.task_runs").removeHandler(handler)

    (task_run,) = engine.history.task_runs(run.id)
    (warning,) = [each for each in engine.history.logs(run.id) if each.level == "WARNING"]
    assert warning.task_run_id == task_run.id
    assert "does not end after its timeout of 0.05 seconds" in warning.message
    assert "isolate=True" in warning.message


def test_cleaning_up_is_not_struck(engine: Engine) -> None:
    events = []

    @task(timeout_seconds=SHORT)
    def careful() -> None:
        try:
            current_cancellation().wait(30)
        finally:
            time.sleep(1.2)  # longer than it takes until a thread is struck
            events.append("cleaned up")

    engine.run(flow(lambda: careful()))

    assert events == ["cleaned up"]


def test_the_error_says_where_the_time_went(engine: Engine) -> None:
    run = engine.run(flow(lambda: busy()))

    assert any(
        "in spin" in each.message and "TimedOutError" in each.message
        for each in engine.history.logs(run.id)
    )


def test_the_attempt_runs_where_it_is_called(engine: Engine) -> None:
    variable = contextvars.ContextVar("variable", default="unset")

    @task(timeout_seconds=30)
    def look() -> tuple[str, int]:
        return variable.get(), threading.get_ident()

    @flow
    def work() -> tuple[tuple[str, int], int]:
        variable.set("set")
        return look(), threading.get_ident()

    (value, thread), here = engine.run(work).result()
    assert (value, thread) == ("set", here)


def test_a_request_to_stop_the_run_is_no_timeout(engine: Engine) -> None:
    @task(timeout_seconds=30, retries=3)
    def slow() -> None:
        run = current_run()
        assert run is not None
        threading.Timer(0.05, lambda: run.cancellation.request("Enough.")).start()
        current_cancellation().wait(20)

    run = engine.run(flow(lambda: slow()))

    assert states(engine, run.id, "slow-0") == ["Pending", "Running", "Cancelled"]
    assert str(run.state) == "Cancelled('Enough.')"


def test_a_consumers_timeout_ends_its_stream_and_a_retry_opens_it_anew(engine: Engine) -> None:
    opened: list[int] = []

    @task
    def numbers() -> Generator[int, None, None]:
        opened.append(1)
        yield from itertools.count()

    def pull(stream: Stream[int, None]) -> None:
        for _ in stream:
            pass

    def limited(seconds: float) -> Any:
        return flow(lambda: task(timeout_seconds=seconds, retries=1)(pull)(numbers()))

    run, _ = run_far_enough(engine, limited, opened, times=2)

    assert states(engine, run.id, "pull-0") == [
        *("Pending", "Running", "AwaitingRetry", "Retrying", "TimedOut")
    ]
    assert states(engine, run.id, "numbers-0") == [
        *("Running", "Cancelled", "AwaitingRetry", "Retrying", "Cancelled")
    ]


def test_a_flows_timeout_ends_its_tasks_and_begins_no_other(engine: Engine) -> None:
    begun: list[int] = []

    @task(retries=3)
    def slow() -> None:
        begun.append(1)
        current_cancellation().wait(60)

    def work() -> None:
        try:
            slow()
        except Cancelled:
            slow()

    run, limit = run_far_enough(
        engine, lambda seconds: flow(run_name="worker", timeout_seconds=seconds)(work), begun
    )

    reason = f"Flow run {run.name!r} exceeded its timeout of {limit:g} seconds."
    (task_run,) = engine.history.task_runs(run.id)
    assert states(engine, run.id) == ["Pending", "Running", "TimedOut"]
    assert states(engine, run.id, "slow-0") == ["Pending", "Running", "Cancelled"]
    assert run.state.message == task_run.state.message == reason
    with pytest.raises(TimedOutError, match="worker"):
        run.result()


def test_a_flow_that_spins_is_struck(engine: Engine) -> None:
    run = engine.run(flow(timeout_seconds=SHORT)(spin))

    assert run.state.name == "TimedOut"


@pytest.mark.parametrize("is_waited_for", [True, False])
def test_a_flows_timeout_ends_what_it_submitted(engine: Engine, is_waited_for: bool) -> None:
    begun: list[int] = []

    @task
    def slow() -> None:
        begun.append(1)
        while True:
            time.sleep(0.001)

    @flow
    def child() -> None:
        slow()

    def work() -> None:
        calls = [slow.submit(), child.submit()]
        if is_waited_for:
            calls[0].result()

    run, _ = run_far_enough(
        engine, lambda seconds: flow(timeout_seconds=seconds)(work), begun, times=2
    )

    assert run.state.name == "TimedOut"
    assert states(engine, run.id, "slow-0") == ["Pending", "Running", "Cancelled"]
    (below,) = engine.history.children(run.id)
    assert states(engine, below.id, "slow-0") == ["Pending", "Running", "Cancelled"]


def test_a_child_run_that_times_out_is_a_failure_to_its_parent(engine: Engine) -> None:
    @flow(timeout_seconds=SHORT, run_name="child")
    def child() -> None:
        current_cancellation().wait(30)

    @flow
    def parent(shrug: bool) -> int:
        try:
            child()
        except TimedOutError:
            if not shrug:
                raise
        return busy_with_something()

    @task
    def busy_with_something() -> int:
        return 5

    failed, went_on = engine.run(parent, False), engine.run(parent, True)

    assert states(engine, failed.id, "child-0") == ["Pending", "Running", "TimedOut"]
    assert failed.state.name == "Failed"
    assert went_on.result() == 5


def test_a_task_that_calls_a_slow_flow_has_its_own_limit(engine: Engine) -> None:
    begun: list[int] = []

    @flow
    def child() -> None:
        begun.append(1)
        current_cancellation().wait(60)

    def caller() -> None:
        child()

    run, _ = run_far_enough(
        engine, lambda seconds: flow(lambda: task(timeout_seconds=seconds)(caller)()), begun
    )

    (below, *_) = [each for each in engine.history.runs() if each.flow == "child"]
    assert states(engine, run.id, "caller-0") == ["Pending", "Running", "TimedOut"]
    assert below.state.name == "Cancelled"


@pytest.mark.parametrize("decorator", [flow, task])
@pytest.mark.parametrize("seconds", [0, -1.5])
def test_a_limit_that_leaves_no_time_is_refused(decorator: Any, seconds: float) -> None:
    with pytest.raises(ConfigError, match="could never do anything"):
        decorator(timeout_seconds=seconds)(lambda: None)


@pytest.mark.parametrize("option", [{"timeout_seconds": 5}, {"isolate": True}], ids=str)
def test_a_stream_has_no_limit_of_its_own(option: dict[str, Any]) -> None:
    def numbers() -> Generator[int, None, None]:
        yield 1

    with pytest.raises(ConfigError, match=f"generator and takes no {next(iter(option))}="):
        task(**option)(numbers)


def _race(rounds: int, seed: int) -> dict[str, int]:
    """Let calls end at about the moment they are struck; counts how they ended."""
    rng, counts = random.Random(seed), {"value": 0, "late": 0}
    for _ in range(rounds):
        limit = TimeLimit(
            *(0.002, Cancellation()),
            who="Task run 'racer-0'",
            run_id="1",
            stubborn=lambda: None,
            strike_after_seconds=0,
        )
        end = time.monotonic() + rng.uniform(0, 0.02)

        def race(end: float = end) -> int:
            while time.monotonic() < end:
                pass
            return 5

        with limit:
            try:
                assert limit.call(lambda: interruptible(race)) == 5
                counts["value"] += 1
            except TimedOutError:
                counts["late"] += 1
        sum(range(100))  # a strike that was still on its way would hit here
    return counts


def test_a_strike_hits_the_call_or_nothing() -> None:
    counts = _race(200, seed=1)

    assert counts["value"] > 0
    assert counts["late"] > 0


@pytest.mark.torture
def test_many_strikes_hit_their_calls_or_nothing() -> None:
    rounds = 5000

    counts = _race(rounds, seed=2)

    print(f"seed 2, {rounds} calls: {counts}")
    assert sum(counts.values()) == rounds


def test_a_limit_reaches_a_wait_for_a_future(engine: Engine) -> None:
    go = threading.Event()
    waited: list[str] = []

    @task
    def slow() -> int:
        assert go.wait(30)
        return 1

    def wait_for(future: Any) -> None:
        try:
            future.wait()
        except Cancelled:
            waited.append(str(slow_one.state.name))
            raise

    a_task = task(name="a task", timeout_seconds=SHORT)(lambda: wait_for(slow_one))
    a_flow = flow(name="a flow", timeout_seconds=SHORT)(lambda: wait_for(slow_one))
    nested = task(timeout_seconds=SHORT)(lambda: flow(lambda: wait_for(slow_one))())

    @flow
    def work() -> list[str]:
        nonlocal slow_one
        slow_one = slow.submit()
        ended = [each(return_state=True) for each in (a_task, a_flow, nested)]
        ended.append(a_task.submit(return_state=True))
        go.set()
        return [str(each.name) for each in ended]

    slow_one: Any = None
    assert engine.run(work).result() == ["TimedOut"] * 4
    assert waited == ["Running"] * 4
