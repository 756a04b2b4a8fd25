"""A flow that is tried again in its own run: what had completed in it is not done again."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from runs_at_hand import Clock, states

from taxietl.errors import ConfigError, TimedOutError
from taxietl.orchestrator import Engine, Retry, State, StateName, current_cancellation, flow, task

CALLS: list[str] = []


@pytest.fixture(autouse=True)
def nothing_called() -> None:
    CALLS.clear()


def times(what: str) -> int:
    """How often that was called, now included."""
    CALLS.append(what)
    return CALLS.count(what)


@task
def add(a: int, b: int) -> int:
    times(f"add {a} {b}")
    return a + b


@task
def cut(until: int) -> str:
    if times("cut") < until:
        raise ConnectionError("cut")
    return "whole"


def test_what_had_completed_is_not_called_again(engine: Engine, clock: Clock) -> None:
    @flow(retry=Retry(on=OSError, attempts=3, delay=[10, 60]))
    def work(a: int) -> str:
        times("work")
        return f"{add(add.submit(a, 1), 1)} {cut(3)}"

    began = clock.now
    run = engine.run(work, 5)

    assert run.result() == "7 whole"
    assert CALLS == ["work", "add 5 1", "add 6 1", "cut", "work", "cut", "work", "cut"]
    assert (clock.now - began).total_seconds() == 70
    again = ["AwaitingRetry", "Retrying"]
    assert states(engine, run.id) == ["Pending", "Running", *again, *again, "Completed"]
    rows = {each.name: each for each in engine.history.task_runs(run.id)}
    assert {name: (row.state.name.value, row.attempts) for name, row in rows.items()} == {
        "add-0": ("Cached", 1),
        "add-1": ("Cached", 1),
        "cut-0": ("Completed", 3),
    }


def test_it_fails_as_its_last_attempt_did(engine: Engine) -> None:
    told = []

    @flow(retries=1, retry_if=lambda error: "cut" in str(error), on_failure=[told.append])
    def work() -> None:
        cut(9)

    run = engine.run(work)

    assert str(run.state) == "Failed('Flow run encountered an exception: ConnectionError: cut')"
    assert CALLS == ["cut", "cut"]
    assert [each.id for each in told] == [run.id]


@pytest.mark.parametrize("returned", ["raised", "state", "task"])
def test_however_it_fails_it_is_tried_again(returned: str, engine: Engine) -> None:
    @flow(retry=Retry(on=Exception, attempts=2))
    def work() -> Any:
        if times("work") == 2:
            return "done"
        if returned == "raised":
            raise ValueError("no")
        if returned == "state":
            return State(StateName.FAILED, "not today", engine.clock())
        cut(9, return_state=True)
        return None

    assert engine.run(work).result() == "done"


def test_an_error_that_is_not_named_is_not_worth_another_attempt(engine: Engine) -> None:
    @flow(retry=Retry(on=TimeoutError))
    def work() -> None:
        cut(2)

    assert engine.run(work).state.is_failed()
    assert CALLS == ["cut"]


def test_calls_that_differ_are_made_again_and_leave_no_trace_of_the_first(engine: Engine) -> None:
    @flow(retries=1)
    def work() -> int:
        n = times("work")
        total = add(n, 0)
        if n == 1:
            add(0, 0)
        cut(2)
        return total

    run = engine.run(work)

    assert run.result() == 2
    assert CALLS == ["work", "add 1 0", "add 0 0", "cut", "work", "add 2 0", "cut"]
    first, left, _ = engine.history.task_runs(run.id)
    assert (first.state.name, first.arguments, first.result) == (
        "Completed",
        '{"a": 2, "b": 0}',
        "2",
    )
    assert left.state.name == "Completed"


def test_a_flow_that_returns_nothing_is_decided_by_its_last_attempt(engine: Engine) -> None:
    @flow(retries=1)
    def work() -> None:
        if times("work") == 1:
            cut(9)

    assert str(engine.run(work).state) == "Completed()"


def test_a_child_run_is_tried_again_by_itself(engine: Engine) -> None:
    @flow(retry=Retry(on=OSError, attempts=2, delay=1))
    def child() -> str:
        add(1, 1)
        return cut(2)

    @flow
    def parent() -> str:
        return child.submit().result()

    run = engine.run(parent)

    assert run.result() == "whole"
    seen = ["Pending", "Running", "AwaitingRetry", "Retrying", "Completed"]
    (its_run,) = engine.history.children(run.id)
    assert states(engine, run.id, "child-0") == states(engine, its_run.id) == seen
    assert CALLS == ["add 1 1", "cut", "cut"]


def test_a_stream_is_read_anew(engine: Engine) -> None:
    @task
    def numbers() -> Generator[int, None, None]:
        times("numbers")
        yield from (1, 2)

    @task(persist_result=False)
    def total(stream: Any) -> int:
        return sum(stream)

    @flow(retries=1)
    def work() -> int:
        found = total(numbers())
        cut(2)
        return found

    assert engine.run(work).result() == 3
    assert CALLS.count("numbers") == 2


def test_one_that_takes_too_long_is_tried_again(engine: Engine) -> None:
    @flow(retries=1, timeout_seconds=0.2)
    def work() -> str:
        if times("work") == 1:
            current_cancellation().wait(30)
        return "in time"

    assert engine.run(work).result() == "in time"

    @flow(retries=0, timeout_seconds=0.2)
    def once() -> None:
        current_cancellation().wait(30)

    with pytest.raises(TimedOutError):
        engine.run(once).result()


def test_a_resumed_run_knows_what_all_attempts_had_done(engine: Engine) -> None:
    @flow(retries=1)
    def work() -> int:
        n = times("work")
        found = add(1, 1)
        if n == 2:
            add(2, 2)
        cut(3)
        return found + (add(2, 2) if n == 3 else 0)

    failed = engine.run(work)
    CALLS.remove("add 2 2")
    again = engine.resume(failed.name, work)

    assert again is not None
    assert again.result() == 6
    assert CALLS == ["work", "add 1 1", "cut", "work", "cut", "work", "cut"]


def test_both_forms_of_a_retry_are_refused() -> None:
    with pytest.raises(ConfigError, match="The flow 'work' has both retry= and retries="):

        @flow(retry=Retry(on=OSError), retries=2)
        def work() -> None: ...
