"""What a task or flow is, as its decorator was told: a function and how its calls are to be run.

The values are frozen; nothing here knows how a run goes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from taxietl.errors import ConfigError
from taxietl.masking import masked
from taxietl.orchestrator.define.annotations import return_annotation
from taxietl.orchestrator.define.cache import Cache
from taxietl.orchestrator.define.code_digests import code_version
from taxietl.orchestrator.define.hooks import Hooks
from taxietl.orchestrator.define.names import RunName, name_by
from taxietl.orchestrator.define.parameters import Parameters, Replay, Validator
from taxietl.orchestrator.define.retry import Retry
from taxietl.orchestrator.store.places import function_place
from taxietl.orchestrator.store.results import ResultCodec


@dataclass(frozen=True, eq=False, kw_only=True)
class Spec:
    """What a task and a flow have in common."""

    function: Callable[..., Any]
    name: str
    fixed_version: str | None = None
    """The `version` if it is the same at each call; None if it is to be made anew each time."""
    timeout_seconds: float | None = None
    log_prints: bool | None = None
    hooks: Hooks | None = None
    run_name: RunName | None = None
    retry: Retry | None = None
    persist_result: bool | None = None
    """True: it must be kept. None: it is if it has a JSON form."""

    @property
    def version(self) -> str:
        """What tells its results from those of the same function at another time.

        What was given, or a digest of the function's code; of a function that captures values,
        made each time anew.
        """
        return self.fixed_version or code_version(self.function)

    def run_name_for(self, arguments: Mapping[str, Any]) -> str | None:
        """What a run with these arguments is called, without secrets; None = as usual.

        Raises:
            ConfigError: its `run_name` cannot make a name of them.
        """
        if self.run_name is None:
            return None
        try:
            return masked(name_by(self.run_name, arguments))
        except Exception as error:
            kind = "flow" if isinstance(self, FlowSpec) else "task"
            shown = getattr(self.run_name, "__qualname__", repr(self.run_name))
            raise ConfigError(
                f"The {kind} {self.name!r} cannot name its run by {shown}:"
                f" {type(error).__name__}: {error}.",
                hint=f"Its parameters: {', '.join(arguments) or 'none'}.",
            ) from error

    @cached_property
    def codec(self) -> ResultCodec:
        """How its results are written."""
        return ResultCodec(return_annotation(self.function))


@dataclass(frozen=True, eq=False, kw_only=True)
class TaskSpec(Spec):
    """A task: see `@task`."""

    cache: Cache | None = None
    tags: frozenset[str] = frozenset()
    isolate: bool = False

    @cached_property
    def is_stream(self) -> bool:
        """Its function is a generator."""
        return inspect.isgeneratorfunction(self.function)

    @cached_property
    def signature(self) -> inspect.Signature:
        """Its function's parameters."""
        return inspect.signature(self.function)

    @cached_property
    def place(self) -> str:
        """Where its function lies: `package.module:name`, or `/a/file.py:name`."""
        return function_place(self.function)


@dataclass(frozen=True, eq=False, kw_only=True)
class FlowSpec(Spec):
    """A flow: see `@flow`."""

    @cached_property
    def validator(self) -> Validator:
        """What its parameters are held to."""
        return Validator(self.name, self.function)

    def parameters(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Parameters:
        """The parameters of a call, checked and coerced; ConfigError if one is wrong."""
        return self.validator.validate(args, kwargs)

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments of a call by name as they are; ConfigError if they do not fit."""
        bound = self.validator.bind(args, kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)

    def replay(self, parameters: Parameters) -> Replay:
        """The parameters as JSON from which `restored` makes them again."""
        return self.validator.replay(parameters)

    def restored(self, replay: str) -> Parameters:
        """The parameters of an earlier run; ConfigError if they do not fit any more."""
        return self.validator.restore(replay)
