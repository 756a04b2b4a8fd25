"""What options put around the call of a task's or flow's function.

Plain, it is just the call. With a time limit, with its prints logged or in a process of its own
(or all three), this module puts them together; each is in a module of its own.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from taxietl.errors import ConfigError
from taxietl.orchestrator.define.context import RunScope, TaskScope
from taxietl.orchestrator.run.prints import prints_logged
from taxietl.orchestrator.stop.cancellation import interruptible
from taxietl.orchestrator.stop.timeouts import TimeLimit

if TYPE_CHECKING:
    from taxietl.orchestrator.define.flows import Flow
    from taxietl.orchestrator.define.inputs import Inputs
    from taxietl.orchestrator.define.tasks import Task

R = TypeVar("R")


def task_body(task: Task[..., Any], task_run: TaskScope, inputs: Inputs) -> Callable[[], Any]:
    """The task's function as an attempt calls it, in the attempt's thread and context.

    Raises:
        ConfigError: the call cannot be made in another process.
    """
    args, kwargs = inputs.args, inputs.kwargs
    call = functools.partial(interruptible, task.function, *args, **kwargs)
    if task.isolate:
        from taxietl.orchestrator.run.isolation import IsolatedCall

        call = functools.partial(IsolatedCall(task.name, task.function, args, kwargs), task_run)
    logs_prints = wants_prints(task, task_run.run)
    has_limit = task.timeout_seconds is not None or not task_run.cancellation.reaches_here()
    if not has_limit and not logs_prints and not task_run.run.log_prints:
        return call
    return functools.partial(_surrounded, call, task, task_run, logs_prints)


def wants_prints(task: Task[..., Any], run: RunScope) -> bool:
    """What the task prints is to be logged: it says so, or says nothing and its flow does."""
    return run.log_prints if task.log_prints is None else task.log_prints


def refuse_streams(task: Task[..., Any]) -> None:
    """A stream among the arguments of an isolated task cannot follow it."""
    if task.isolate:
        raise ConfigError(
            f"The task {task.name!r} has isolate=True and was given a stream, which runs in the"
            " process that made it.",
            hint="Leave out isolate=, or hand over a file that holds what the stream gave.",
        )


@contextmanager
def around_flow_body(flow: Flow[..., R], run: RunScope) -> Iterator[Callable[[Callable[[], R]], R]]:
    """Whatever belongs around a flow's body and what is waited for after it; gives the caller."""
    whole = run.cancellation
    with ExitStack() as stack:
        if flow.log_prints is not None or run.log_prints:
            stack.enter_context(prints_logged(run.log_prints))
        if flow.timeout_seconds is None and whole.reaches_here():
            yield lambda body: body()
            return
        title = f"Flow run {run.name!r}"
        limit = stack.enter_context(_limited(flow.timeout_seconds, run, title))
        run.cancellation = limit.cancellation
        stack.callback(setattr, run, "cancellation", whole)
        try:
            yield limit.call
        except BaseException as error:
            late = limit.verdict(error)
            if late is error or late is None:
                raise
            raise late from error


def _limited(seconds: float | None, who: RunScope | TaskScope, title: str) -> TimeLimit:
    """A time limit for that run's or task run's work; whatever is stubborn is told in its log."""

    def stubborn() -> None:
        advice = "isolate=True makes a task run in a process, which can be."
        run = who.run if isinstance(who, TaskScope) else who
        with run.engine.recorder.batch() as batch:
            batch.say(
                who,
                f"It does not end after its timeout of {seconds} seconds. A thread cannot be"
                f" stopped, so the run waits for it; {advice}",
                level=logging.WARNING,
            )

    return TimeLimit(seconds, who.cancellation, who=title, run_id=who.id, stubborn=stubborn)


def _surrounded(
    call: Callable[[], Any],
    task: Task[..., Any],
    task_run: TaskScope,
    logs_prints: bool,
) -> Any:
    with ExitStack() as stack:
        stack.enter_context(prints_logged(logs_prints))
        if task.timeout_seconds is None and task_run.cancellation.reaches_here():
            return call()
        title = f"Task run {task_run.name!r}"
        limit = stack.enter_context(_limited(task.timeout_seconds, task_run, title))
        task_run.limited = limit.cancellation
        stack.callback(setattr, task_run, "limited", None)
        return limit.call(call)
