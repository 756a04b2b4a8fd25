"""Which run, and which task of it, the current code belongs to.

A context variable holds the scope. A flow's body, a task's body and a stream's generator each
run under their own; code in none of them has none.
"""

from __future__ import annotations

import threading
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from taxietl.orchestrator.cancellation import Cancellation

if TYPE_CHECKING:
    from taxietl.orchestrator.engine import Engine
    from taxietl.orchestrator.resume import Earlier
    from taxietl.orchestrator.states import StateType
    from taxietl.orchestrator.stream import Stream


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
    earlier: Earlier | None = field(default=None, repr=False)
    """The runs that this one takes up; None if it takes up none."""
    streams: list[Stream[Any, Any]] = field(default_factory=list, repr=False)
    _outcomes: dict[str, Outcome] = field(default_factory=dict, repr=False)
    _ordinals: dict[str, int] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def next_ordinal(self, task_name: str) -> int:
        """How many calls of that task this run had before this one."""
        with self._lock:
            ordinal = self._ordinals.get(task_name, 0)
            self._ordinals[task_name] = ordinal + 1
        return ordinal

    def note(
        self, task_run_id: str, state: StateType | None, error: BaseException | None = None
    ) -> None:
        """Keep how a task run ended; None takes back what was kept, since it goes on.

        A stream closed early by a consumer that did its work is not noted: that was the
        consumer's decision, whose own state tells.
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


scope: ContextVar[RunScope | TaskScope | None] = ContextVar("taxietl_scope", default=None)


def current_run() -> RunScope | None:
    """The run this code belongs to: its `id`, `name`, `cancellation`; None outside any run."""
    current = scope.get()
    return current.run if isinstance(current, TaskScope) else current


def current_cancellation() -> Cancellation:
    """The current run's; outside any run one that nobody will ever request."""
    run = current_run()
    return run.cancellation if run else Cancellation()
