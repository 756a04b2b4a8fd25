from __future__ import annotations

import random
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
import tenacity
from runs_at_hand import Clock, states

from taxietl.errors import ConfigError, TransientError
from taxietl.orchestrator import Engine, Retry, exponential, flow, task
from taxietl.orchestrator.define.retry import Delay


@pytest.mark.parametrize(
    ("delay", "waits"),
    [
        (10, [10, 10, 10, 10]),
        ([1, 5, 30], [1, 5, 30, 30]),
        (exponential(2, 10), [2, 4, 8, 10]),
        (lambda failures: failures * 7, [7, 14, 21, 28]),
        (tenacity.wait_exponential(multiplier=3, max=20), [3, 6, 12, 20]),
        (tenacity.wait_chain(*map(tenacity.wait_fixed, (1, 5))), [1, 5, 5, 5]),
        (tenacity.wait_fixed(1) + tenacity.wait_incrementing(10, 10), [11, 21, 31, 41]),
        (sum([tenacity.wait_fixed(1), tenacity.wait_fixed(2)]), [3, 3, 3, 3]),
        (tenacity.wait_fixed(1) + exponential(2, 10), [3, 5, 9, 11]),
        (exponential(2, 10) + tenacity.wait_fixed(1), [3, 5, 9, 11]),
        (tenacity.wait_exponential_jitter(jitter=0), [1, 2, 4, 8]),
    ],
    ids=[
        *("number", "list", "exponential", "function", "wait", "chain", "waits", "sum"),
        *("and-ours", "ours-and", "jitter"),
    ],
)
def test_delays(delay: Delay, waits: list[float]) -> None:
    retry = Retry(on=OSError, delay=delay)

    assert [retry.wait_seconds(failures, random.Random(1)) for failures in (1, 2, 3, 4)] == waits


def test_jitter_makes_a_delay_longer_by_at_most_its_fraction() -> None:
    retry, rng = Retry(on=OSError, delay=10, jitter=0.5), random.Random(1)

    waits = [retry.wait_seconds(1, rng) for _ in range(200)]

    assert min(waits) >= 10
    assert max(waits) <= 15
    assert max(waits) - min(waits) > 4


def test_a_wait_of_tenacitys_may_draw_its_seconds() -> None:
    retry = Retry(on=OSError, delay=tenacity.wait_random(3, 5), jitter=1.0)

    waits = [retry.wait_seconds(1, random.Random(1)) for _ in range(50)]

    assert len(set(waits)) > 40
    assert 3 <= min(waits) <= max(waits) <= 10


