"""`@task`: a function whose calls inside a flow are recorded, retried and cached.

Anywhere else, inside another task too, a task is the plain function, so tests call it as one.
What a call goes through is in `run/task_runs.py`; this module only hands it over.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterable
from typing import Any, Generic, Literal, ParamSpec, Protocol, TypeVar, Unpack, overload

from taxietl.errors import ConfigError
from taxietl.orchestrator.define.calling import caller
from taxietl.orchestrator.define.decoration import TaskOptions, task_spec
from taxietl.orchestrator.define.foreign import refuse_options
from taxietl.orchestrator.define.futures import Future, FutureList
from taxietl.orchestrator.define.inputs import Inputs, taken
from taxietl.orchestrator.define.mapping import mapped_calls
from taxietl.orchestrator.define.outside import plain_call, submitting
from taxietl.orchestrator.define.specs import TaskSpec
from taxietl.orchestrator.define.stream import Stream
from taxietl.orchestrator.store.states import FinalState

P = ParamSpec("P")
R = TypeVar("R")
Y = TypeVar("Y")


class Task(Generic[P, R]):
    """A function and how its calls are to be run."""

    def __init__(self, spec: TaskSpec) -> None:
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
        """Call it: in a flow as a task run, elsewhere as the plain function.

        Args:
            return_state: give the final state, a `FinalState`, and raise nothing.
            wait_for: futures to wait for first, besides those among the arguments.
        """
        run = caller.get()
        return_state, wait_for = taken(kwargs) if kwargs else (False, ())
        inputs = Inputs(args, kwargs, wait_for)
        if run is None:
            return plain_call(self.spec, inputs, return_state=return_state)
        if return_state:
            return run.end_of_task(self.spec, inputs)
        return run.call_task(self.spec, inputs)

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
            ConfigError: called in a task or outside any flow, or on a streaming task.
        """
        return_state, wait_for = taken(kwargs)
        future = self._submit("submit", Inputs(args, kwargs, wait_for))
        return future.wait() if return_state else future

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
        futures = FutureList(self._submit("map", Inputs(*call, wait_for)) for call in calls)
        return futures.wait() if return_state else futures

    def _submit(self, method: str, inputs: Inputs) -> Future[R]:
        run = submitting(self.name, method)
        if self.spec.is_stream:
            raise ConfigError(
                f"{self.name}.{method}() is not possible: a streaming task runs in its consumer.",
                hint=f"Submit the consumer, with the stream {self.name}(…) as its argument.",
            )
        return run.submit(self.spec, inputs)

    def __repr__(self) -> str:
        return f"<Task {self.name!r}>"


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
