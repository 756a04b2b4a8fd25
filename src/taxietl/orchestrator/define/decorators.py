"""`@flow` and `@task`: what they give is called, and hands the call to the run around it.

A flow is a function that is run as a whole, with parameters, a name and a history. A task is one
whose calls inside a flow are recorded, retried and cached; anywhere else, inside another task too,
it is the plain function, so tests call it as one. What a call goes through is in
`run/flow_runs.py` and `run/task_runs.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, Generic, Literal, ParamSpec, Protocol, TypeVar, Unpack, overload

from taxietl.errors import ConfigError
from taxietl.orchestrator.define.calling import begin_outside, caller
from taxietl.orchestrator.define.decoration import FlowOptions, TaskOptions, flow_spec, task_spec
from taxietl.orchestrator.define.foreign import refuse_options
from taxietl.orchestrator.define.futures import Future, FutureList
from taxietl.orchestrator.define.inputs import Inputs, taken
from taxietl.orchestrator.define.mapping import mapped_calls
from taxietl.orchestrator.define.outside import plain_call, submitting
from taxietl.orchestrator.define.specs import FlowSpec, TaskSpec
from taxietl.orchestrator.define.stream import Stream
from taxietl.orchestrator.stop.cancellation import current_cancellation
from taxietl.orchestrator.store.states import FinalState

P = ParamSpec("P")
R = TypeVar("R")
Y = TypeVar("Y")


class Decorated(Generic[P, R]):
    """What flows and tasks have in common: a function and how its calls are to be run."""

    spec: FlowSpec | TaskSpec

    def __init__(self, spec: FlowSpec | TaskSpec) -> None:
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
        """Call it: in a flow as part of its run; elsewhere a task is the plain function, and a
        flow a run of its own.

        Args:
            return_state: give the final state, a `FinalState`, and raise nothing.
            wait_for: futures to wait for first, besides those among the arguments.

        Raises:
            ConfigError: a flow's parameter is wrong; nothing was started.
            BaseException: whatever made it fail, as it was raised.
        """
        return_state, wait_for = taken(kwargs) if kwargs else (False, ())
        return self._called(args, kwargs, wait_for, return_state=return_state)

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
        """Have it called in another thread, once the futures among the arguments are there.

        Raises:
            ConfigError: called in a task or outside any flow; on a streaming task; or a flow's
                parameter is wrong.
        """
        return_state, wait_for = taken(kwargs)
        future = self._submitted("submit", args, kwargs, wait_for)
        return future.wait() if return_state else future

    def _called(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        wait_for: Sequence[object],
        *,
        return_state: bool,
    ) -> Any:
        raise NotImplementedError

    def _submitted(
        self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], wait_for: Sequence[object]
    ) -> Future[R]:
        run = submitting(self.name, method)
        return run.submit(self.spec, Inputs(args, kwargs, wait_for))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


class Flow(Decorated[P, R]):
    """What `@flow` gives."""

    spec: FlowSpec

    def _called(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        wait_for: Sequence[object],
        *,
        return_state: bool,
    ) -> Any:
        run = caller.get()
        if run is None:
            ended = begin_outside(self, args, kwargs)
        else:
            ended = run.call_flow(self.spec, Inputs(args, kwargs, wait_for))
            if current_cancellation().requested:
                return ended.result()
        return ended.final_state if return_state else ended.result()


class Task(Decorated[P, R]):
    """What `@task` gives."""

    spec: TaskSpec

    @overload
    def map(
        self,
        *args: Any,
        return_state: Literal[True],
        wait_for: Iterable[object] = (),
        **kwargs: Any,
    ) -> list[FinalState[R]]: ...
    @overload
    def map(self, *args: Any, wait_for: Iterable[object] = (), **kwargs: Any) -> FutureList[R]: ...
    def map(self, *args: Any, **kwargs: Any) -> Any:
        """Submit one call for each element of the arguments; `unmapped(…)` goes to every call.

        Raises:
            ConfigError: as `submit`; the lengths differ, or nothing has elements.
        """
        return_state, wait_for = taken(kwargs)
        submitting(self.name, "map")
        calls = mapped_calls(self.name, list(self.spec.signature.parameters), args, kwargs)
        futures = FutureList(self._submitted("map", *call, wait_for) for call in calls)
        return futures.wait() if return_state else futures

    def _called(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        wait_for: Sequence[object],
        *,
        return_state: bool,
    ) -> Any:
        run, inputs = caller.get(), Inputs(args, kwargs, wait_for)
        if run is None:
            return plain_call(self.spec, inputs, return_state=return_state)
        if return_state:
            return run.end_of_task(self.spec, inputs)
        return run.call_task(self.spec, inputs)

    def _submitted(
        self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], wait_for: Sequence[object]
    ) -> Future[R]:
        submitting(self.name, method)
        if self.spec.is_stream:
            raise ConfigError(
                f"{self.name}.{method}() is not possible: a streaming task runs in its consumer.",
                hint=f"Submit the consumer, with the stream {self.name}(…) as its argument.",
            )
        return super()._submitted(method, args, kwargs, wait_for)


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


class TaskDecorator(Protocol):
    """What `@task(…)` gives: a decorator that knows generators from plain functions."""

    @overload
    def __call__(
        self, function: Callable[P, Generator[Y, None, R]], /
    ) -> Task[P, Stream[Y, R]]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Task[P, R]: ...


@overload
def task(function: Callable[P, Generator[Y, None, R]], /) -> Task[P, Stream[Y, R]]: ...
@overload
def task(function: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(**options: Unpack[TaskOptions]) -> TaskDecorator: ...
def task(function: Callable[..., Any] | None = None, /, **options: Unpack[TaskOptions]) -> Any:
    """Make a function a task: `@task` or `@task(retry=…, cache=…)`; a generator, a streaming task.

    Args:
        name: what it is called in the history; the function's name if left out.
        retry: when to try it again.
        cache: keep its results.
        version: part of the cache's key; left out, it is a digest of the function's code.
        tags: words to find and limit it by.
        persist_result: False for what must be asked anew each time, by a resumed run too.
        retries, retry_delay_seconds, retry_if: short for `Retry(on=Exception, …)`.
        timeout_seconds: an attempt that takes longer is stopped, as far as a thread can be, and
            has failed as TimedOut.
        isolate: make each attempt in a process of its own, which can be ended in any case. The
            function must be one that a module has by its name; arguments and results are pickled.
        log_prints: log what it prints. Left out, as its flow does.
        on_completion, on_failure, on_crash, on_cancel: called with the `TaskRun` that has ended.

    Raises:
        ConfigError: at decoration, when an option is unknown or does not go with another.
    """
    refuse_options("task", options, TaskOptions.__optional_keys__)

    def decorate(function: Callable[..., Any]) -> Task[..., Any]:
        return Task(task_spec(function, options))

    return decorate if function is None else decorate(function)
