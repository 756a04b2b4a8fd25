"""`@task`: a function whose calls inside a flow are recorded, retried and cached.

Anywhere else, inside another task too, a task is the plain function, so tests call it as one.
The order around a call is in `task_runs.py`; this module only knows what a task is.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, Generic, Literal, ParamSpec, Protocol, TypeVar, overload

from taxietl.errors import ConfigError
from taxietl.masking import masked
from taxietl.orchestrator.define.annotations import return_annotation
from taxietl.orchestrator.define.cache import Cache
from taxietl.orchestrator.define.code_digests import CodeVersion
from taxietl.orchestrator.define.context import RunScope, scope
from taxietl.orchestrator.define.decoration import check_function, check_task, retry_plan
from taxietl.orchestrator.define.futures import Future, FutureList
from taxietl.orchestrator.define.hooks import Hook, Hooks
from taxietl.orchestrator.define.inputs import Inputs, taken
from taxietl.orchestrator.define.mapping import mapped_calls
from taxietl.orchestrator.define.retry import Delay, Retry
from taxietl.orchestrator.define.stream import Stream
from taxietl.orchestrator.define.submission import submitting_run
from taxietl.orchestrator.store.places import function_place
from taxietl.orchestrator.store.results import ResultCodec
from taxietl.orchestrator.store.states import FinalState

P = ParamSpec("P")
R = TypeVar("R")
Y = TypeVar("Y")


class Task(Generic[P, R]):
    """A function and how its calls are to be run."""

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        name: str,
        retry: Retry | None,
        cache: Cache | None,
        version: str | None,
        tags: frozenset[str],
        persist_result: bool,
        timeout_seconds: float | None = None,
        isolate: bool = False,
        log_prints: bool | None = None,
        hooks: Hooks | None = None,
    ) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.name, self.tags = name, tags
        self._version = CodeVersion(function, version)
        self.retry, self.cache = retry, cache
        self.persist_result = persist_result
        self.timeout_seconds, self.isolate = timeout_seconds, isolate
        self.log_prints, self.hooks = log_prints, hooks
        self.is_stream = inspect.isgeneratorfunction(function)

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
        return_state, wait_for = taken(kwargs)
        current = scope.get()
        if isinstance(current, RunScope) and not (return_state and self.is_stream):
            from taxietl.orchestrator.run.calls import call_task, task_state

            call = task_state if return_state else call_task
            return call(self, current, Inputs(args, kwargs, wait_for))
        if return_state or wait_for:
            raise ConfigError(
                f"{self.name}(…) has no return_state= or wait_for= here: it is no task run.",
                hint="Both are for tasks, streaming ones have no return_state=, called in a flow.",
            )
        if self.is_stream:
            opened = functools.partial(self.function, *args, **kwargs)
            return Stream[Any, Any](self.name, opened)
        return self.function(*args, **kwargs)

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
        future = self._submit("submit", args, kwargs, wait_for)
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
        submitting_run(self.name, "map")
        calls = mapped_calls(self.name, list(self.signature.parameters), args, kwargs)
        futures = FutureList(self._submit("map", *call, wait_for) for call in calls)
        return futures.wait() if return_state else futures

    def _submit(
        self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], wait_for: Sequence[object]
    ) -> Future[R]:
        run = submitting_run(self.name, method)
        if self.is_stream:
            raise ConfigError(
                f"{self.name}.{method}() is not possible: a streaming task runs in its consumer.",
                hint=f"Submit the consumer, with the stream {self.name}(…) as its argument.",
            )
        from taxietl.orchestrator.run.calls import submit_task

        return submit_task(self, run, Inputs(args, kwargs, wait_for))

    def __repr__(self) -> str:
        return f"<Task {self.name!r}>"

    @functools.cached_property
    def signature(self) -> inspect.Signature:
        """Its function's parameters."""
        return inspect.signature(self.function)

    @functools.cached_property
    def codec(self) -> ResultCodec:
        """How its results are written."""
        return ResultCodec(return_annotation(self.function))

    @functools.cached_property
    def place(self) -> str:
        """Where its function lies: `package.module:name`, or `/a/file.py:name`."""
        return function_place(self.function)

    @property
    def version(self) -> str:
        """What tells its results from those of the same function at another time."""
        return str(self._version)

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """All arguments of a call by name, defaults included; TypeError as Python raises it."""
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)


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
def task(
    *,
    name: str | None = None,
    retry: Retry | None = None,
    cache: Cache | None = None,
    version: str | None = None,
    tags: Iterable[str] = (),
    persist_result: bool = True,
    retries: int = 0,
    retry_delay_seconds: Delay = 0.0,
    retry_if: Callable[[Exception], bool] | None = None,
    timeout_seconds: float | None = None,
    isolate: bool = False,
    log_prints: bool | None = None,
    on_completion: Sequence[Hook] | None = None,
    on_failure: Sequence[Hook] | None = None,
    on_crash: Sequence[Hook] | None = None,
    on_cancel: Sequence[Hook] | None = None,
) -> TaskDecorator: ...
def task(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    retry: Retry | None = None,
    cache: Cache | None = None,
    version: str | None = None,
    tags: Iterable[str] = (),
    persist_result: bool = True,
    retries: int = 0,
    retry_delay_seconds: Delay = 0.0,
    retry_if: Callable[[Exception], bool] | None = None,
    timeout_seconds: float | None = None,
    isolate: bool = False,
    log_prints: bool | None = None,
    on_completion: Sequence[Hook] | None = None,
    on_failure: Sequence[Hook] | None = None,
    on_crash: Sequence[Hook] | None = None,
    on_cancel: Sequence[Hook] | None = None,
    **others: object,
) -> Any:
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

    if others:
        from taxietl.orchestrator.define.foreign import refuse_options

        refuse_options("task", others, inspect.signature(task).parameters)

    def decorate(function: Callable[..., Any]) -> Task[..., Any]:
        check_function("task", function)
        title = masked(name or str(getattr(function, "__name__", "task")))
        made: Task[..., Any] = Task(
            function,
            name=title,
            retry=retry_plan(
                title, retry, retries=retries, delay=retry_delay_seconds, retry_if=retry_if
            ),
            cache=cache,
            version=version,
            tags=frozenset(map(masked, (tags,) if isinstance(tags, str) else tags)),
            persist_result=persist_result,
            timeout_seconds=timeout_seconds,
            isolate=isolate,
            log_prints=log_prints,
            hooks=Hooks.checked(
                f"task {title!r}",
                on_completion=on_completion,
                on_failure=on_failure,
                on_crash=on_crash,
                on_cancel=on_cancel,
            ),
        )
        check_task(made)
        return made

    return decorate if function is None else decorate(function)
