"""The attempts of one task run: each with its slots and its states, and what lies between two.

    slots of the task's tags → is the run to stop? → Running or Retrying → call
    → failed with what its `Retry` names: AwaitingRetry, wait, the next one

All are states of the same task run. No slot is held between two attempts.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from taxietl.orchestrator.run.bodies import task_body
from taxietl.orchestrator.run.endings import failure
from taxietl.orchestrator.run.open_runs import OpenTaskRun, within
from taxietl.orchestrator.run.told import described, say_raised
from taxietl.orchestrator.store.states import StateName

if TYPE_CHECKING:
    from taxietl.orchestrator.define.inputs import Inputs
    from taxietl.orchestrator.define.retry import Retry
    from taxietl.orchestrator.define.specs import TaskSpec
    from taxietl.orchestrator.define.stream import Stream


def attempted(
    task: TaskSpec,
    task_run: OpenTaskRun,
    inputs: Inputs,
    streams: Sequence[Stream[Any, Any]],
    *,
    reason: str,
) -> Any:
    """What the task returned; raises what its last attempt raised.

    Args:
        task: what is called.
        task_run: pending.
        inputs: settled.
        streams: those among the inputs, which every attempt reads anew.
        reason: why the task is called at all, as the first attempt's message.
    """
    attempt: Callable[[], Any] = functools.partial(
        _attempt, task_run, task_body(task, task_run, inputs), reason
    )
    if task.tags:
        limits = task_run.run.services.limits
        limits.check(task_run.who, task.tags)
        attempt = functools.partial(_slotted, task_run, task.tags, attempt)
    if task.retry is None:
        return attempt()
    return _retried(task.retry, task_run, streams, attempt)


def _slotted(task_run: OpenTaskRun, tags: frozenset[str], attempt: Callable[[], Any]) -> Any:
    """One attempt, with a slot of each limited tag from before it is Running to its end."""

    def waiting(message: str) -> None:
        """Stay in the state before an attempt, saying why."""
        is_first = task_run.attempt == 0
        name = StateName.PENDING if is_first else StateName.AWAITING_RETRY
        task_run.move(name, message, said=message)

    with task_run.run.services.limits.slots(
        task_run.who,
        tags,
        cancellation=task_run.cancellation,
        aside=task_run.aside,
        waiting=waiting,
    ):
        return attempt()


def _attempt(task_run: OpenTaskRun, body: Callable[[], Any], reason: str) -> Any:
    cancellation = task_run.run.cancellation
    cancellation.check()
    task_run.attempt += 1
    if task_run.attempt == 1:
        task_run.move(StateName.RUNNING, reason)
    else:
        task_run.move(StateName.RETRYING)
    with within(task_run):
        try:
            return body()
        except Exception as error:
            # An interrupted query fails with the database's own error: it was not a failure.
            if cancellation.requested:
                raise cancellation.error() from error
            raise


def _retried(
    retry: Retry,
    task_run: OpenTaskRun,
    streams: Sequence[Stream[Any, Any]],
    attempt: Callable[[], Any],
) -> Any:
    """Attempts until one returns, or none is left."""
    from taxietl.orchestrator.run.retrying import call_with_retry

    services, run = task_run.run.services, task_run.run

    def await_next(error: BaseException, seconds: float) -> None:
        for stream in streams:
            stream.rewind()
        with services.transaction() as change:
            say_raised(change, task_run.who, error)
            change.say(
                task_run.who,
                "Received non-final state 'AwaitingRetry' when proposing final state"
                f" {failure(task_run.who, error)[0].value!r} and will attempt to run again...",
            )
            message = f"Attempt {task_run.attempt} of {retry.attempts} failed: {described(error)}"
            state = change.state(StateName.AWAITING_RETRY, message)
            due = change.at + timedelta(seconds=seconds)
            change.move(task_run.who, state, attempt=task_run.attempt, scheduled_for=due)
        task_run.state = state

    def rest(seconds: float) -> None:
        """Wait for the next attempt; other tasks may work meanwhile."""
        with run.pool.aside():
            (services.sleep or run.cancellation.wait)(seconds)

    def give_up(why: str) -> None:
        with services.transaction() as change:
            change.say(task_run.who, why, level=logging.WARNING)

    return call_with_retry(
        retry,
        attempt,
        clock=services.clock,
        rng=services.rng,
        waiting=await_next,
        giving_up=give_up,
        sleep=rest,
    )
