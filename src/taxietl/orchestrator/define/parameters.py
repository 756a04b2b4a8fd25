"""A flow's parameters: bound to its function's, checked by their annotations, kept for a replay.

pydantic is imported only for a flow that has annotated parameters.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from types import GenericAlias
from typing import Any

from taxietl.errors import ConfigError
from taxietl.masking import masked
from taxietl.orchestrator.define.annotations import meaning, type_text
from taxietl.orchestrator.store.arguments import hides
from taxietl.orchestrator.store.results import (
    MAX_CACHED_BYTES,
    HoldsSecretError,
    NotStorableError,
    ResultCodec,
)

_PLAIN = (inspect.Parameter.empty, Any, object)


@dataclass(frozen=True)
class Parameters:
    """The arguments of one call of a flow, valid and complete with defaults."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    by_name: dict[str, Any]


@dataclass(frozen=True)
class Replay:
    """The parameters of a run as JSON that gives them back, or why there is none."""

    text: str | None
    obstacle: str | None = None


class WrongValueError(ConfigError):
    """A parameter's value is not of its type; no value is shown, since it may be a secret.

    Args:
        flow_name: whose parameter it is.
        name: the parameter's.
        problem: what is wrong with the value.
        type_text: the parameter's type as it is written.
    """

    def __init__(self, flow_name: str, name: str, problem: str, type_text: str) -> None:
        self.problem = problem
        super().__init__(
            f"The flow {flow_name!r} got a wrong value for {name!r}: {problem}.",
            hint=f"It is of type {type_text}.",
        )


class Validator:
    """Checks and coerces the arguments of one flow."""

    def __init__(self, flow_name: str, function: Callable[..., Any]) -> None:
        self._flow_name = flow_name
        self._function = function
        self._signature = inspect.signature(function)
        self._adapters: dict[str, Any] = {}

    def validate(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Parameters:
        """The call's parameters.

        Raises:
            ConfigError: one is missing, unknown or of a wrong type; no value is shown, since
                it may be a secret.
        """
        bound = self.bind(args, kwargs)
        for name, value in bound.arguments.items():
            bound.arguments[name] = self._valid(self._signature.parameters[name], value)
        bound.apply_defaults()
        return Parameters(bound.args, bound.kwargs, dict(bound.arguments))

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> inspect.BoundArguments:
        """The arguments by name, not yet checked; ConfigError if one is missing or unknown."""
        try:
            return self._signature.bind(*args, **kwargs)
        except TypeError as error:
            known = ", ".join(self._signature.parameters)
            raise ConfigError(
                f"The flow {self._flow_name!r} cannot be called so: {error}.",
                hint=f"Its parameters: {known or 'none'}.",
            ) from error

    def replay(self, parameters: Parameters) -> Replay:
        """Write the parameters so that `restore` gives them back; never a secret."""
        texts: dict[str, str] = {}
        for name, value in parameters.by_name.items():
            secret = Replay(None, f"its parameter {name!r} holds a secret, which is not kept")
            if hides({name: value}):
                return secret
            parameter = self._signature.parameters[name]
            try:
                texts[name] = self._codec(parameter).encode(value, max_bytes=MAX_CACHED_BYTES)
            except HoldsSecretError:  # in a value too long to be shown
                return secret
            except NotStorableError as error:
                # A default need not fit its own annotation, and is there again next time.
                if value is not parameter.default:
                    why = f"its parameter {name!r} cannot be stored: {error}"
                    return Replay(None, masked(why))
        pairs = (f"{json.dumps(name)}: {text}" for name, text in texts.items())
        return Replay(f"{{{', '.join(pairs)}}}")

    def restore(self, text: str) -> Parameters:
        """The parameters that `replay` wrote.

        Raises:
            ConfigError: the flow's signature has changed since, and they do not fit it.
        """
        values: dict[str, Any] = {}
        for name, value in json.loads(text).items():
            if (parameter := self._signature.parameters.get(name)) is None:
                raise self._changed(name)
            try:
                values[name] = self._codec(parameter).decode(json.dumps(value))
            except ValueError as error:
                raise self._changed(name) from error
        bound = self._signature.bind_partial()
        bound.arguments.update(values)
        return self.validate(bound.args, bound.kwargs)

    def _changed(self, name: str) -> ConfigError:
        return ConfigError(
            f"The flow {self._flow_name!r} has changed: its parameter {name!r} does not fit what"
            " the run was given.",
            hint="Start a new run instead of resuming the old one.",
        )

    def _codec(self, parameter: inspect.Parameter) -> ResultCodec:
        """JSON of that parameter's values."""
        is_plain = parameter.annotation in _PLAIN
        annotation = Any if is_plain else meaning(self._function, parameter.annotation)
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            return ResultCodec(GenericAlias(tuple, (annotation, ...)))
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            return ResultCodec(GenericAlias(dict, (str, annotation)))
        return ResultCodec(annotation, self._adapters.get(parameter.name))

    def _valid(self, parameter: inspect.Parameter, value: Any) -> Any:
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            return tuple(self.checked(parameter, each) for each in value)
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            return {name: self.checked(parameter, each) for name, each in value.items()}
        return self.checked(parameter, value)

    def checked(self, parameter: inspect.Parameter, value: Any) -> Any:
        """The value as the parameter's type has it; WrongValueError if it has no such form."""
        if parameter.annotation in _PLAIN:
            return value
        from pydantic import ValidationError

        try:
            return self.adapter(parameter).validate_python(value)
        except ValidationError as error:
            problem = _explained(error)
        # Raised out of reach of pydantic's own error, whose text may hold the value.
        raise WrongValueError(
            self._flow_name, parameter.name, problem, type_text(parameter.annotation)
        )

    def adapter(self, parameter: inspect.Parameter) -> Any:
        """Pydantic's adapter of the parameter's type; ConfigError if that is not known."""
        found = self._adapters.get(parameter.name)
        if found is None:
            found = self._adapters[parameter.name] = self._adapter(parameter)
        return found

    def _adapter(self, parameter: inspect.Parameter) -> Any:
        from pydantic import ConfigDict, PydanticUserError, TypeAdapter

        annotation = meaning(self._function, parameter.annotation)
        if annotation is None:
            raise ConfigError(
                f"The flow {self._flow_name!r} cannot check its parameter {parameter.name!r}: the"
                f" type {parameter.annotation!r} is not known when the flow runs.",
                hint="Import the type outside `if TYPE_CHECKING:`, at the top of the module.",
            )
        try:
            return TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))
        except PydanticUserError:  # a model or dataclass has a configuration of its own
            return TypeAdapter(annotation)


def _explained(error: Any) -> str:
    """What pydantic found wrong, where in the value, without the value itself."""
    parts = []
    for each in error.errors(include_url=False, include_input=False, include_context=False):
        where = ".".join(str(step) for step in each["loc"])
        # A validator of the user's own may have put the value into its message.
        says = "not a valid value" if each["type"] in _CUSTOM else each["msg"]
        parts.append(f"{where}: {says}" if where else says)
    return "; ".join(parts)


_CUSTOM = ("value_error", "assertion_error")
