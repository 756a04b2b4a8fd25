"""What cannot be a task or flow is refused where it is decorated."""

from __future__ import annotations

from typing import Any

import pytest

from taxietl.errors import ConfigError
from taxietl.orchestrator import Cache, Retry, flow, task


@pytest.mark.parametrize("decorate", [task, flow])
def test_an_async_function_is_neither(decorate: Any) -> None:
    async def fetch() -> int:
        return 1

    async def stream() -> Any:
        yield 1

    for function in (fetch, stream):
        with pytest.raises(ConfigError, match=r"is async; (task|flow)s are"):
            decorate(function)


def test_a_generator_is_no_flow() -> None:
    def numbers() -> Any:
        yield 1

    with pytest.raises(ConfigError, match="'numbers' is a generator; a flow"):
        flow(numbers)


@pytest.mark.parametrize("decorate", [task, flow])
def test_a_parameter_that_every_call_has_is_refused_at_decoration(decorate: Any) -> None:
    with pytest.raises(ConfigError, match="has a parameter 'wait_for'"):
        decorate(lambda wait_for: None)


# What `@task` and `@flow` of Prefect 2.7 to 3 take, and ours do not.
PREFECTS: dict[Any, dict[str, str]] = {
    task: {
        "asset_deps": "the path of the file",
        "cache_expiration": "Cache(expires=timedelta(…))",
        "cache_key_fn": "Cache(key=function)",
        "cache_policy": "cache=Cache()",
        "cache_result_in_memory": "persist_result=False",
        "description": "docstring",
        "on_commit": "write beside and rename",
        "on_rollback": "write beside and rename",
        "on_running": "beginning of the function",
        "refresh_cache": "Cache(refresh=True)",
        "result_serializer": "JSON",
        "result_storage": "JSON",
        "result_storage_key": "JSON",
        "retry_condition_fn": "retry_if=",
        "retry_jitter_factor": "jitter=",
        "task_run_name": "run_name=",
        "viz_return_value": "taxietl runs show",
    },
    flow: {
        "cache_result_in_memory": "JSON",
        "description": "docstring",
        "flow_run_name": "run_name=",
        "on_cancellation": "on_cancel=",
        "on_crashed": "on_crash=",
        "on_running": "beginning of the function",
        "persist_result": "kept with the history",
        "result_serializer": "JSON",
        "result_storage": "JSON",
        "retry_condition_fn": "retry_if=",
        "tags": "with tags(…)",
        "task_runner": "Engine(workers=…)",
        "validate_parameters": "always checked",
        "version": "SHA-256",
    },
}


@pytest.mark.parametrize(
    ("decorate", "option", "ours"),
    [
        pytest.param(decorate, option, ours, id=f"{decorate.__name__} {option}")
        for decorate, options in PREFECTS.items()
        for option, ours in options.items()
    ],
)
def test_an_option_of_prefects_names_ours(decorate: Any, option: str, ours: str) -> None:
    with pytest.raises(ConfigError, match=f"@{decorate.__name__} has no {option}=") as refused:
        decorate(**{option: None})

    assert ours in refused.value.hint


def test_an_unknown_option_is_guessed() -> None:
    with pytest.raises(ConfigError, match="@task has no cahce=") as refused:
        task(cahce=3)  # type: ignore[call-overload]
    assert "Did you mean cache=?" in refused.value.hint
    with pytest.raises(ConfigError, match="@flow has no colour=") as refused:
        flow(colour=3)  # type: ignore[call-overload]
    assert "It has log_prints=, name=, on_cancel=," in refused.value.hint
    assert "function" not in refused.value.hint


@pytest.mark.parametrize("decorate", [task, flow])
def test_a_method_is_refused_and_one_of_an_object_is_not(decorate: Any) -> None:
    with pytest.raises(ConfigError, match=r"on a method: .*Months\.count"):

        class Months:
            @decorate
            def count(self, year: int) -> int:
                return 12

    class Years:
        @staticmethod
        @decorate
        def count(of: int) -> int:
            return of

        def each(self, of: int) -> int:
            return of

    assert Years.count.name == "count"
    assert decorate(Years().each).name == "each"


@pytest.mark.parametrize("decorate", [task, flow])
def test_what_is_no_function_is_refused(decorate: Any) -> None:
    with pytest.raises(ConfigError, match="'extract', which is no function"):
        decorate("extract")


def two(task: Any, state: Any) -> None:
    """Takes too much."""


async def late(run: Any) -> None:
    """Would have to be awaited."""


@pytest.mark.parametrize(
    ("make", "says"),
    [
        pytest.param(lambda: task(on_failure=[two]), "one argument, the run", id="hook of a task"),
        pytest.param(lambda: flow(on_crash=[two]), "one argument, the run", id="hook of a flow"),
        pytest.param(lambda: flow(on_cancel=[late]), "is async", id="async hook"),
        pytest.param(lambda: task(retries=1, retry_if=two), "one argument, the error", id="if"),
        pytest.param(lambda: Retry(on=OSError, retry_if=two), "the error", id="retry_if"),
        pytest.param(lambda: Retry(on=OSError, delay=two), "the number of failures", id="delay"),
        pytest.param(lambda: Cache(key=two), "a dict of the call's arguments", id="key"),
        pytest.param(lambda: task(retries="3"), "retries='3'", id="retries"),
        pytest.param(lambda: task(timeout_seconds="3"), "which is no number", id="timeout"),
    ],
)
def test_what_could_only_fail_later_is_refused_at_once(make: Any, says: str) -> None:
    def decorate() -> None:
        made = make()
        made(lambda: None)

    with pytest.raises(ConfigError, match=says):
        decorate()


def test_what_does_not_tell_or_takes_more_if_it_is_given_is_accepted() -> None:
    def more(run: Any, channel: str = "ops", *rest: Any) -> None:
        """Takes one at least."""

    task(on_failure=[print, more, str], on_crash=[lambda *runs: None, dict.fromkeys])(lambda: 1)
