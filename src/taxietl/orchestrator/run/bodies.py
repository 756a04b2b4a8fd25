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

from taxietl.orchestrator.stop import cancellation as cancelling
from taxietl.orchestrator.stop.cancellation import Cancellation

if TYPE_CHECKING:
    from taxietl.orchestrator.define.inputs import Inputs
    from taxietl.orchestrator.define.specs import FlowSpec, TaskSpec
    from taxietl.orchestrator.run.open_runs import OpenRun, OpenTaskRun
    from taxietl.orchestrator.run.services import Services
    from taxietl.orchestrator.stop.timeouts import TimeLimit
    from taxietl.orchestrator.store.lines import Identity

R = TypeVar("R")


def surrounded_body(
    task: TaskSpec, task_run: OpenTaskRun, inputs: Inputs, call: Callable[[], Any]
) -> Callable[[], Any]:
    """A task's call with what its options put around it.

    Raises:
        ConfigError: the call cannot be made in another process.
    """
    if task.isolate:
        from taxietl.orchestrator.run.isolation import IsolatedCall

        isolated = IsolatedCall(task.name, task.function, inputs.args, inputs.kwargs)
        call = functools.partial(isolated, task_run.who)
    return functools.partial(_surrounded, call, task, task_run)


def wants_prints(task: TaskSpec, run: OpenRun) -> bool:
    """What the task prints is to be logged: it says so, or says nothing and its flow does."""
    return run.log_prints if task.log_prints is None else task.log_prints


@contextmanager
def around_flow_body(flow: FlowSpec, run: OpenRun) -> Iterator[Callable[[Callable[[], R]], R]]:
    """Whatever belongs around a flow's body and what is waited for after it; gives the caller."""
    whole = run.cancellation
    with ExitStack() as stack:
        if flow.log_prints is not None or run.log_prints:
            from taxietl.orchestrator.run.prints import prints_logged

            stack.enter_context(prints_logged(run.log_prints))
        if flow.timeout_seconds is None and whole.reaches_here():
            yield lambda body: body()
            return
        title = f"Flow run {run.who.run_name!r}"
        limit = _limited(flow.timeout_seconds, whole, run.who, run.services, title)
        stack.enter_context(limit)
        run.cancellation = limit.cancellation
        stack.callback(setattr, run, "cancellation", whole)
        stack.enter_context(_heard(limit.cancellation))
        try:
            yield limit.call
        except BaseException as error:
            late = limit.verdict(error)
            if late is error or late is None:
                raise
            raise late from error


def _surrounded(call: Callable[[], Any], task: TaskSpec, task_run: OpenTaskRun) -> Any:
    from taxietl.orchestrator.run.prints import prints_logged

    whole = task_run.run.cancellation
    with ExitStack() as stack:
        stack.enter_context(prints_logged(wants_prints(task, task_run.run)))
        if task.timeout_seconds is None and whole.reaches_here():
            return call()
        title = f"Task run {task_run.name!r}"
        services = task_run.run.services
        limit = _limited(task.timeout_seconds, whole, task_run.who, services, title)
        stack.enter_context(limit)
        stack.enter_context(_heard(limit.cancellation))
        return limit.call(call)


@contextmanager
def _heard(cancellation: Cancellation) -> Iterator[None]:
    """That one asks the code of the block to stop."""
    token = cancelling.current.set(cancellation)
    try:
        yield
    finally:
        cancelling.current.reset(token)


def _limited(
    seconds: float | None, whole: Cancellation, who: Identity, services: Services, title: str
) -> TimeLimit:
    """A time limit for that run's or task run's work; whatever is stubborn is told in its log."""
    from taxietl.orchestrator.stop.timeouts import TimeLimit

    def stubborn() -> None:
        advice = "isolate=True makes a task run in a process, which can be."
        with services.transaction() as change:
            change.say(
                who,
                f"It does not end after its timeout of {seconds} seconds. A thread cannot be"
                f" stopped, so the run waits for it; {advice}",
                level=logging.WARNING,
            )

    return TimeLimit(seconds, whole, who=title, run_id=who.id, stubborn=stubborn)
