"""What became of a call that was submitted: its future, to look at or to wait for.

What waits for what is known at any time, so a wait that could never end is refused.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar, overload

from taxietl.errors import ConfigError
from taxietl.orchestrator.stop.cancellation import Cancellation, current
from taxietl.orchestrator.store.states import FinalState, State, StateName

R = TypeVar("R")

_lock = threading.Lock()
"""Held while futures end, and while it is looked up or changed which of them waits for which."""


@dataclass(frozen=True, eq=False)
class allow_failure(Generic[R]):  # noqa: N801 - it reads as a function: `clean(allow_failure(loaded))`
    """An argument, or one of `wait_for`, whose futures may have failed.

    The call is made in any case, and gets the error in the place of what a future did not give.
    """

    value: R


class Submitted(Protocol):
    """The task run, or a child run's place, that a future tells of."""

    id: str
    name: str
    state: State | None
    """The last one stored."""

    @property
    def cancellation(self) -> Cancellation:
        """What asks it to stop."""

    def aside(self) -> AbstractContextManager[None]:
        """While the block runs, this thread only waits, and another may work in its place."""


class Future(Generic[R]):
    """A submitted call of a task or flow."""

    def __init__(self, task_run: Submitted, upstreams: Sequence[Future[Any]] = ()) -> None:
        self._task_run = task_run
        self._submitter = within.get()
        self._ended: FinalState[R] | None = None
        self._callbacks: list[Callable[[], None]] = []
        self._waits_for: list[Future[Any]] = []
        """What it cannot go on without: its upstreams, and what its code waits for now."""
        self._inner: list[Future[Any]] = []
        """What its code has submitted: it cannot end before they do."""
        with _lock:
            for each in upstreams:
                _refuse_cycle(self._submitter, each)
            self._waits_for.extend(upstreams)
            if self._submitter is not None:
                self._submitter._inner.append(self)

    def __repr__(self) -> str:
        return f"<Future {self.name!r}: {self.state}>"

    @property
    def name(self) -> str:
        """The task run's: `extract-0`."""
        return self._task_run.name

    @property
    def task_run_id(self) -> str:
        """The task run's id in the history."""
        return self._task_run.id

    @property
    def state(self) -> State:
        """How it is now; once it has ended, a `FinalState`."""
        state = self._ended or self._task_run.state
        assert state is not None, "a future is there once its task run is stored"
        return state

    def wait(self, timeout: float | None = None) -> FinalState[R] | None:
        """Wait until it has ended, or that many seconds; None if it has not.

        Raises:
            ConfigError: it cannot end before the waiting code does.
            Cancelled: the run was asked to stop.
        """
        if self._ended is None and (timeout is None or timeout > 0):
            self._block(timeout)
        return self._ended

    @overload
    def result(self, timeout: float | None = None, raise_on_failure: Literal[True] = True) -> R: ...
    @overload
    def result(
        self, timeout: float | None = None, raise_on_failure: bool = True
    ) -> R | BaseException: ...
    def result(
        self, timeout: float | None = None, raise_on_failure: bool = True
    ) -> R | BaseException:
        """Wait for what the call returned; raises what it raised, or returns that if asked to.

        Raises:
            TimeoutError: it has not ended within that many seconds.
        """
        ended = self.wait(timeout)
        if ended is None:
            raise TimeoutError(f"{self.name!r} has not ended within {timeout} s: {self.state}.")
        return ended.result(raise_on_failure=raise_on_failure)

    def depth(self) -> int:
        """How many submitted calls it is nested in."""
        return 0 if self._submitter is None else self._submitter.depth() + 1

    def when_ended(self, callback: Callable[[], None]) -> None:
        """Have that called at its end, by the thread that ends it; at once if it has ended."""
        with _lock:
            if self._ended is None:
                self._callbacks.append(callback)
                return
        callback()

    def end(self, value: R | None, error: BaseException | None) -> None:
        """Tell what became of it."""
        state = self.state
        if not state.is_final():  # the history could not be written any more
            state = State(StateName.CRASHED, "Its end could not be stored.", state.at)
        with _lock:
            self._ended = FinalState.of(state, value, error)
            callbacks, self._callbacks = self._callbacks, []
            self._waits_for, self._inner = [], []
        for callback in callbacks:
            callback()

    def _block(self, timeout: float | None) -> None:
        # Whatever asks the waiting code to stop: a limit of its own, or the run as a whole.
        cancellation = current.get() or self._task_run.cancellation
        ended = threading.Event()
        with (
            self._awaited(ended.set),
            cancellation.on_cancel(ended.set),
            self._task_run.aside(),
        ):
            ended.wait(timeout)
        cancellation.check()

    @contextmanager
    def _awaited(self, callback: Callable[[], None]) -> Iterator[None]:
        """While the block runs, this code's call waits for this future."""
        waiter = within.get()
        with _lock:
            _refuse_cycle(waiter, self)
            if waiter is not None:
                waiter._waits_for.append(self)
        self.when_ended(callback)
        try:
            yield
        finally:
            with _lock:
                if waiter is not None and self in waiter._waits_for:
                    waiter._waits_for.remove(self)
                if callback in self._callbacks:
                    self._callbacks.remove(callback)


within: ContextVar[Future[Any] | None] = ContextVar("taxietl_submitted", default=None)
"""The submitted call that the current code is part of; None in code that is part of none."""


class FutureList(list[Future[R]]):
    """What `map` gives: futures, and all of them at once."""

    def wait(self, timeout: float | None = None) -> list[FinalState[R] | None]:
        """Wait until all have ended, or that many seconds; None for those that have not."""
        left = _Countdown(timeout)
        return [each.wait(left()) for each in self]

    @overload
    def result(
        self, timeout: float | None = None, raise_on_failure: Literal[True] = True
    ) -> list[R]: ...
    @overload
    def result(
        self, timeout: float | None = None, raise_on_failure: bool = True
    ) -> list[R | BaseException]: ...
    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> Any:
        """Wait for what the calls returned, in the order of the calls; see `Future.result`."""
        left = _Countdown(timeout)
        return [each.result(left(), raise_on_failure) for each in self]


class _Countdown:
    """How much is left of a time for several waits."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    def __call__(self) -> float | None:
        return None if self._end is None else max(0.0, self._end - time.monotonic())


def _refuse_cycle(waiter: Future[Any] | None, awaited: Future[Any]) -> None:
    """ConfigError if one can end only after the other that is to wait for it; with the lock."""
    if waiter is None:
        return
    seen: set[Future[Any]] = set()
    ahead = [awaited]
    while ahead:
        future = ahead.pop()
        if future is waiter:
            raise ConfigError(
                f"{waiter.name!r} would wait for {awaited.name!r}, which cannot end before"
                f" {waiter.name!r} does: both would wait for ever.",
                hint="Wait for it in the flow that submitted it, not in what it is waiting for.",
            )
        if future not in seen and future._ended is None:
            seen.add(future)
            ahead += future._waits_for
            ahead += future._inner
