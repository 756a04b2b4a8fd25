"""`@flow` and `@task`.

A flow is a function that is run as a whole, with parameters, a name and a history. A task is one
whose calls inside a flow are recorded, retried and cached; anywhere else, inside another task too,
it is the plain function, so tests call it as one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, ParamSpec, Protocol, TypeVar, Unpack, overload

from taxietl.orchestrator.define.called import Flow, Task
from taxietl.orchestrator.define.decoration import FlowOptions, TaskOptions
from taxietl.orchestrator.define.futures import Future
from taxietl.orchestrator.define.stream import Stream

P = ParamSpec("P")
R = TypeVar("R")
Y = TypeVar("Y")


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
        run_name: a `str.format` template over its parameters, or a function that makes a name of
            a dict of them; left out, each run gets an adjective and an animal.
        retry: when to try it again, in the same run: what had completed is not done again.
        retries, retry_delay_seconds, retry_if: short for `Retry(on=Exception, …)`.
        timeout_seconds: a run that takes longer is stopped, as far as threads can be, with all
            its tasks, and ends as TimedOut.
        log_prints: log what it prints. Left out, a child run does as its parent.
        on_completion, on_failure, on_crash, on_cancel: lists of callables; those for the state
            in which a run ends are called with the `Run`.

    Raises:
        ConfigError: at decoration, when an option cannot be.
    """

    def decorate(function: Callable[..., Any]) -> Flow[..., Any]:
        return Flow(function, options)

    Flow.refuse(options)
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
        run_name: what each of its runs is called: a `str.format` template over its arguments, or
            a function that makes a name of a dict of them; left out, `name-0`, `name-1` and so on.
        retry: when to try it again.
        cache: keep its results.
        version: part of the cache's key; left out, it is a digest of the function's code.
        tags: words to find and limit it by.
        persist_result: False for what must be asked anew each time, by a resumed run too; True
            for what must be kept, frames included; left out, what has a JSON form is.
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

    def decorate(function: Callable[..., Any]) -> Task[..., Any]:
        return Task(function, options)

    Task.refuse(options)
    return decorate if function is None else decorate(function)
