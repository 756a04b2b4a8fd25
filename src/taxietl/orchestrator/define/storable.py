"""Whether what a task returns can be kept, as far as its return annotation tells.

Said when the task is made, and not after a call has done its work. What an annotation leaves open
is seen when there is a result.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from taxietl.orchestrator.define.annotations import return_annotation
from taxietl.orchestrator.store import frames
from taxietl.orchestrator.store.results import NotStorableError, refusal

_KEPT = (
    *(str, int, float, bytes, date, time, timedelta, Decimal, UUID, PurePath, Enum),
    *(list, tuple, dict, set, frozenset, type(None)),
)
"""Of these and of classes made of them there are instances that can be kept."""


def check_storable(task_name: str, function: Callable[..., Any], option: str) -> None:
    """Demand that results of that function can be kept, which an option asks for.

    Raises:
        ConfigError: its annotation names a class of which nothing can be kept.
    """
    for kind in _classes(return_annotation(function), set()):
        if not _is_kept(kind):
            error = NotStorableError(f"nothing of a {kind.__name__} can be kept")
            raise refusal(task_name, option, error)


def _classes(annotation: Any, seen: set[Any]) -> Iterator[type]:
    """The classes that an annotation is made of, and in turn the fields of its dataclasses."""
    if typing.get_origin(annotation) is typing.Literal:
        return
    for each in typing.get_args(annotation):
        yield from _classes(each, seen)
    if not isinstance(annotation, type) or annotation in seen:
        return
    seen.add(annotation)
    if is_dataclass(annotation):
        try:
            hints = typing.get_type_hints(annotation)
        except Exception:  # noqa: BLE001 - evaluating a foreign annotation may raise anything
            return
        for field in fields(annotation):
            yield from _classes(hints.get(field.name), seen)
    elif not typing.get_args(annotation):
        yield annotation


def _is_kept(kind: type) -> bool:
    """Something of that class can be kept; so it is taken to be of what only others fill."""
    is_open = kind is object or inspect.isabstract(kind) or getattr(kind, "_is_protocol", False)
    if is_open or issubclass(kind, _KEPT) or kind in frames.kinds():
        return True
    if hasattr(kind, "__get_pydantic_core_schema__"):
        return True
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticSchemaGenerationError

    try:
        TypeAdapter(kind)
    except PydanticSchemaGenerationError:
        return False
    except Exception:  # noqa: BLE001 - a class of the user's own may do anything there
        return True
    return True
