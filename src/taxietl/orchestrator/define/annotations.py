"""What the annotations of a user's function stand for, and how they are shown."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any


def type_text(annotation: Any) -> str:
    """A type as its author wrote it, or nearly so."""
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def meaning(function: Callable[..., Any], annotation: Any) -> Any:
    """What an annotation of that function stands for; None if that cannot be found out."""
    if not isinstance(annotation, str):
        return type(None) if annotation is None else annotation
    names = dict(inspect.getclosurevars(function).nonlocals)
    try:
        return typing.get_type_hints(
            SimpleNamespace(__annotations__={"value": annotation}),
            globalns=getattr(function, "__globals__", {}),
            localns=names,
            include_extras=True,
        )["value"]
    except Exception:  # noqa: BLE001 - evaluating a foreign annotation may raise anything
        return None


def return_annotation(function: Callable[..., Any]) -> Any:
    """What a task's result is: for a generator, what it returns; None if that is not known."""
    annotation = inspect.signature(function).return_annotation
    if annotation is inspect.Signature.empty:
        return None
    annotation = meaning(function, annotation)
    if inspect.isgeneratorfunction(function):
        arguments = typing.get_args(annotation)
        return arguments[2] if len(arguments) == 3 else None
    return annotation
