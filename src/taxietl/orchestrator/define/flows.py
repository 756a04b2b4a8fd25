"""`@flow`: a function that is run as a whole, with parameters, a name and a history.

How a run goes is in `run/flow_runs.py`; this module only hands it over.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, Generic, Literal, ParamSpec, Protocol, TypeVar, Unpack, overload

from taxietl.orchestrator.define.calling import begin_outside, caller
from taxietl.orchestrator.define.decoration import FlowOptions, flow_spec
from taxietl.orchestrator.define.foreign import refuse_options
from taxietl.orchestrator.define.futures import Future
from taxietl.orchestrator.define.inputs import Inputs, taken
from taxietl.orchestrator.define.outside import submitting
from taxietl.orchestrator.define.specs import FlowSpec
from taxietl.orchestrator.stop.cancellation import current_cancellation
from taxietl.orchestrator.store.states import FinalState

P = ParamSpec("P")
R = TypeVar("R")


class Flow(Generic[P, R]):
    """A function and what its runs are called."""

    def __init__(self, spec: FlowSpec) -> None:
        functools.update_wrapper(self, spec.function)
        self.spec = spec
        self.name, self.function = spec.name, spec.function

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    def __call__(
        self,
        *args: Any,
        return_state: Literal[True],
        wait_for: Iterable[object] = (),
        **kwargs: Any,
    ) -> FinalState[R]: ...
    @overload
    def __call__(self, *args: Any, wait_for: Iterable[object], **kwargs: Any) -> R: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it: in a flow or task as a subflow, else by the process's engine.

        Args:
            return_state: give the final state, a `FinalState`, and raise nothing.
            wait_for: futures to wait for first, besides those among the arguments.

        Raises:
            ConfigError: a parameter is wrong; nothing was started.
            BaseException: whatever made the run fail, as it was raised.
        """
        return_state, wait_for = taken(kwargs)
        run = caller.get()
        if run is None:
            ended = begin_outside(self, args, kwargs)
        else:
            ended = run.call_flow(self.spec, Inputs(args, kwargs, wait_for))
            if current_cancellation().requested:
                return ended.result()
        return ended.final_state if return_state else ended.result()

    @overload
    def submit(self, *args: P.args, **kwargs: P.kwargs) -> Future[R]: ...
    @overload
    def submit(
        self,
        *args: Any,
        return_state: Literal[True],
        wait_for: Iterable[object] = (),
        **kwargs: Any,
    ) -> FinalState[R]: ...
    @overload
    def submit(self, *args: Any, wait_for: Iterable[object] = (), **kwargs: Any) -> Future[R]: ...
    def submit(self, *args: Any, **kwargs: Any) -> Any:
        """Have it run as a subflow in another thread, once the futures among the arguments are
        there.

        Raises:
            ConfigError: a parameter is wrong, or called in a task or outside any flow.
        """
        return_state, wait_for = taken(kwargs)
        run = submitting(self.name, "submit")
        future = run.submit(self.spec, Inputs(args, kwargs, wait_for))
        return future.wait() if return_state else future

    def __repr__(self) -> str:
        return f"<Flow {self.name!r}>"


class FlowDecorator(Protocol):
    """What `@flow(…)` gives: a decorator that knows that futures are returned as their values."""

    @overload
    def __call__(self, function: Callable[P, Future[R]], /) -> Flow[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, list[Future[R]]], /) -> Flow[P, list[R]]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Flow[P, R]: ...


@overload
def flow(function: Callable[P, Future[R]], /) -> Flow[P, R]: ...
@overload
def flow(function: Callable[P, list[Future[R]]], /) -> Flow[P, list[R]]: ...
@overload
def flow(function: Callable[P, R], /) -> Flow[P, R]: ...
@overload
def flow(**options: Unpack[FlowOptions]) -> FlowDecorator: ...
def flow(function: Callable[..., Any] | None = None, /, **options: Unpack[FlowOptions]) -> Any:
    """Make a function a flow: `@flow` or `@flow(name=…, run_name="{color}-{month}")`.

    Args:
        name: what it is called in the history; the function's name if left out.
        run_name: a `str.format` template over its parameters; left out, each run gets an
            adjective and an animal.
        timeout_seconds: a run that takes longer is stopped, as far as threads can be, with all
            its tasks, and ends as TimedOut.
        log_prints: log what it prints. Left out, a child run does as its parent.
        on_completion, on_failure, on_crash, on_cancel: lists of callables; those for the state
            in which a run ends are called with the `Run`.

    Raises:
        ConfigError: at decoration, when an option cannot be.
    """
    refuse_options("flow", options, FlowOptions.__optional_keys__)

    def decorate(function: Callable[..., Any]) -> Flow[..., Any]:
        return Flow(flow_spec(function, options))

    return decorate if function is None else decorate(function)
