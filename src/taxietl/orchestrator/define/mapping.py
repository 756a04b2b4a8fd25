"""`map`: one call for each element of its arguments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from taxietl.errors import ConfigError
from taxietl.orchestrator.define.futures import Future, allow_failure
from taxietl.orchestrator.store.values import Shape, shape

T = TypeVar("T")


@dataclass(frozen=True)
class unmapped(Generic[T]):  # noqa: N801 - it reads as a function: `map(months, unmapped(folder))`
    """An argument of `map` that every call gets as it is, though it has elements."""

    value: T


def mapped_calls(
    name: str, names: Sequence[str], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """The arguments of each call that `map` makes.

    A future stands for its value, which is waited for; text, bytes and what has no elements go
    to every call.

    Args:
        name: the task's.
        names: of its parameters, for the message.

    Raises:
        ConfigError: nothing is to be mapped, or the lengths differ.
    """
    places = [*args, *kwargs.values()]
    titles = [names[n] if n < len(names) else f"argument {n + 1}" for n in range(len(args))]
    columns = [_elements(each) for each in places]
    lengths = {
        title: len(column)
        for title, column in zip([*titles, *kwargs], columns, strict=True)
        if isinstance(column, list)
    }
    if not lengths:
        raise ConfigError(
            f"{name}.map() got nothing to map over: no argument has elements.",
            hint=f"Give it a list, or write {name}.submit(…) for one call.",
        )
    if len(set(lengths.values())) > 1:
        raise ConfigError(
            f"{name}.map() got arguments of different lengths: "
            f"{', '.join(f'{title}={length}' for title, length in lengths.items())}.",
            hint="What every call is to get as a whole is marked so: unmapped(…).",
        )
    for row in range(next(iter(lengths.values()))):
        values = [column[row] if isinstance(column, list) else column.value for column in columns]
        yield tuple(values[: len(args)]), dict(zip(kwargs, values[len(args) :], strict=True))


def _elements(value: Any) -> list[Any] | unmapped[Any]:
    """What `map` takes apart, as a list; anything else to be handed to all calls."""
    if isinstance(value, unmapped):
        return value
    if isinstance(value, allow_failure):
        inner = _elements(value.value)
        if isinstance(inner, unmapped):
            return unmapped(allow_failure(inner.value))
        return [allow_failure(each) for each in inner]
    if isinstance(value, Future):
        value = value.result()
    is_many = isinstance(value, Iterable) and not isinstance(value, (str, bytes, bytearray))
    if is_many and shape(value) is not Shape.FIELDS:  # a pydantic model can be iterated
        return list(value)
    return unmapped(value)
