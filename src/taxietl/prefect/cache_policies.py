"""Prefect's cache policies and key functions, as a `Cache` of ours.

Ours adds to each key which function it is, so two tasks never share a result, and the code of the
function wherever Prefect's default, `TASK_SOURCE`, does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from taxietl.errors import ConfigError
from taxietl.orchestrator import Cache, current_run
from taxietl.orchestrator.store.canonical import told_apart

_ANY_CODE = "any code"
"""The version of a task whose results outlive its code."""


@dataclass(frozen=True)
class CachePolicy:
    """What a key is made of; policies are added, and arguments subtracted."""

    inputs: bool = False
    source: bool = False
    run: bool = False
    parameters: bool = False
    left_out: frozenset[str] = frozenset()
    cache_key_fn: Callable[[Any, dict[str, Any]], str | None] | None = None

    def __add__(self, other: CachePolicy) -> CachePolicy:
        return CachePolicy(
            inputs=self.inputs or other.inputs,
            source=self.source or other.source,
            run=self.run or other.run,
            parameters=self.parameters or other.parameters,
            left_out=self.left_out | other.left_out,
            cache_key_fn=self.cache_key_fn or other.cache_key_fn,
        )

    def __sub__(self, argument: str) -> CachePolicy:
        return replace(self, left_out=self.left_out | {argument})

    def configure(self, **_: object) -> CachePolicy:
        """Refused: keys and results are in the history, with the cache's own locks."""
        raise ConfigError(
            "A cache policy has no configure(): keys lie in the home's history and are locked.",
            hint="`taxietl cache ls` shows what is kept; TAXIETL_HOME says where.",
        )

    def key(self, context: TaskRunContext) -> str | None:
        """The key of one call; None = do not keep this one."""
        parts: dict[str, object] = {}
        if self.cache_key_fn is not None:
            made = self.cache_key_fn(context, context.parameters)
            if made is None:
                return None
            parts["made"] = made
        if self.inputs:
            inputs = context.parameters.items()
            parts["inputs"] = {name: each for name, each in inputs if name not in self.left_out}
        run = current_run()
        if self.run:
            parts["run"] = run and run.id
        if self.parameters:
            parts["parameters"] = dict(run.parameters) if run else None
        return told_apart(parts)


INPUTS = CachePolicy(inputs=True)
TASK_SOURCE = CachePolicy(source=True)
RUN_ID = CachePolicy(run=True)
FLOW_PARAMETERS = CachePolicy(parameters=True)
DEFAULT = INPUTS + TASK_SOURCE + RUN_ID
NO_CACHE = NONE = CachePolicy()


class CacheKeyFnPolicy(CachePolicy):
    """A policy whose key the function makes."""

    def __init__(self, cache_key_fn: Callable[[Any, dict[str, Any]], str | None]) -> None:
        super().__init__(cache_key_fn=cache_key_fn)


@dataclass(frozen=True)
class TaskRunContext:
    """What a key function is given first."""

    task: Any
    parameters: dict[str, Any]

    @property
    def task_run(self) -> Any:
        """The run around the call: a key is made before its task run begins."""
        return current_run()


def task_input_hash(context: TaskRunContext, arguments: dict[str, Any]) -> str | None:  # noqa: ARG001
    """A key of the task's function, its code, and its arguments with their types."""
    return told_apart(arguments)


def cache_of(given: Mapping[str, Any], asked: Callable[[], Any]) -> dict[str, Any]:
    """The `cache` and `version` of a task with those of Prefect's options; empty if none.

    Raises:
        ConfigError: the policy is none of Prefect's.
    """
    policy, function = given.get("cache_policy", NO_CACHE), given.get("cache_key_fn")
    if not isinstance(policy, CachePolicy):
        raise ConfigError(
            f"@task(cache_policy={policy!r}) is none of INPUTS, TASK_SOURCE, RUN_ID,"
            " FLOW_PARAMETERS, DEFAULT, NO_CACHE and their sums.",
            hint="Write cache_key_fn=function for a key of your own.",
        )
    storage_key = given.get("result_storage_key")
    if function is None and storage_key is not None:
        function = _filled(storage_key)
    keeping = {"expires": given.get("cache_expiration"), "refresh": given.get("refresh_cache")}
    options = {option: value for option, value in keeping.items() if value}
    if function is task_input_hash or (function is None and policy == INPUTS + TASK_SOURCE):
        return {"cache": Cache(**options)}
    if function is not None:
        policy = CachePolicy(cache_key_fn=function)
    if policy == NO_CACHE:
        return {}

    def key(arguments: dict[str, Any]) -> str | None:
        return policy.key(TaskRunContext(asked(), arguments))

    version = {} if policy.source else {"version": _ANY_CODE}
    return {"cache": Cache(key=key, **options), **version}


def _filled(template: str) -> Callable[[Any, dict[str, Any]], str]:
    """A storage key, `trips-{parameters[month]}.json`, as a function."""

    def key(_: Any, arguments: dict[str, Any]) -> str:
        from taxietl.prefect import runtime

        return template.format(
            parameters=arguments, flow_run=runtime.flow_run, task_run=runtime.task_run
        )

    return key
