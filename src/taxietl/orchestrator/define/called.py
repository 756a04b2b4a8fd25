"""What `@flow` and `@task` give: it is called, and hands the call to the run around it.

What a call goes through from there is in `run/flow_runs.py` and `run/task_runs.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, Literal, ParamSpec, TypeVar, Unpack, overload

from taxietl.errors import ConfigError
from taxietl.orchestrator.define.calling import begin_outside, caller
from taxietl.orchestrator.define.decoration import (
    FlowOptions,
    TaskOptions,
    changed,
    flow_spec,
    task_spec,
)
from taxietl.orchestrator.define.foreign import refuse_options
from taxietl.orchestrator.define.futures import Future, FutureList
from taxietl.orchestrator.define.inputs import Inputs, taken
from taxietl.orchestrator.define.mapping import mapped_calls
from taxietl.orchestrator.define.outside import plain_call, submitting
from taxietl.orchestrator.define.specs import FlowSpec, TaskSpec
from taxietl.orchestrator.stop.cancellation import current_cancellation
from taxietl.orchestrator.store.states import FinalState

P = ParamSpec("P")
R = TypeVar("R")


class Decorated(Generic[P, R]):
    """What flows and tasks have in common: a function and how its calls are to be run."""

    spec: FlowSpec | TaskSpec

    def __init__(self, spec: FlowSpec | TaskSpec) -> None:
        functools.update_wrapper(self, spec.function)
        self.spec = spec
        self.name = spec.name
        self.function: Callable[..., Any] = spec.function
        """The plain one that was decorated."""

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

    def __init__(self, function: Callable[..., Any], options: FlowOptions) -> None:
        super().__init__(flow_spec(function, options))
        self._options = options

    @staticmethod
    def refuse(options: FlowOptions) -> None:
        """ConfigError if there is an option that no flow has."""
        refuse_options("flow", options, FlowOptions.__optional_keys__)

    def with_options(self, **options: Unpack[FlowOptions]) -> Flow[P, R]:
        """The same flow with other values for some options of `@flow`; this one stays as it is.

        Raises:
            ConfigError: as `@flow(…)`.
        """
        self.refuse(options)
        return Flow(self.function, changed(self._options, options))

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

    def __init__(self, function: Callable[..., Any], options: TaskOptions) -> None:
        super().__init__(task_spec(function, options))
        self._options = options

    @staticmethod
    def refuse(options: TaskOptions) -> None:
        """ConfigError if there is an option that no task has."""
        refuse_options("task", options, TaskOptions.__optional_keys__)

    def with_options(self, **options: Unpack[TaskOptions]) -> Task[P, R]:
        """The same task with other values for some options of `@task`; this one stays as it is.

        Raises:
            ConfigError: as `@task(…)`.
        """
        self.refuse(options)
        return Task(self.function, changed(self._options, options))

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
