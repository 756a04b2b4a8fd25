"""Thirty flows in Prefect's words, each with one feature of Prefect's.

Nothing but the imports is of taxietl: with `taxietl.prefect` written as `prefect`, the file runs
on Prefect as well. What a flow returns, and how it ends, is in `ENDS`.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from taxietl.prefect import (
    allow_failure,
    flow,
    get_run_logger,
    runtime,
    tags,
    task,
    unmapped,
)
from taxietl.prefect.artifacts import create_link_artifact, create_markdown_artifact
from taxietl.prefect.cache_policies import INPUTS, NO_CACHE, TASK_SOURCE
from taxietl.prefect.futures import as_completed, wait
from taxietl.prefect.runtime import flow_run, task_run
from taxietl.prefect.states import Completed, Failed
from taxietl.prefect.task_runners import ThreadPoolTaskRunner
from taxietl.prefect.tasks import exponential_backoff, task_input_hash

CALLS: list[str] = []


def times(what: str) -> int:
    """How often that was called, now included."""
    CALLS.append(what)
    return CALLS.count(what)


@task
def double(n: int) -> int:
    return 2 * n


@task
def broken(why: str = "no such month") -> int:
    raise ValueError(why)


@task
def seen(value: Any) -> str:
    return repr(value)


@flow
def plain(n: int = 3) -> int:
    return double(n) + 1


@flow
def plain_function() -> int:
    return double.fn(4) + plain.fn(1)


@task(retries=2, retry_delay_seconds=0)
def flaky(until: int) -> int:
    if times("flaky") < until:
        raise ConnectionError("cut")
    return until


@flow
def task_retries() -> int:
    return flaky(3)


@task(retries=1, retry_delay_seconds=[0, 0.01], retry_jitter_factor=0.5)
def delayed() -> int:
    if times("delayed") == 1:
        raise ConnectionError("cut")
    return 1


@flow
def delays_in_a_list() -> int:
    return delayed()


@task(retries=2, retry_delay_seconds=exponential_backoff(backoff_factor=0.001))
def backing_off() -> int:
    if times("backing off") < 3:
        raise ConnectionError("cut")
    return 3


@flow
def delays_of_a_function() -> int:
    return backing_off()


def worth_it(task: Any, task_run: Any, state: Any) -> bool:
    try:
        state.result()
    except ConnectionError:
        return task.name == "picky" and task_run.name.startswith("picky")
    except ValueError:
        return False
    return True


@task(retries=5, retry_condition_fn=worth_it)
def picky(error: type[Exception]) -> int:
    if times(error.__name__) < 3:
        raise error("cut")
    return 3


@flow
def condition() -> list[Any]:
    state = picky(ValueError, return_state=True)
    return [picky(ConnectionError), state.is_failed(), CALLS.count("ValueError")]


@flow(retries=2, retry_delay_seconds=0)
def flow_retries() -> int:
    if times("flow") < 3:
        raise ConnectionError("cut")
    return double(times("flow") + 3)


@task(persist_result=True, cache_key_fn=task_input_hash, cache_expiration=timedelta(hours=1))
def hashed(n: int) -> int:
    return 10 * n + times("hashed")


@flow
def input_hash() -> list[int]:
    return [hashed(1), hashed(1), hashed(2)]


def month_key(context: Any, parameters: dict[str, Any]) -> str:
    return f"{context.task.name}-{parameters['month']}"


@task(persist_result=True, cache_key_fn=month_key)
def by_month(month: int, folder: str) -> str:
    return f"{folder}-{times('by month')}"


@flow
def key_function() -> list[str]:
    return [by_month(1, "a"), by_month(1, "b"), by_month(2, "c")]


@task(persist_result=True, cache_policy=INPUTS - "attempt" + TASK_SOURCE)
def by_policy(month: int, attempt: int) -> int:
    return times("by policy")


@task(cache_policy=NO_CACHE)
def never_cached(month: int) -> int:
    return times("never cached")


@flow
def policies() -> list[int]:
    both = [by_policy(1, 1), by_policy(1, 2), by_policy(2, 1)]
    return [*both, never_cached(1), never_cached(1)]


@task(persist_result=True, cache_policy=INPUTS, refresh_cache=True)
def refreshed(n: int) -> int:
    return times("refreshed")


@flow
def refreshing() -> list[int]:
    return [refreshed(1), refreshed(1)]


@task(persist_result=True, result_storage_key="trips-{parameters[month]}.json")
def stored(month: int, how: str) -> str:
    return f"{how}-{times('stored')}"


@flow(persist_result=True)
def storage_key() -> list[str]:
    return [stored(1, "a"), stored(1, "b"), stored(2, "c")]


def named_by_month() -> str:
    return f"month-{runtime.flow_run.parameters['month']}"


@flow(flow_run_name=named_by_month)
def flow_named_by_function(month: int = 7) -> str:
    return str(flow_run.name)


@flow(flow_run_name="{color}-{month:02d}")
def flow_named_by_template(color: str = "green", month: int = 3) -> str:
    return str(flow_run.name)


@task(task_run_name="fetch-{month}")
def named(month: int) -> str:
    return str(task_run.name)


@flow
def task_named() -> list[str]:
    return [named(1), named.submit(2).result()]


@task(timeout_seconds=0.2)
def slow() -> None:
    for _ in range(100):
        time.sleep(0.02)


@flow
def timeout() -> list[str]:
    state = slow(return_state=True)
    return [state.type.value, state.name]


@flow(log_prints=True)
def printed() -> str:
    print("a line")
    get_run_logger().info("another")
    return "printed"


@flow
def tagged() -> list[int]:
    with tags("web", "slow"):
        return [double(1), double.submit(2).result()]


@flow
def other_options() -> list[Any]:
    again = broken.with_options(name="again", retries=1)
    return [again.name, broken.name, again("x", return_state=True).type.value]


@flow(task_runner=ThreadPoolTaskRunner(max_workers=2))
def submitted() -> list[int]:
    futures = [double.submit(n) for n in range(3)]
    return [each.result() for each in futures]


@task
def add(a: int, b: list[int]) -> int:
    return a + sum(b)


@flow
def mapped() -> list[int]:
    return add.map([1, 2, 3], unmapped([10, 20])).result()


@flow
def waiting_for() -> list[int]:
    first = double.submit(1)
    second = double.submit(first)
    return [second.result(), double(5, wait_for=[first, second])]


@flow
def upstream_failed() -> list[str]:
    bad = broken.submit()
    after = seen.submit(bad)
    tolerant = seen.submit(allow_failure(bad))
    after.wait()
    return [tolerant.result(), after.state.name]


@flow
def failing_tolerated() -> list[Any]:
    error = broken.submit("quiet").result(raise_on_failure=False)
    state = broken.submit("state", return_state=True)
    return [repr(error), state.is_failed(), repr(state.result(raise_on_failure=False))]


@flow
def futures_together() -> list[Any]:
    futures = [double.submit(n) for n in (1, 2)]
    done, not_done = wait(futures)
    return [len(done), len(not_done), sorted(each.result() for each in as_completed(futures))]


@flow
def completed_state() -> Any:
    return Completed(message="nothing to do", data=3)


@flow
def failed_state() -> Any:
    return Failed(message="too few rows")


@task
def judged(ok: bool) -> Any:
    return Completed(data="fine") if ok else Failed(message="poor")


@flow
def task_states() -> list[Any]:
    state = judged(False, return_state=True)
    return [judged(True, return_state=True).result(), state.name, state.message]


@flow
def raising() -> None:
    raise ValueError("it is over")


@flow
def child(n: int) -> int:
    return double(n)


@flow
def subflow() -> list[Any]:
    return [child(2), child(3, return_state=True).result()]


TOLD: list[list[Any]] = []


def tell_task(task: Any, task_run: Any, state: Any) -> None:
    TOLD.append([task.name, task_run.name.split("-")[0], state.name, state.is_failed()])


def tell_flow(flow: Any, flow_run: Any, state: Any) -> None:
    TOLD.append([flow.name, dict(flow_run.parameters), state.name])


@task(on_failure=[tell_task], on_completion=[tell_task])
def telling(ok: bool) -> bool:
    if not ok:
        raise ValueError("not ok")
    return ok


@flow(on_completion=[tell_flow])
def told(n: int = 1) -> bool:
    telling(False, return_state=True)
    return telling(True)


@flow
def artifacts() -> str:
    create_markdown_artifact("# Rows\n\n20", key="rows", description="what was loaded")
    create_link_artifact("https://example.com/trips", link_text="the month", key="month")
    return "attached"


ENDS: dict[Any, tuple[str, Any]] = {
    plain: ("Completed", 7),
    plain_function: ("Completed", 11),
    task_retries: ("Completed", 3),
    delays_in_a_list: ("Completed", 1),
    delays_of_a_function: ("Completed", 3),
    condition: ("Completed", [3, True, 1]),
    flow_retries: ("Completed", 14),
    input_hash: ("Completed", [11, 11, 22]),
    key_function: ("Completed", ["a-1", "a-1", "c-2"]),
    policies: ("Completed", [1, 1, 2, 1, 2]),
    refreshing: ("Completed", [1, 2]),
    storage_key: ("Completed", ["a-1", "a-1", "c-2"]),
    flow_named_by_function: ("Completed", "month-7"),
    flow_named_by_template: ("Completed", "green-03"),
    task_named: ("Completed", ["fetch-1", "fetch-2"]),
    timeout: ("Completed", ["FAILED", "TimedOut"]),
    printed: ("Completed", "printed"),
    tagged: ("Completed", [2, 4]),
    other_options: ("Completed", ["again", "broken", "FAILED"]),
    submitted: ("Completed", [0, 2, 4]),
    mapped: ("Completed", [31, 32, 33]),
    waiting_for: ("Completed", [4, 10]),
    upstream_failed: ("Completed", ["ValueError('no such month')", "NotReady"]),
    failing_tolerated: ("Completed", ["ValueError('quiet')", True, "ValueError('state')"]),
    futures_together: ("Completed", [2, 0, [2, 4]]),
    completed_state: ("Completed", 3),
    failed_state: ("Failed", "too few rows"),
    task_states: ("Completed", ["fine", "Failed", "poor"]),
    raising: ("Failed", "it is over"),
    subflow: ("Completed", [4, 6]),
    told: ("Completed", True),
    artifacts: ("Completed", "attached"),
}


def outcome(state: Any) -> tuple[str, Any]:
    """How a flow ended, and what it gave, or the error's text."""
    given = state.result(raise_on_failure=False)
    if given is None and state.is_failed():
        given = state.message
    return state.name, str(given) if isinstance(given, BaseException) else given


def nothing_called() -> None:
    """Begin to count anew."""
    CALLS.clear()
    TOLD.clear()


if __name__ == "__main__":
    for each, expected in ENDS.items():
        nothing_called()
        found = outcome(each(return_state=True))
        print("same" if found == expected else "DIFFERS", each.name, found, expected, TOLD)
