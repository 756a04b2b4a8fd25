"""What a call is given: its arguments, and among them what is no value yet, futures and streams."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

from taxietl.orchestrator.define.futures import Future, FutureList, allow_failure
from taxietl.orchestrator.define.runs import Run, TaskRun
from taxietl.orchestrator.define.stream import Stream
from taxietl.orchestrator.store.states import State
from taxietl.orchestrator.store.values import PLAIN, Shape, parts, replaced, shape
from taxietl.orchestrator.store.values import found_in as values_found_in

RESERVED = ("return_state", "wait_for")
"""What every task and flow can be called with, besides its function's own arguments."""

_LOOKED_FOR = (Future, Stream, allow_failure)

_CLOSED = (State, Run, TaskRun)
"""What tells of a call that has ended stays as it is; nothing in it is waited for."""


def taken(kwargs: dict[str, Any]) -> tuple[bool, list[object]]:
    """Take out of a call's arguments what is for the orchestrator: see `RESERVED`."""
    if not kwargs:
        return False, []
    return bool(kwargs.pop("return_state", False)), _each(kwargs.pop("wait_for", ()))


def _each(wait_for: object) -> list[object]:
    """What to wait for, one by one: what is in a container, or what an iterator gives."""
    if shape(wait_for) is not Shape.WHOLE:
        return list(parts(wait_for))
    is_many = isinstance(wait_for, Iterable) and not isinstance(wait_for, (str, bytes, Stream))
    return list(wait_for) if is_many else [wait_for]  # type: ignore[call-overload]


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
        self.args, self.kwargs, self.wait_for = args, kwargs, wait_for
        found = [] if _are_plain(args, kwargs) else found_in([args, kwargs], _LOOKED_FOR)
        self.streams: list[Stream[Any, Any]] = [each for each in found if isinstance(each, Stream)]
        self.futures: list[Future[Any]] = [each for each in found if isinstance(each, Future)]
        """Those in whose places values are to be put."""
        self.upstreams: Sequence[Future[Any]] = self.futures
        """What is waited for."""
        self._needed: Sequence[Future[Any]] = self.futures
        """Those of it that have to complete."""
        if wait_for or len(found) > len(self.futures):
            self._look_further(found)

    def _look_further(self, found: list[Any]) -> None:
        """Take in what to wait for besides, and what may have failed."""
        besides = [*self.wait_for, *(each.upstreams for each in self.streams)]
        needed = found_in(besides, (Future, allow_failure))
        tolerated = [each for each in found if isinstance(each, allow_failure)]
        self._needed = self.futures + [each for each in needed if isinstance(each, Future)]
        self.futures = self.futures + found_in(tolerated, (Future,))
        may_fail = [*tolerated, *(each for each in needed if isinstance(each, allow_failure))]
        self.upstreams = [*self._needed, *found_in(may_fail, (Future,))]
        if tolerated and not self.futures:
            self.args, self.kwargs = resolved((self.args, self.kwargs))

    def by_name(self, signature: inspect.Signature) -> dict[str, Any]:
        """All arguments by name, defaults included; TypeError as Python raises it."""
        bound = signature.bind(*self.args, **self.kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)

    def settle(self) -> None:
        """Wait for the futures, and put their values in their places among the arguments.

        Raises:
            NotReadyError: one did not complete that has to.
        """
        for future in self.upstreams:
            ended = future.wait()
            if ended is not None and ended.error is not None and future in self._needed:
                raise NotReadyError(future, ended.error)
        if self.futures:
            self.args, self.kwargs = resolved((self.args, self.kwargs))


def _are_plain(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Nothing is in them: so it is with most calls."""
    return PLAIN.issuperset(map(type, args)) and PLAIN.issuperset(map(type, kwargs.values()))


def found_in(values: Iterable[Any], kinds: tuple[type, ...]) -> list[Any]:
    """The instances of those classes among the values and in them: see `values.py`."""
    return values_found_in(values, kinds, closed=_CLOSED)


def resolved(value: Any, kinds: tuple[type[Any], ...] = (Future,)) -> Any:
    """The same with what its futures gave in their places, all of which have completed.

    Args:
        kinds: what to replace: anything with a `result()`, futures or final states.
    """
    # Of values there is a plain list: a list of futures has methods for futures.
    return replaced(value, (*kinds, FutureList, allow_failure), _given, closed=_CLOSED)


def _given(each: Any) -> Any:
    """What takes its place."""
    if isinstance(each, allow_failure):
        return replaced(
            *(each.value, (Future, FutureList)),
            lambda future: future.result(raise_on_failure=False),
            closed=_CLOSED,
        )
    return each.result()
