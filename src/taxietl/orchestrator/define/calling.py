"""What a task or flow reaches when it is called: the run around it, if there is one.

A flow's body, a task's body and a stream's generator each run with a `Caller` of their own in a
context variable. Code in none of them has none: there a task is its plain function, and a flow
makes a top-level run, by whatever `outside` was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

from taxietl.errors import ConfigError

if TYPE_CHECKING:
    from taxietl.orchestrator.define.futures import Future
    from taxietl.orchestrator.define.inputs import Inputs
    from taxietl.orchestrator.define.runs import CurrentTaskRun, Run
    from taxietl.orchestrator.define.specs import FlowSpec, TaskSpec
    from taxietl.orchestrator.store.states import FinalState


class Caller(Protocol):
    """Calls tasks and flows for the code of a run; `run/callers.py` has those there are."""

    def call_task(self, task: TaskSpec, inputs: Inputs) -> Any:
        """What the task returned, or its stream."""

    def end_of_task(self, task: TaskSpec, inputs: Inputs) -> FinalState[Any]:
        """How the task ended; raises only if the run is to stop."""

    def call_flow(self, flow: FlowSpec, inputs: Inputs) -> Run[Any]:
        """The child run, ended; raises only if it could not begin, or the run is to stop."""

    def submit(self, called: TaskSpec | FlowSpec, inputs: Inputs) -> Future[Any]:
        """Have it called in another thread, once what it depends on has ended."""

    def parameters(self) -> Mapping[str, Any]:
        """Those of the run."""

    def task_run(self) -> CurrentTaskRun | None:
        """The task run that the code is in, if it is a task's."""

    def check_submitting(self, name: str, method: str) -> None:
        """ConfigError if nothing can be submitted here."""


caller: ContextVar[Caller | None] = ContextVar("taxietl_caller", default=None)
"""That of the run which the current code belongs to; None outside any run."""

_refusal: ContextVar[ConfigError | None] = ContextVar("taxietl_refusal", default=None)

_outside: Callable[[Any, tuple[Any, ...], dict[str, Any]], Run[Any]] | None = None


def begin_outside(flow: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Run[Any]:
    """Run a flow that is called outside any run, to its end."""
    refuse_run_here()
    assert _outside is not None, "the package sets it when it is imported"
    return _outside(flow, args, kwargs)


def set_outside(run: Callable[[Any, tuple[Any, ...], dict[str, Any]], Run[Any]]) -> None:
    """Say how a flow runs that is called outside any run."""
    global _outside
    _outside = run


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
