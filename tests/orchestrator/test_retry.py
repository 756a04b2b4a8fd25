from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from taxietl.errors import ConfigError
from taxietl.orchestrator import Engine, Retry, exponential, flow, task
from taxietl.orchestrator.retry import Exponential


@pytest.mark.parametrize(
    ("delay", "waits"),
    [
        (10, [10, 10, 10, 10]),
        ([1, 5, 30], [1, 5, 30, 30]),
        (exponential(2, 10), [2, 4, 8, 10]),
    ],
    ids=["number", "list", "exponential"],
)
def test_delays(delay: float | Sequence[float] | Exponential, waits: list[float]) -> None:
    retry = Retry(on=OSError, delay=delay)

    assert [retry.wait_seconds(failures, random.Random(1)) for failures in (1, 2, 3, 4)] == waits


def test_jitter_makes_a_delay_longer_by_at_most_its_fraction() -> None:
    retry, rng = Retry(on=OSError, delay=10, jitter=0.5), random.Random(1)

    waits = [retry.wait_seconds(1, rng) for _ in range(200)]

    assert min(waits) >= 10
    assert max(waits) <= 15
    assert max(waits) - min(waits) > 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"on": BaseException},
        {"on": ()},
        {"on": "OSError"},
        {"on": OSError, "attempts": 0},
        {"on": OSError, "jitter": 2.0},
        {"on": OSError, "delay": []},
    ],
    ids=str,
)
def test_a_plan_that_cannot_work_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="Retry"):
        Retry(**wrong)


def test_a_plan_must_name_what_it_retries() -> None:
    with pytest.raises(TypeError, match="on"):
        Retry(attempts=2)  # type: ignore[call-arg]


def test_attempts_are_states_of_one_task_run_with_the_time_of_the_next(engine: Engine) -> None:
    calls = []

    @task(retry=Retry(on=OSError, attempts=3, delay=[10, 60]))
    def flaky() -> int:
        calls.append(1)
        if len(calls) < 3:
            raise OSError(f"cut {len(calls)}")
        return 5

    run = engine.run(flow(lambda: flaky()))

    (task_run,) = engine.history.task_runs(run.id)
    story = engine.history.states(run.id, task_run.id)
    assert run.result() == 5
    assert [(each.state.name, each.attempt) for each in story] == [
        ("Pending", None),
        ("Running", 1),
        ("AwaitingRetry", 1),
        ("Retrying", 2),
        ("AwaitingRetry", 2),
        ("Retrying", 3),
        ("Completed", 3),
    ]
    waiting = story[4]
    assert waiting.state.message == "Attempt 2 of 3 failed: OSError: cut 2"
    assert waiting.scheduled_for == waiting.state.at + timedelta(seconds=60)
    assert story[5].state.at == waiting.scheduled_for
    assert task_run.attempts == 3


def test_an_error_that_is_not_named_is_not_retried(engine: Engine) -> None:
    @task(retry=Retry(on=OSError))
    def wrong() -> None:
        raise ValueError("no such month")

    run = engine.run(flow(lambda: wrong()))

    assert engine.history.task_runs(run.id)[0].attempts == 1
    with pytest.raises(ValueError, match="no such month"):
        run.result()


def test_the_last_error_is_raised_when_all_attempts_failed(engine: Engine) -> None:
    calls = []

    @task(retries=2, retry_delay_seconds=1)
    def hopeless() -> None:
        calls.append(1)
        raise OSError(f"cut {len(calls)}")

    run = engine.run(flow(lambda: hopeless()))

    assert len(calls) == 3
    with pytest.raises(OSError, match="cut 3"):
        run.result()


def test_both_forms_at_once_are_refused() -> None:
    with pytest.raises(ConfigError, match="both"):
        task(retry=Retry(on=OSError), retries=1)(lambda: None)
