from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextvars import ContextVar
from dataclasses import dataclass

import pytest
from runs_at_hand import states

from taxietl.errors import ConfigError
from taxietl.orchestrator import Engine, Retry, Stream, current_run, flow, task

COLOR: ContextVar[str] = ContextVar("color", default="none")


@dataclass
class Batch:
    num_rows: int


@task
def count_to(number: int) -> Generator[int, None, str]:
    yield from range(number)
    return f"counted to {number}"


@task
def consume(numbers: Stream[int, str]) -> str:
    total = sum(numbers)
    return f"{total}, {numbers.result}"


def test_a_stream_is_read_by_its_consumer_and_counted(engine: Engine) -> None:
    run = engine.run(flow(lambda: consume(count_to(4))))

    consumer, stream = engine.history.task_runs(run.id)
    assert run.result() == "6, counted to 4"
    assert states(engine, run.id, "count_to-0") == ["Running", "Completed"]
    assert [consumer.kind, stream.kind] == ["task", "stream"]
    assert stream.counts == {"items": 4}
    assert stream.result == '"counted to 4"'


def test_rows_are_counted_where_the_items_have_rows(engine: Engine) -> None:
    @task
    def batches() -> Generator[Batch, None, None]:
        yield Batch(10)
        yield Batch(5)

    run = engine.run(flow(lambda: len(list(batches()))))

    assert engine.history.task_runs(run.id)[0].counts == {"items": 2, "rows": 15}


def test_a_stream_that_nobody_pulls_is_no_task_run(engine: Engine) -> None:
    run = engine.run(flow(lambda: repr(count_to(4))))

    assert run.result() == "<Stream of task 'count_to'>"
    assert engine.history.task_runs(run.id) == []


def test_outside_a_flow_a_stream_is_the_plain_generator() -> None:
    stream = count_to(3)

    assert list(stream) == [0, 1, 2]
    assert stream.result == "counted to 3"


def test_yield_from_a_stream_gives_its_result() -> None:
    def outer() -> Generator[int, None, str]:
        return (yield from count_to(2))

    generator = outer()
    assert [next(generator), next(generator)] == [0, 1]
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert stop.value.value == "counted to 2"


def test_the_result_is_not_there_before_the_end() -> None:
    stream = count_to(3)
    next(stream)

    with pytest.raises(ConfigError, match=r"'count_to' has no result yet") as error:
        _ = stream.result
    assert "until it stops" in error.value.hint


def test_a_stream_closed_early_is_cancelled_and_does_not_fail_the_flow(engine: Engine) -> None:
    closed = []

    @task
    def endless() -> Generator[int, None, None]:
        try:
            while True:
                yield 1
        finally:
            closed.append(True)

    @task
    def first_of(numbers: Stream[int, None]) -> int:
        return next(numbers)

    @flow
    def peek() -> None:
        first_of(endless())

    run = engine.run(peek)

    assert str(run.state) == "Completed('All states completed.')"
    assert states(engine, run.id, "endless-0") == ["Running", "Cancelled"]
    assert closed == [True]
    (stream,) = [each for each in engine.history.task_runs(run.id) if each.kind == "stream"]
    assert stream.state.message == "Closed early by 'first_of-0'."
    assert stream.counts == {"items": 1}


def test_a_stream_left_open_by_the_flows_body_is_closed_at_its_end(engine: Engine) -> None:
    run = engine.run(flow(lambda: next(count_to(4))))

    assert run.result() == 0
    assert states(engine, run.id, "count_to-0") == ["Running", "Cancelled"]


def test_a_failing_consumer_cancels_its_stream(engine: Engine) -> None:
    @task
    def fail(numbers: Stream[int, str]) -> None:
        next(numbers)
        raise ValueError("disk on fire")

    run = engine.run(flow(lambda: fail(count_to(4))))

    assert states(engine, run.id, "count_to-0") == ["Running", "Cancelled"]
    assert states(engine, run.id, "fail-0") == ["Pending", "Running", "Failed"]
    with pytest.raises(ValueError, match="disk on fire"):
        run.result()


def test_a_failing_stream_fails_its_consumer_with_the_same_error(engine: Engine) -> None:
    @task
    def broken() -> Generator[int, None, str]:
        yield 1
        raise ValueError("bad line 7")

    run = engine.run(flow(lambda: consume(broken())))

    assert states(engine, run.id, "broken-0") == ["Running", "Failed"]
    assert states(engine, run.id, "consume-0") == ["Pending", "Running", "Failed"]
    with pytest.raises(ValueError, match="bad line 7"):
        run.result()


