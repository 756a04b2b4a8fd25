"""From the options of `@task` and `@flow`, each spelled here once, to what a task or flow is.

Functions and options that cannot be are refused before anything runs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypedDict, TypeVar, cast

from taxietl.errors import ConfigError
from taxietl.masking import masked
from taxietl.orchestrator.define.cache import Cache
from taxietl.orchestrator.define.callables import refuse_misfit
from taxietl.orchestrator.define.code_digests import fixed_version
from taxietl.orchestrator.define.hooks import Hook, Hooks
from taxietl.orchestrator.define.inputs import RESERVED
from taxietl.orchestrator.define.names import RunName
from taxietl.orchestrator.define.retry import Delay, Retry, is_number
from taxietl.orchestrator.define.specs import FlowSpec, TaskSpec


class Options(TypedDict, total=False):
    """What both decorators take."""

    name: str | None
    timeout_seconds: float | None
    log_prints: bool | None
    run_name: RunName | None
    retry: Retry | None
    retries: int
    retry_delay_seconds: Delay
    retry_if: Callable[[Exception], bool] | None
    on_completion: Sequence[Hook] | None
    on_failure: Sequence[Hook] | None
    on_crash: Sequence[Hook] | None
    on_cancel: Sequence[Hook] | None


class TaskOptions(Options, total=False):
    """What `@task(…)` takes."""

    cache: Cache | None
    version: str | None
    tags: Iterable[str]
    persist_result: bool | None
    isolate: bool


class FlowOptions(Options, total=False):
    """What `@flow(…)` takes."""


O = TypeVar("O", TaskOptions, FlowOptions)  # noqa: E741 - options

_SHORT_RETRY = ("retries", "retry_delay_seconds", "retry_if")


def changed(options: O, by: O) -> O:
    """The options with others in their places; a retry in one form replaces that in the other."""
    kept = dict(options)
    if "retry" in by or "retries" in by:
        for each in ("retry", *_SHORT_RETRY):
            kept.pop(each, None)
    return cast(O, kept | dict(by))


def task_spec(function: Callable[..., Any], options: TaskOptions) -> TaskSpec:
    """The task that a function and the options of its decorator make.

    Raises:
        ConfigError: an option cannot be, or does not go with another.
    """
    _check_place("task", function)
    name = _name("task", function, options)
    tags = options.get("tags", ())
    made = TaskSpec(
        function=function,
        name=name,
        fixed_version=options.get("version") or fixed_version(function),
        timeout_seconds=options.get("timeout_seconds"),
        log_prints=options.get("log_prints"),
        hooks=_hooks(f"task {name!r}", options),
        run_name=_run_name("task", name, options),
        retry=_retry("task", name, options),
        cache=options.get("cache"),
        tags=frozenset(map(masked, (tags,) if isinstance(tags, str) else tags)),
        persist_result=options.get("persist_result"),
        isolate=options.get("isolate", False),
    )
    _check_task(made)
    return made


def flow_spec(function: Callable[..., Any], options: FlowOptions) -> FlowSpec:
    """The flow that a function and the options of its decorator make.

    Raises:
        ConfigError: an option cannot be.
    """
    _check_place("flow", function)
    name = _name("flow", function, options)
    made = FlowSpec(
        function=function,
        name=name,
        fixed_version=fixed_version(function),
        timeout_seconds=options.get("timeout_seconds"),
        log_prints=options.get("log_prints"),
        hooks=_hooks(f"flow {name!r}", options),
        run_name=_run_name("flow", name, options),
        retry=_retry("flow", name, options),
    )
    _check_flow(made)
    return made


def _name(kind: str, function: Callable[..., Any], options: Options) -> str:
    return masked(options.get("name") or str(getattr(function, "__name__", kind)))


def _run_name(kind: str, name: str, options: Options) -> RunName | None:
    """What its runs are called; ConfigError if that is neither a template nor a function."""
    given = options.get("run_name")
    if given is not None and not isinstance(given, str):
        what, hint = f"run_name= of the {kind} {name!r}", 'Write run_name="{color}-{month}", say.'
        if not callable(given):
            raise ConfigError(f"{what} is {given!r}, which is no text.", hint=hint)
        refuse_misfit(what, given, takes="a dict of the arguments", hint=hint)
    return given


def _hooks(what: str, options: Options) -> Hooks | None:
    return Hooks.checked(
        what,
        on_completion=options.get("on_completion"),
        on_failure=options.get("on_failure"),
        on_crash=options.get("on_crash"),
        on_cancel=options.get("on_cancel"),
    )


def _check_place(kind: str, function: object) -> None:
    """ConfigError if that is no function, or one that a class has."""
    if not callable(function):
        raise ConfigError(
            f"@{kind} is given {function!r}, which is no function.",
            hint=f"Write @{kind} or @{kind}(…) above a `def`; name= takes its name.",
        )
    qualname = str(getattr(function, "__qualname__", ""))
    around = qualname.rpartition(".")[0]
    names = getattr(getattr(function, "__code__", None), "co_varnames", ())
    is_in_class = bool(around) and not around.endswith("<locals>")
    is_bound = hasattr(function, "__self__")
    if is_in_class and not is_bound and names and names[0] in ("self", "cls"):
        raise ConfigError(
            f"@{kind} cannot be put on a method: {qualname} would be called without its"
            f" {names[0]!r}.",
            hint=f"Write a function that is handed what it needs; or `{kind}(object.method)`,"
            " which is one of an object.",
        )


def _check_flow(flow: FlowSpec) -> None:
    """ConfigError if that cannot be a flow."""
    _check_function("flow", flow.name, flow.function)
    if inspect.isgeneratorfunction(flow.function):
        raise ConfigError(
            f"The flow {flow.name!r} is a generator; a flow is a plain function.",
            hint="Write `return`; a generator can be a task.",
        )
    _check_timeout("flow", flow.name, flow.timeout_seconds)


def _check_task(task: TaskSpec) -> None:
    """ConfigError if that cannot be a task, or its options do not go together."""
    _check_function("task", task.name, task.function)
    if task.is_stream:
        _check_stream(task)
    if task.isolate and "<" in str(getattr(task.function, "__qualname__", "<locals>")):
        raise ConfigError(
            f"The task {task.name!r} has isolate=True and is defined inside a function"
            " (or is a lambda): another process could not find it.",
            hint="Define it with `def` at the top level of a module.",
        )
    if task.cache is not None and task.persist_result is False:
        raise ConfigError(
            f"The task {task.name!r} has cache= and persist_result=False.",
            hint="A cached result is kept: drop one of them.",
        )
    _check_timeout("task", task.name, task.timeout_seconds)
    if task.cache is not None or task.persist_result:
        from taxietl.orchestrator.define.storable import check_storable

        option = "cache=" if task.cache is not None else "persist_result=True"
        check_storable(task.name, task.function, option)


def _retry(kind: str, name: str, options: Options) -> Retry | None:
    """The plan in either of its two forms; ConfigError if both were given, or half of one."""
    retry, retries = options.get("retry"), options.get("retries", 0)
    delay, retry_if = options.get("retry_delay_seconds", 0.0), options.get("retry_if")
    if type(retries) is not int or retries < 0:
        raise ConfigError(
            f"The {kind} {name!r} has retries={retries!r}.",
            hint="Give a whole number from 0 on: how often it is called again at most.",
        )
    if retry is not None and retries:
        raise ConfigError(f"The {kind} {name!r} has both retry= and retries=: give one of them.")
    if retry_if is not None and not retries:
        raise ConfigError(
            f"The {kind} {name!r} has retry_if= without retries=.",
            hint="Give retries=, too; or write Retry(on=…, retry_if=…).",
        )
    if retries:
        return Retry(on=Exception, attempts=retries + 1, delay=delay, retry_if=retry_if)
    return retry


def _check_function(kind: str, name: str, function: Callable[..., Any]) -> None:
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise ConfigError(
            f"The {kind} {name!r} is async; {kind}s are plain functions.",
            hint="Write `def`, and `asyncio.run(…)` inside it where you need it.",
        )
    for reserved in RESERVED:
        if reserved in inspect.signature(function).parameters:
            raise ConfigError(
                f"The {kind} {name!r} has a parameter {reserved!r}, which every {kind} has.",
                hint="Give the parameter another name.",
            )


def _check_stream(task: TaskSpec) -> None:
    given = {
        "retry": task.retry,
        "cache": task.cache,
        "tags": task.tags,
        "persist_result": task.persist_result is not None,
        "hooks": task.hooks,
        "timeout_seconds": task.timeout_seconds,
        "isolate": task.isolate,
    }
    if refused := [f"{option}=" for option, value in given.items() if value]:
        raise ConfigError(
            f"The task {task.name!r} is a generator and takes no {', '.join(refused)}.",
            hint="A stream runs as part of its consumer: put them on the consumer.",
        )


def _check_timeout(kind: str, name: str, seconds: float | None) -> None:
    if seconds is not None and not is_number(seconds):
        raise ConfigError(
            f"The {kind} {name!r} has timeout_seconds={seconds!r}, which is no number.",
            hint="Give a number of seconds above 0.",
        )
    if seconds is not None and seconds <= 0:
        raise ConfigError(
            f"The {kind} {name!r} has timeout_seconds={seconds}: it could never do anything.",
            hint="Give a number of seconds above 0, or leave it out for no limit.",
        )
