"""A flow's parameters on the command line: `-p name=value` texts read as what their types say."""

from __future__ import annotations

import inspect
import json
import re
import types
import typing
import warnings
from collections.abc import Sequence
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from taxietl.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from taxietl.orchestrator import Flow

_MAX_SHOWN = 60
_SECRET_NAME = re.compile(r"passw|passphrase|secret|token|credential|api_?key", re.IGNORECASE)
_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def read_parameters(
    flow: Flow[..., Any], given: Sequence[str]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments to call the flow with, from texts `name=value`.

    A text is JSON where it can be and the parameter takes it so, else it is taken as it is; for
    a parameter of text (`str`, paths, secrets, `Decimal`) always as it is.

    Raises:
        ConfigError: one is missing, unknown, given twice or of a wrong type; what was given is
            shown unless it may be a secret.
    """
    signature = inspect.signature(flow.function)
    texts = _by_name(flow, given, signature)
    _refuse_missing(flow, texts, signature)
    bound = signature.bind_partial()
    others: dict[str, Any] = {}
    for name, parameter in signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            others = {
                each: _read(flow, parameter, text, each)
                for each, text in texts.items()
                if each not in signature.parameters
            }
        elif name in texts:
            bound.arguments[name] = _read(flow, parameter, texts[name], name)
        elif parameter.kind in _BY_POSITION and _has_many(signature, texts):
            bound.arguments[name] = parameter.default  # what comes after it has its place
    return bound.args, {**bound.kwargs, **others}


def describe_parameters(flow: Flow[..., Any]) -> list[dict[str, str]]:
    """Name, type and default of each parameter, as a person reads them."""
    from taxietl.orchestrator.define.annotations import type_text

    described = []
    for parameter in inspect.signature(flow.function).parameters.values():
        annotation = parameter.annotation
        is_typed = annotation is not inspect.Parameter.empty
        described.append(
            {
                "name": _starred(parameter),
                "type": type_text(annotation) if is_typed else "any",
                "values": _values(_resolved(flow, parameter)),
                "default": _default(parameter),
            }
        )
    return described


def _by_name(
    flow: Flow[..., Any], given: Sequence[str], signature: inspect.Signature
) -> dict[str, str]:
    kinds = {each.kind for each in signature.parameters.values()}
    texts: dict[str, str] = {}
    for each in given:
        name, equals, text = each.partition("=")
        if not equals:
            raise ConfigError(f"-p {each!r} has no value.", hint="Write -p name=value.")
        if name not in signature.parameters and inspect.Parameter.VAR_KEYWORD not in kinds:
            raise UnknownNameError(
                f"parameter of the flow {flow.name!r}", name, signature.parameters
            )
        if name in texts:
            raise ConfigError(
                f"The parameter {name!r} is given twice.",
                hint=f"""Several values are one JSON list: -p {name}='["a", "b"]'.""",
            )
        texts[name] = text
    return texts


def _refuse_missing(
    flow: Flow[..., Any], texts: dict[str, str], signature: inspect.Signature
) -> None:
    missing = [
        each
        for name, each in signature.parameters.items()
        if name not in texts and _default(each) == "required"
    ]
    if missing:
        options = " ".join(f"-p {each.name}=…" for each in missing)
        needs = ", ".join(_typed(each) for each in missing)
        raise ConfigError(
            f"The flow {flow.name!r} was not given {needs}.",
            hint=f"Add {options}; --help after the flow lists all of its parameters.",
        )


def _read(flow: Flow[..., Any], parameter: inspect.Parameter, text: str, name: str) -> Any:
    """The first reading of the text that the parameter takes."""
    from taxietl.orchestrator.define.annotations import type_text
    from taxietl.orchestrator.define.parameters import WrongValueError

    problem = ""
    is_many = parameter.kind is inspect.Parameter.VAR_POSITIONAL
    # Many are one JSON list, of text, too.
    readings = _readings(list if is_many else _resolved(flow, parameter), text)
    for value in readings:
        if is_many and not isinstance(value, list):
            problem = problem or "it takes a list"
            continue
        try:
            for each in value if is_many else [value]:
                flow.spec.validator.checked(parameter, each)
        except WrongValueError as error:
            problem = problem or error.problem
        else:
            return value
    shown = "" if _may_be_secret(flow, parameter, name) else f", {_shown(text)}"
    kind = type_text(parameter.annotation)
    is_no_json = "[" in kind and len(readings) == 1
    json_hint = " Lists and objects are written as JSON: '[1, 2]'." if is_no_json else ""
    raise ConfigError(
        f"The flow {flow.name!r} got a wrong value for {name!r}{shown}: {problem}.",
        hint=f"It is of type {kind}.{json_hint}",
    )


def _readings(annotation: Any, text: str) -> list[Any]:
    """What the text can mean to that type, the likeliest first."""
    kinds = _alternatives(annotation)
    known = [each for each in kinds if each is not type(None)]
    if known and all(_is_text(each) for each in known):
        is_none = text == "null" and len(known) < len(kinds) and not any(map(_is_secret, known))
        return [None] if is_none else [text]
    try:
        return [json.loads(text, parse_constant=_no_number), text]
    except (ValueError, RecursionError):
        return [text]


def _no_number(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _alternatives(annotation: Any) -> list[Any]:
    """The types of a union, without what only names or annotates them."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _alternatives(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return [kind for each in typing.get_args(annotation) for kind in _alternatives(each)]
    for name in ("__supertype__", "__value__"):  # a NewType, a `type` statement
        if not isinstance(annotation, type) and hasattr(annotation, name):
            return _alternatives(getattr(annotation, name))
    return [annotation]


def _is_text(kind: Any) -> bool:
    is_class = isinstance(kind, type) and typing.get_origin(kind) is None
    return is_class and (issubclass(kind, str | bytes | PurePath | Decimal) or _is_secret(kind))


def _is_secret(kind: Any) -> bool:
    return isinstance(kind, type) and any(each.__name__ == "_SecretBase" for each in kind.__mro__)


def _may_be_secret(flow: Flow[..., Any], parameter: inspect.Parameter, name: str) -> bool:
    """A secret is in its type at any depth, or its name tells, or nothing can be told."""
    if _SECRET_NAME.search(name):
        return True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            schema = flow.spec.validator.adapter(parameter).json_schema()
    except Exception:  # noqa: BLE001  a class that pydantic can only ask isinstance of
        return True
    return '"writeOnly": true' in json.dumps(schema, default=str)


def _shown(text: str) -> str:
    """What was given, cut, without a password in a URL."""
    from taxietl.orchestrator.store.arguments import shown

    masked = str(json.loads(shown({"given": text}))["given"])
    return repr(masked if len(masked) <= _MAX_SHOWN else f"{masked[:_MAX_SHOWN]}…")


def _resolved(flow: Flow[..., Any], parameter: inspect.Parameter) -> Any:
    from taxietl.orchestrator.define.annotations import meaning

    if parameter.annotation is inspect.Parameter.empty:
        return Any
    return meaning(flow.function, parameter.annotation)


def _has_many(signature: inspect.Signature, texts: dict[str, str]) -> bool:
    return any(
        each.kind is inspect.Parameter.VAR_POSITIONAL and name in texts
        for name, each in signature.parameters.items()
    )


def _typed(parameter: inspect.Parameter) -> str:
    from taxietl.orchestrator.define.annotations import type_text

    if parameter.annotation is inspect.Parameter.empty:
        return repr(parameter.name)
    return f"{parameter.name!r} ({type_text(parameter.annotation)})"


def _starred(parameter: inspect.Parameter) -> str:
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        return f"*{parameter.name}"
    is_catch_all = parameter.kind is inspect.Parameter.VAR_KEYWORD
    return f"**{parameter.name}" if is_catch_all else parameter.name


def _default(parameter: inspect.Parameter) -> str:
    if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
        return ""
    return "required" if parameter.default is inspect.Parameter.empty else repr(parameter.default)


def _values(annotation: Any) -> str:
    """What an enumeration or a Literal allows."""
    allowed: list[Any] = []
    for each in _alternatives(annotation):
        if typing.get_origin(each) is typing.Literal:
            allowed += typing.get_args(each)
        elif isinstance(each, type) and issubclass(each, Enum):
            allowed += [member.value for member in each]
    return ", ".join(str(each) for each in allowed)