def test_a_retry_of_the_consumer_opens_the_stream_anew(engine: Engine) -> None:
    totals: list[int] = []

    @task(retry=Retry(on=OSError, attempts=3))
    def flaky(numbers: Stream[int, str]) -> int:
        if not totals:
            totals.append(next(numbers))
            raise OSError("cut in the middle")
        totals.append(sum(numbers))
        if len(totals) == 2:
            raise OSError("cut at the end")
        return totals[-1]

    run = engine.run(flow(lambda: flaky(count_to(4))))

    assert run.result() == 6
    assert totals == [0, 6, 6]
    assert states(engine, run.id, "count_to-0") == [
        "Running",
        "AwaitingRetry",
        "Retrying",
        "Completed",
        "AwaitingRetry",
        "Retrying",
        "Completed",
    ]
    (stream,) = [each for each in engine.history.task_runs(run.id) if each.kind == "stream"]
    assert (stream.attempts, stream.counts) == (3, {"items": 4})


def test_a_failure_of_the_stream_that_a_retry_heals_does_not_fail_the_flow(
    engine: Engine,
) -> None:
    opened = []

    @task
    def flaky() -> Generator[int, None, None]:
        opened.append(1)
        yield 1
        if len(opened) == 1:
            raise OSError("cut")

    @task(retries=1)
    def total(numbers: Stream[int, None]) -> int:
        return sum(numbers)

    @flow
    def heal() -> None:
        total(flaky())

    run = engine.run(heal)

    assert str(run.state) == "Completed('All states completed.')"
    assert states(engine, run.id, "flaky-0") == [
        "Running",
        "Failed",
        "AwaitingRetry",
        "Retrying",
        "Completed",
    ]


@pytest.mark.parametrize("again", ["a second task", "the flow's body", "the same reader"])
def test_a_second_use_is_an_error_that_names_the_task(engine: Engine, again: str) -> None:
    @flow
    def twice() -> int:
        numbers = count_to(4)
        if again == "the same reader":
            list(numbers)
        else:
            consume(numbers)
        if again == "a second task":
            consume(numbers)
        return sum(numbers)

    run = engine.run(twice)

    with pytest.raises(ConfigError, match=r"'count_to' cannot be used a second time") as error:
        run.result()
    assert "call 'count_to' once for each" in error.value.hint


def test_a_closed_stream_does_not_end_as_if_it_were_complete() -> None:
    numbers = count_to(4)
    next(numbers)
    numbers.close()

    with pytest.raises(ConfigError, match="was closed"):
        next(numbers)


def test_a_context_variable_set_in_a_generator_does_not_leak(engine: Engine) -> None:
    seen = []

    @task
    def colored() -> Generator[str, None, None]:
        COLOR.set("yellow")
        yield COLOR.get()
        yield COLOR.get()

    @flow
    def look() -> None:
        for color in colored():
            seen.append((color, COLOR.get()))

    engine.run(look).result()

    assert seen == [("yellow", "none"), ("yellow", "none")]


def test_a_generator_knows_its_run_when_another_thread_pulls(engine: Engine) -> None:
    @task
    def whoami() -> Generator[str, None, None]:
        run = current_run()
        yield run.name if run else "nobody"

    @task
    def pull_elsewhere(names: Iterator[str]) -> list[str]:
        pulled: list[str] = []
        thread = threading.Thread(target=lambda: pulled.extend(names))
        thread.start()
        thread.join()
        return pulled

    run = engine.run(flow(lambda: pull_elsewhere(whoami())))

    assert run.result() == [run.name]
    assert states(engine, run.id, "whoami-0") == ["Running", "Completed"]


def test_pulls_from_many_threads_are_one_at_a_time() -> None:
    stream, pulled = count_to(2000), []

    def pull() -> None:
        while (number := next(stream, None)) is not None:
            pulled.append(number)

    threads = [threading.Thread(target=pull) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(pulled) == list(range(2000))


@pytest.mark.parametrize("option", ["retry", "cache", "tags", "retries"])
def test_options_of_a_consumer_are_refused_on_a_generator(option: str) -> None:
    from taxietl.orchestrator import Cache

    values = {"retry": Retry(on=OSError), "cache": Cache(), "tags": {"tlc"}, "retries": 2}

    def numbers() -> Generator[int, None, None]:
        yield 1

    with pytest.raises(ConfigError, match=r"'numbers' is a generator and takes no"):
        task(**{option: values[option]})(numbers)  # type: ignore[call-overload]
