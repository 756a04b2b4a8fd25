"""Further attempts of a flow that failed, in its own run: `@flow(retry=…)`.

    failed with what its `Retry` names: AwaitingRetry, wait, Retrying → its function once more

The function begins at its first line; a call that had completed in an earlier attempt is not made
again, as in a run that is resumed. One that had not goes on in its row: it has one place in the
history, however often its flow is tried.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from taxietl.orchestrator.run.attempts import call_with_retry
from taxietl.orchestrator.run.endings import Ending
from taxietl.orchestrator.run.open_runs import OpenRun
from taxietl.orchestrator.run.resume import Earlier
from taxietl.orchestrator.store.lines import described
from taxietl.orchestrator.store.states import StateName, StateType

if TYPE_CHECKING:
    from taxietl.orchestrator.define.retry import Retry
    from taxietl.orchestrator.run.open_runs import OpenTaskRun


def retried(
    retry: Retry, run: OpenRun, place: OpenTaskRun | None, attempt: Callable[[], Ending]
) -> Ending:
    """How the last attempt ended, of those that there are to be.

    Args:
        place: the task run that stands for a child run in its parent, if any does.
        attempt: makes one, from Running or Retrying on.

    Raises:
        Cancelled: the run was asked to stop between two attempts.
    """
    last: Ending | None = None

    def once() -> Ending:
        nonlocal last
        last = attempt()
        error, is_failed = last.final.error, last.final.type is StateType.FAILED
        if is_failed and isinstance(error, Exception) and not run.cancellation.requested:
            raise error
        return last

    def await_next(error: BaseException, seconds: float) -> None:
        with run.services.transaction() as change:
            if last is not None and last.is_raised:
                change.say_raised(run.who, error)
            said = f"Attempt {run.attempt} of {retry.attempts} failed: {described(error)}"
            change.say(run.who, f"{said}. Next attempt in {seconds:g} s.", level=logging.WARNING)
            state = change.state(StateName.AWAITING_RETRY, said)
            due = change.at + timedelta(seconds=seconds)
            change.move(run.who, state, scheduled_for=due)
            if place is not None:
                change.move(place.who, state, attempt=place.attempt, scheduled_for=due, of=place)
        _begin_again(run)

    try:
        return call_with_retry(retry, once, run, run=run, waiting=await_next)
    except Exception as error:
        if last is None or error is not last.final.error:
            raise
        return last


def _begin_again(run: OpenRun) -> None:
    """Let the run count its calls from the first, and know those that it has made."""
    history = run.services.history
    earlier = run.earlier or Earlier(history, [])
    run.earlier = earlier.in_next_attempt(history.task_runs(run.who.run_id))
    run.forget_calls()
