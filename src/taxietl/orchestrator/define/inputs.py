"""What a call is given: its arguments, and among them what is no value yet, futures and streams."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from taxietl.orchestrator.define.futures import Future
from taxietl.orchestrator.define.stream import Stream

RESERVED = ("return_state", "wait_for")
"""What every task and flow can be called with, besides its function's own arguments."""

_HOLDERS = (list, tuple, set, frozenset, Mapping)


def taken(kwargs: dict[str, Any]) -> tuple[bool, list[object]]:
    """Take out of a call's arguments what is for the orchestrator: see `RESERVED`."""
    if not kwargs:
        return False, []
    wait_for = kwargs.pop("wait_for", ())
    is_many = isinstance(wait_for, Iterable)
    return bool(kwargs.pop("return_state", False)), list(wait_for) if is_many else [wait_for]


class NotReadyError(Exception):
    """A call is not made since one that it depends on did not complete."""

    def __init__(self, upstream: Future[Any], error: BaseException) -> None:
        self.upstream, self.error = upstream, error
        super().__init__(f"Upstream task run {upstream.name!r} did not reach a 'COMPLETED' state.")


class Inputs:
    """The arguments of one call, and what it is to wait for besides."""

    def __init__(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], wait_for: Sequence[object] = ()
    ) -> None:
        self.args, self.kwargs = args, kwargs
        found = found_in([args, kwargs], (Future, Stream))
        self.streams: list[Stream[Any, Any]] = [each for each in found if isinstance(each, Stream)]
        self.futures: list[Future[Any]] = [each for each in found if isinstance(each, Future)]
        self.upstreams: Sequence[Future[Any]] = self.futures
        if wait_for or self.streams:
            besides = [*wait_for, *(each.upstreams for each in self.streams)]
            self.upstreams = self.futures + found_in(besides, (Future,))

    def settle(self) -> None:
        """Wait for the futures, and put their values in their places among the arguments.

        Raises:
            NotReadyError: one did not complete.
        """
        for future in self.upstreams:
            ended = future.wait()
            if ended is not None and ended.error is not None:
                raise NotReadyError(future, ended.error)
        if self.futures:
            self.args, self.kwargs = resolved(self.args), resolved(self.kwargs)


def found_in(values: Iterable[Any], kinds: tuple[type, ...]) -> list[Any]:
    """The instances of those classes among the values, also in lists, tuples, sets and dicts."""
    found: list[Any] = []
    open_parts, within = [(iter(values), 0)], {0}  # a value may hold itself, or be nested deep
    while open_parts:
        parts, here = open_parts[-1]
        for value in parts:
            if isinstance(value, kinds):
                found.append(value)
            elif isinstance(value, _HOLDERS) and id(value) not in within:
                within.add(id(value))
                inner = value.values() if isinstance(value, Mapping) else value
                open_parts.append((iter(inner), id(value)))
                break
        else:
            open_parts.pop()
            within.discard(here)
    return found


def resolved(value: Any, kinds: tuple[type[Any], ...] = (Future,)) -> Any:
    """The same with what its futures gave in their places, all of which have completed.

    Args:
        kinds: what to replace: anything with a `result()`, futures or final states.
    """
    if isinstance(value, kinds):
        return value.result()
    if not found_in([value], kinds):
        return value  # itself: its class may be one of the user's own
    if isinstance(value, Mapping):
        return {key: resolved(each, kinds) for key, each in value.items()}
    parts = [resolved(each, kinds) for each in value]
    if isinstance(value, (set, frozenset)):
        return type(value)(parts)
    if isinstance(value, tuple):
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return parts
