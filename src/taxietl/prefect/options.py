"""Options of Prefect's decorators as ours: what is the same, what is without effect, what is not.

From Prefect 2.7 to 3.9. Hooks and conditions are called as Prefect calls them, with the task or
flow, its run and the state.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from taxietl.errors import ConfigError
from taxietl.orchestrator import FinalState, Retry, StateName, current_run
from taxietl.orchestrator.define.foreign import refuse_options
from taxietl.prefect import runtime
from taxietl.prefect.cache_policies import cache_of
from taxietl.prefect.task_runners import refuse_runner

if TYPE_CHECKING:
    from taxietl.orchestrator import Run, TaskRun

_WITHOUT_EFFECT = ("cache_result_in_memory", "description", "version", "viz_return_value")
_SAME = ("log_prints", "name", "timeout_seconds")
_HOOKS = {
    "on_cancellation": "on_cancel",
    "on_completion": "on_completion",
    "on_crashed": "on_crash",
    "on_failure": "on_failure",
}
_BOTH = (*_WITHOUT_EFFECT[:-1], *_SAME, *_HOOKS, "persist_result", "result_serializer")
_RETRIES = ("retries", "retry_delay_seconds")
FLOW_OPTIONS = (*_BOTH, *_RETRIES, "flow_run_name", "task_runner", "validate_parameters")
TASK_OPTIONS = (
    *(*_BOTH, *_RETRIES, "cache_expiration", "cache_key_fn", "cache_policy", "refresh_cache"),
    *("result_storage_key", "retry_condition_fn", "retry_jitter_factor", "tags"),
    *("task_run_name", "viz_return_value"),
)


def flow_options(given: Mapping[str, Any], asked: Callable[[], Any]) -> dict[str, Any]:
    """The options of a flow as the core has them.

    Args:
        given: as Prefect has them.
        asked: gives the flow that hooks are called with.

    Raises:
        ConfigError: one is none of Prefect's, or cannot be here; names ours.
    """
    given = _known("flow", given, FLOW_OPTIONS)
    if given.get("validate_parameters") is False:
        raise ConfigError(
            "@flow(validate_parameters=False) is not possible: parameters are always checked.",
            hint="Annotate what should not be converted as `object`, or not at all.",
        )
    refuse_runner(given.get("task_runner"))
    options = _common(given, asked)
    if (name := given.get("flow_run_name")) is not None:
        options["run_name"] = _run_name(name, "flow_run_name")
    return options


def task_options(given: Mapping[str, Any], asked: Callable[[], Any]) -> dict[str, Any]:
    """The options of a task as the core has them; see `flow_options`."""
    given = _known("task", given, TASK_OPTIONS)
    options = _common(given, asked)
    options |= {option: given[option] for option in ("persist_result", "tags") if option in given}
    if (name := given.get("task_run_name")) is not None:
        options["run_name"] = _run_name(name, "task_run_name")
    options.update(cache_of(given, asked))
    return options


def _known(kind: str, given: Mapping[str, Any], known: Sequence[str]) -> dict[str, Any]:
    """What was given, but for what is left at None; ConfigError if an option is not known."""
    refuse_options(kind, given, known)
    given = {option: value for option, value in given.items() if value is not None}
    if given.get("result_serializer", "json") != "json":
        raise ConfigError(
            f"@{kind}(result_serializer={given['result_serializer']!r}) is not possible: results"
            " are JSON, frames with a cache are Parquet.",
            hint="Leave it out; write a file and return its Path for anything else.",
        )
    return given


def _common(given: Mapping[str, Any], asked: Callable[[], Any]) -> dict[str, Any]:
    """What both decorators have."""
    options = {option: given[option] for option in _SAME if option in given}
    if given.get("retries"):
        options["retry"] = _retry(given, asked)
    for theirs, ours in _HOOKS.items():
        if hooks := given.get(theirs):
            each = [hooks] if callable(hooks) else hooks
            options[ours] = [_hook(theirs, hook, asked) for hook in each]
    return options


def _retry(given: Mapping[str, Any], asked: Callable[[], Any]) -> Retry:
    jitter = given.get("retry_jitter_factor", 0.0)
    if not 0 <= jitter <= 1:
        raise ConfigError(
            f"@task(retry_jitter_factor={jitter}) is not possible: here it is from 0 to 1.",
            hint="A delay grows by a random part of up to that fraction of it.",
        )
    condition = given.get("retry_condition_fn")
    return Retry(
        on=Exception,
        attempts=_whole("retries", given["retries"]) + 1,
        delay=given.get("retry_delay_seconds", 0.0),
        jitter=jitter,
        retry_if=None if condition is None else _condition(condition, asked),
    )


def _whole(option: str, value: object) -> int:
    if type(value) is not int or value < 0:
        raise ConfigError(f"{option}={value!r} is no whole number from 0 on.")
    return value


def _condition(condition: Callable[..., Any], asked: Callable[[], Any]) -> Callable[..., bool]:
    _check("retry_condition_fn", condition, 3, "task, task_run, state")

    def retry_if(error: Exception) -> bool:
        run = current_run()
        assert run is not None, "it is asked as code of the task run"
        message = f"Task run encountered an exception {type(error).__name__}: {error}"
        state = FinalState[Any].of(runtime.state_now(StateName.FAILED, message), None, error)
        return bool(condition(asked(), run.task_run or run, state))

    return retry_if


def _hook(
    option: str, hook: Callable[..., Any], asked: Callable[[], Any]
) -> Callable[[Run[Any] | TaskRun], object]:
    """Called with `(flow, flow_run, state)`, or with a task's."""
    _check(option, hook, 3, "task, task_run, state (of a flow: flow, flow_run, state)")

    def notify(ended: Run[Any] | TaskRun) -> object:
        final = getattr(ended, "final_state", None)
        return hook(asked(), ended, final or FinalState[Any].of(ended.state, None, ended.error))

    notify.__qualname__ = getattr(hook, "__qualname__", repr(hook))
    return notify


def _run_name(name: object, option: str) -> Any:
    """A template as it is; a function is called with what `runtime` gives, and `parameters`."""
    if isinstance(name, str) or not callable(name):
        return name
    takes = inspect.signature(name).parameters
    if len(takes) > 1 or inspect.iscoroutinefunction(name):
        _check(option, name, 0, "nothing, or `parameters`")

    def run_name(parameters: dict[str, Any]) -> str:
        with runtime.naming(parameters):
            return str(name(parameters) if takes else name())

    run_name.__qualname__ = getattr(name, "__qualname__", repr(name))
    return run_name


def _check(option: str, function: Callable[..., Any], count: int, takes: str) -> None:
    """ConfigError if a function cannot be called with so many arguments, or is async."""
    shown = getattr(function, "__qualname__", repr(function))
    if inspect.iscoroutinefunction(function):
        raise ConfigError(f"{option}= is given {shown}, which is async.", hint="Write `def`.")
    try:
        inspect.signature(function).bind(*[None] * count)
    except (TypeError, ValueError):
        raise ConfigError(f"{option}= is given {shown}, which does not take {takes}.") from None
