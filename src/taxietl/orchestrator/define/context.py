"""Which run, and which task of it, the current code belongs to.

A context variable holds the scope. A flow's body, a task's body and a stream's generator each
run under their own; code in none of them has none.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from taxietl.errors import ConfigError
from taxietl.orchestrator.stop.cancellation import Cancellation

if TYPE_CHECKING:
    from collections.abc import Callable

    from taxietl.orchestrator.define.futures import Future
    from taxietl.orchestrator.define.stream import Stream
    from taxietl.orchestrator.run.engine import Engine
    from taxietl.orchestrator.run.pool import Pool
    from taxietl.orchestrator.run.resume import Earlier
    from taxietl.orchestrator.store.states import State, StateType


@dataclass(frozen=True)
class Outcome:
    """How one task run ended."""

    state: StateType
    error: BaseException | None


@dataclass(eq=False)
class RunScope:
    """A run in progress: who it is, and what has become of its tasks so far."""

    engine: Engine = field(repr=False)
    id: str
    name: str
    flow_name: str
    root_id: str
    cancellation: Cancellation = field(repr=False)
    pool: Pool = field(repr=False)
    call: Future[Any] | None = field(default=None, repr=False)
    """The submitted call that this run is part of."""
    log_prints: bool = False
    futures: list[Future[Any]] = field(default_factory=list, repr=False)
    has_ended: bool = False
    """Its function is over, and so is all that it submitted."""
    earlier: Earlier | None = field(default=None, repr=False)
    """The runs that this one takes up; None if it takes up none."""
    streams: list[Stream[Any, Any]] = field(default_factory=list, repr=False)
    _outcomes: dict[str, Outcome] = field(default_factory=dict, repr=False)
    _ordinals: dict[str, int] = field(default_factory=dict, repr=False)
    _functions: dict[str, object] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def next_ordinal(self, task_name: str) -> int:
        """How many calls of that task this run had before this one."""
        with self._lock:
            ordinal = self._ordinals.get(task_name, 0)
            self._ordinals[task_name] = ordinal + 1
        return ordinal

    def refuse_namesake(self, task_name: str, function: Callable[..., Any]) -> None:
        """ConfigError if another function was called in this run as a task of that name.

        The history, the cache and a resumed run tell tasks apart by their names: one would be
        given the results of the other.
        """
        # A function that is defined anew at each call of its outer one has the same code.
        code = getattr(function, "__code__", function)
        known = self._functions.setdefault(task_name, code)
        if known is not code and known != code:
            raise ConfigError(
                f"Two different functions are called as task {task_name!r} in the run"
                f" {self.name!r}.",
                hint="Give one of them a name of its own: @task(name=…).",
            )

    def note(
        self, task_run_id: str, state: StateType | None, error: BaseException | None = None
    ) -> None:
        """Keep how a task run ended; None takes back what was kept, since it goes on.

        A stream closed early is not noted: that was its consumer's decision or failure, and the
        consumer's own state tells.
        """
        with self._lock:
            self._outcomes.pop(task_run_id, None)
            if state is not None:
                self._outcomes[task_run_id] = Outcome(state, error)

    def outcomes(self) -> list[Outcome]:
        """How its task runs and subflows ended, in the order they did."""
        with self._lock:
            return list(self._outcomes.values())


@dataclass(eq=False)
class TaskScope:
    """A task run in progress."""

    run: RunScope
    id: str
    name: str
    attempt: int = 0
    call: Future[Any] | None = field(default=None, repr=False)
    """The submitted call that this task run is, or is part of."""
    state: State | None = field(default=None, repr=False)
    """The last one stored."""
    limited: Cancellation | None = field(default=None, repr=False)
    """Of the attempt in progress, if it has a time limit of its own."""

    is_isolated: bool = False
    """This is the child process of an attempt, and the run is in another one."""

    @property
    def cancellation(self) -> Cancellation:
        """What asks this task run to stop."""
        return self.limited or self.run.cancellation


_refusal: ContextVar[ConfigError | None] = ContextVar("taxietl_refusal", default=None)

scope: ContextVar[RunScope | TaskScope | None] = ContextVar("taxietl_scope", default=None)


@contextmanager
def refusing_runs(error: ConfigError) -> Iterator[None]:
    """While the block runs, its code may not start a run: that raises the error instead."""
    token = _refusal.set(error)
    try:
        yield
    finally:
        _refusal.reset(token)


def refuse_run_here() -> None:
    """Raise the error of the `refusing_runs` around this code, if there is one."""
    if (error := _refusal.get()) is not None:
        raise error


def current_run() -> RunScope | None:
    """The run this code belongs to: its `id`, `name`, `cancellation`; None outside any run."""
    current = scope.get()
    return current.run if isinstance(current, TaskScope) else current


def current_cancellation() -> Cancellation:
    """The current task's or run's; outside any run one that nobody will ever request."""
    current = scope.get()
    return current.cancellation if current else Cancellation()
