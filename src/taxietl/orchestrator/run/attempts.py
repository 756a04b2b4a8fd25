"""More than one plain attempt of a task run: slots of its tags, and another try after a failure.

    slots of the task's tags → is the run to stop? → Running or Retrying → call
    → failed with what its `Retry` names: AwaitingRetry, wait, the next one

All are states of the same task run. No slot is held between two attempts. When to try again is
`Retry`'s to say.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from taxietl.orchestrator.run.endings import failure
from taxietl.orchestrator.run.open_runs import OpenRun, OpenTaskRun, within
from taxietl.orchestrator.store.lines import described
from taxietl.orchestrator.store.states import StateName

if TYPE_CHECKING:
    from taxietl.orchestrator.define.retry import Retry
    from taxietl.orchestrator.define.specs import TaskSpec
    from taxietl.orchestrator.define.stream import Stream

R = TypeVar("R")


def attempted(
    task: TaskSpec,
    task_run: OpenTaskRun,
    streams: Sequence[Stream[Any, Any]],
    attempt: Callable[[], Any],
) -> Any:
    """What the task returned; raises what its last attempt raised.

    Args:
        task: it has a retry, or this call of it tags.
        task_run: pending.
        streams: those among its inputs, which every attempt reads anew.
        attempt: makes one, from Running or Retrying on.
    """
    services = task_run.run.services
    if limited := task_run.tags & services.limited_tags:
        services.limits.check(task_run.who, limited)
        attempt = functools.partial(_slotted, task_run, limited, attempt)
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


def _retried(
    retry: Retry,
    task_run: OpenTaskRun,
    streams: Sequence[Stream[Any, Any]],
    attempt: Callable[[], Any],
) -> Any:
    """Attempts until one returns, or none is left."""
    services = task_run.run.services
    made_before = task_run.attempt  # in earlier attempts of its flow

    def await_next(error: BaseException, seconds: float) -> None:
        for stream in streams:
            stream.rewind()
        with services.transaction() as change:
            change.say_raised(task_run.who, error)
            change.say(
                task_run.who,
                "Received non-final state 'AwaitingRetry' when proposing final state"
                f" {failure(task_run.who, error)[0].value!r} and will attempt to run again...",
            )
            number = task_run.attempt - made_before
            message = f"Attempt {number} of {retry.attempts} failed: {described(error)}"
            state = change.state(StateName.AWAITING_RETRY, message)
            due = change.at + timedelta(seconds=seconds)
            attempt = task_run.attempt
            change.move(task_run.who, state, attempt=attempt, scheduled_for=due, of=task_run)

    return call_with_retry(retry, attempt, task_run, run=task_run.run, waiting=await_next)


def call_with_retry(
    retry: Retry,
    attempt: Callable[[], R],
    tried: OpenRun | OpenTaskRun,
    *,
    run: OpenRun,
    waiting: Callable[[BaseException, float], None],
) -> R:
    """Call `attempt` until it returns, raises what is not to be retried, or has had its turns.

    Between two attempts others of the run's calls may work.

    Args:
        tried: whose attempts they are: the run, or a task run of it.
        waiting: told the error and the seconds until the next attempt, before each wait.

    Raises:
        Cancelled: the run was asked to stop between two attempts.
    """
    services = run.services

    def give_up(why: str) -> None:
        with services.transaction() as change:
            change.say(tried.who, f"No further attempt: {why}.", level=logging.WARNING)

    began, failures = services.clock(), 0
    while True:
        try:
            return attempt()
        except retry.on as error:
            failures += 1
            with within(tried):
                refusal = retry.refusal(error)
            if refusal:
                give_up(refusal)
                raise
            if failures >= retry.attempts:
                raise
            try:
                seconds: float | None = retry.wait_seconds(failures, services.rng, error)
            except Exception as raised:  # noqa: BLE001 - the attempt's own error is to be raised
                give_up(f"delay failed: {type(raised).__name__}: {raised}")
                seconds = None
            if seconds is None:
                raise
            spent = (services.clock() - began).total_seconds() + seconds
            if retry.max_seconds is not None and spent > retry.max_seconds:
                give_up(
                    f"it would begin {spent:.0f} s after the first, and max_seconds is "
                    f"{retry.max_seconds:g}"
                )
                raise
            waiting(error, seconds)
        with run.pool.aside():  # here nothing holds the error, and what its traceback holds
            (services.sleep or run.cancellation.wait)(seconds)
