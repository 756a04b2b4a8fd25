"""Streams whose consumers were submitted."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import suppress
from typing import Any

import pytest
from runs_at_hand import broken, double, states

from taxietl.errors import ConfigError
from taxietl.orchestrator import (
    Engine,
    Stream,
    flow,
    task,
)

SOON = 10


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