@pytest.mark.parametrize(
    "wrong",
    [
        {"on": BaseException},
        {"on": ()},
        {"on": "OSError"},
        {"on": OSError, "attempts": 0},
        {"on": OSError, "jitter": 2.0},
        {"on": OSError, "delay": []},
        {"on": OSError, "delay": [1, -1]},
        {"on": OSError, "max_seconds": -1},
        {"on": OSError, "delay": tenacity.wait_random},
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


def attempts_and_lines(engine: Engine, run_id: str) -> tuple[int, list[str]]:
    """How often the run's one task was tried, and what its log warns of."""
    (task_run,) = engine.history.task_runs(run_id)
    logs = engine.history.logs(run_id)
    return task_run.attempts, [each.message for each in logs if each.level == "WARNING"]


def waits_of(engine: Engine, run_id: str) -> list[float]:
    """The seconds between the attempts of the run's one task."""
    (task_run,) = engine.history.task_runs(run_id)
    return [
        (each.scheduled_for - each.state.at).total_seconds()
        for each in engine.history.states(run_id, task_run.id)
        if each.scheduled_for
    ]


@pytest.mark.parametrize(("code", "attempts"), [(503, 3), (404, 1)])
@pytest.mark.parametrize("form", ["long", "short"])
def test_a_predicate_decides_about_the_error(
    engine: Engine, code: int, attempts: int, form: str
) -> None:
    def is_passing(error: Exception) -> bool:
        return error.args == (503,)

    plan: dict[str, Any] = {"retry": Retry(on=OSError, attempts=3, retry_if=is_passing)}
    if form == "short":
        plan = {"retries": 2, "retry_if": is_passing}

    @task(**plan)
    def fetch() -> None:
        raise OSError(code)

    run = engine.run(flow(lambda: fetch()))

    said = ["No further attempt: retry_if said no."] if code == 404 else []
    assert attempts_and_lines(engine, run.id) == (attempts, said)
    with pytest.raises(OSError, match=str(code)):
        run.result()


def test_a_predicate_that_fails_ends_the_attempts_and_hides_no_error(engine: Engine) -> None:
    def broken(error: Exception) -> bool:
        raise KeyError("status")

    @task(retry=Retry(on=OSError, retry_if=broken))
    def fetch() -> None:
        raise OSError("cut")

    run = engine.run(flow(lambda: fetch()))

    said = ["No further attempt: retry_if failed: KeyError: 'status'."]
    assert attempts_and_lines(engine, run.id) == (1, said)
    with pytest.raises(OSError, match="cut"):
        run.result()


def test_a_predicate_without_retries_is_refused() -> None:
    with pytest.raises(ConfigError, match="retry_if= without retries="):
        task(retry_if=lambda error: True)(lambda: None)


@pytest.mark.parametrize(("max_seconds", "attempts"), [(29.9, 2), (30, 3), (None, 4)])
def test_no_attempt_begins_after_the_cap(
    engine: Engine, max_seconds: float | None, attempts: int
) -> None:
    @task(retry=Retry(on=OSError, delay=[10, 20, 30], max_seconds=max_seconds))
    def hopeless() -> None:
        raise OSError("cut")

    run = engine.run(flow(lambda: hopeless()))

    tried, said = attempts_and_lines(engine, run.id)
    assert tried == attempts
    assert [line.startswith("No further attempt: it would begin") for line in said] == (
        [True] if max_seconds else []
    )


def test_the_cap_counts_the_time_the_attempts_took(engine: Engine, clock: Clock) -> None:
    @task(retry=Retry(on=OSError, delay=1, max_seconds=60))
    def slow() -> None:
        clock.sleep(40)
        raise OSError("cut")

    run = engine.run(flow(lambda: slow()))

    assert attempts_and_lines(engine, run.id) == (
        2,
        ["No further attempt: it would begin 82 s after the first, and max_seconds is 60."],
    )


@pytest.mark.parametrize(
    ("asked", "waited"), [(120, 120), (5, 10), (None, 10)], ids=["longer", "shorter", "not"]
)
def test_the_wait_is_at_least_what_the_server_asked_for(
    engine: Engine, asked: float | None, waited: float
) -> None:
    @task(retry=Retry(on=TransientError, attempts=2, delay=10))
    def fetch() -> None:
        raise TransientError("busy", retry_after_seconds=asked)

    run = engine.run(flow(lambda: fetch()))

    (task_run,) = engine.history.task_runs(run.id)
    waiting = engine.history.states(run.id, task_run.id)[2]
    assert waiting.scheduled_for == waiting.state.at + timedelta(seconds=waited)


def test_a_wait_beyond_the_cap_is_not_begun(engine: Engine) -> None:
    @task(retry=Retry(on=TransientError, delay=1, max_seconds=60))
    def fetch() -> None:
        raise TransientError("busy", retry_after_seconds=120)

    run = engine.run(flow(lambda: fetch()))

    assert attempts_and_lines(engine, run.id)[0] == 1


def test_running_out_of_memory_is_a_crash_and_may_be_retried(engine: Engine) -> None:
    @task(retries=1)
    def greedy() -> None:
        raise MemoryError

    run = engine.run(flow(lambda: greedy()))

    assert states(engine, run.id, "greedy-0") == [
        *("Pending", "Running", "AwaitingRetry", "Retrying", "Crashed")
    ]


def exponential_backoff(backoff_factor: float) -> Any:
    """As Prefect has it: a function of the number of retries that gives all delays."""
    return lambda retries: [backoff_factor * 2**retry for retry in range(retries)]


def test_a_delay_may_be_a_function_that_gives_all_delays(engine: Engine) -> None:
    @task(retries=3, retry_delay_seconds=exponential_backoff(10))
    def fetch() -> None:
        raise OSError("cut")

    run = engine.run(flow(lambda: fetch()))

    assert waits_of(engine, run.id) == [10, 20, 40]


@pytest.mark.parametrize(
    ("delay", "says"),
    [
        (lambda failures: "10", "returns '10'"),
        (lambda failures: None, "returns None"),
        (lambda failures: 1 / 0, "fails: ZeroDivisionError"),
        (lambda failures: ["10"], "'10', which is no number"),
        (lambda failures: [], "holds no delay"),
        ("10", "'10', which is no number"),
        (timedelta(seconds=1), "which is no number"),
        ([1, -1], "below zero"),
    ],
)
def test_a_delay_that_is_no_number_of_seconds_is_refused_at_once(delay: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Retry(on=OSError, delay=delay)


def test_a_delay_that_fails_later_does_not_hide_the_error(engine: Engine) -> None:
    @task(retry=Retry(on=OSError, delay=lambda failures: 10 / (2 - failures)))
    def fetch() -> None:
        raise OSError("cut")

    run = engine.run(flow(lambda: fetch()))

    assert isinstance(run.final_state.error, OSError)
    attempts, lines = attempts_and_lines(engine, run.id)
    assert attempts == 2
    assert any("delay failed: ZeroDivisionError" in each for each in lines)


@pytest.mark.parametrize("wrong", [("1", 60), (1, None), (-1, 60), (1, float("nan"))])
def test_exponential_takes_seconds(wrong: tuple[Any, Any]) -> None:
    with pytest.raises(ConfigError, match="no number of seconds from 0 on"):
        exponential(*wrong)


def test_a_wait_of_tenacitys_is_asked_with_the_error(engine: Engine) -> None:
    def seconds(error: BaseException) -> float:
        return float(error.args[0])

    calls = []

    @task(retries=3, retry_delay_seconds=tenacity.wait_exception(seconds))
    def fetch() -> None:
        calls.append(1)
        raise OSError([7, 3, "soon"][len(calls) - 1])

    run = engine.run(flow(lambda: fetch()))

    assert waits_of(engine, run.id) == [7, 3]
    said = (
        "No further attempt: delay failed: ValueError: could not convert string to float: 'soon'."
    )
    assert attempts_and_lines(engine, run.id) == (3, [said])


def test_the_error_is_raised_as_it_was(engine: Engine) -> None:
    @task(retries=2)
    def fetch() -> None:
        raise OSError("cut") from ValueError("why")

    error = engine.run(flow(lambda: fetch())).final_state.error

    assert isinstance(error, OSError)
    assert isinstance(error.__cause__, ValueError)


PLAN = """
import random, sys
from taxietl.orchestrator.define.retry import Retry, exponential
retry = Retry(on=OSError, delay=exponential(2, maximum=10), jitter=0.5)
print("tenacity" in sys.modules)
retry.wait_seconds(1, random.Random(1))
print("tenacity" in sys.modules)
"""


def test_tenacity_is_imported_when_a_wait_of_its_is_needed() -> None:
    done = subprocess.run([sys.executable, "-c", PLAN], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "True"]
