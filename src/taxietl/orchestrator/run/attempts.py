"""The attempts of one task run: each with its slots and its states, and what lies between two.

    slots of the task's tags → is the run to stop? → Running or Retrying → call
    → failed with what its `Retry` names: AwaitingRetry, wait, the next one

All are states of the same task run. No slot is held between two attempts.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from taxietl.orchestrator.define.context import TaskScope, scope
from taxietl.orchestrator.define.inputs import Inputs
from taxietl.orchestrator.define.stream import Stream
from taxietl.orchestrator.run.bodies import task_body
from taxietl.orchestrator.run.failures import failure
from taxietl.orchestrator.run.retrying import call_with_retry
from taxietl.orchestrator.store.recorder import described
from taxietl.orchestrator.store.states import StateName

if TYPE_CHECKING:
    from taxietl.orchestrator.define.tasks import Task


class Attempts:
    """The attempts of one task run.

    Args:
        task: what is called.
        task_run: pending.
        inputs: settled.
        streams: those among the inputs, which every attempt reads anew.
        reason: why the task is called at all, as the first attempt's message.
    """

    def __init__(
        self,
        task: Task[..., Any],
        task_run: TaskScope,
        inputs: Inputs,
        streams: Sequence[Stream[Any, Any]],
        *,
        reason: str,
    ) -> None:
        self._task, self._scope = task, task_run
        self._run, self._engine = task_run.run, task_run.run.engine
        self._streams, self._reason = streams, reason
        self._engine.limits.check(task_run, task.tags)
        self._call = task_body(task, task_run, inputs)

    def make(self) -> Any:
        """What the task returned; raises what its last attempt raised."""
        if self._task.retry is None:
            return self._slotted()
        return call_with_retry(
            self._task.retry,
            self._slotted,
            clock=self._engine.clock,
            rng=self._engine.rng,
            waiting=self._await_next,
            giving_up=self._give_up,
            sleep=self._rest,
        )

    def _slotted(self) -> Any:
        """One attempt, with a slot of each limited tag from before it is Running to its end."""
        with self._engine.limits.slots(self._scope, self._task.tags, waiting=self._await_slots):
            return self._one()

    def _one(self) -> Any:
        self._run.cancellation.check()
        self._scope.attempt += 1
        with self._engine.recorder.batch() as batch:
            is_first = self._scope.attempt == 1
            name = StateName.RUNNING if is_first else StateName.RETRYING
            batch.task_state(self._scope, batch.state(name, self._reason if is_first else ""))
        token = scope.set(self._scope)
        try:
            return self._call()
        except Exception as error:
            # An interrupted query fails with the database's own error: it was not a failure.
            if self._run.cancellation.requested:
                raise self._run.cancellation.error() from error
            raise
        finally:
            scope.reset(token)

    def _await_slots(self, message: str) -> None:
        """Stay in the state before an attempt, saying why."""
        is_first = self._scope.attempt == 0
        name = StateName.PENDING if is_first else StateName.AWAITING_RETRY
        with self._engine.recorder.batch() as batch:
            batch.say(self._scope, message)
            batch.task_state(self._scope, batch.state(name, message))

    def _await_next(self, error: BaseException, seconds: float) -> None:
        """Between two attempts."""
        for stream in self._streams:
            stream.rewind()
        attempts = self._task.retry.attempts if self._task.retry else 1
        with self._engine.recorder.batch() as batch:
            batch.raised(self._scope, error)
            batch.say(
                self._scope,
                "Received non-final state 'AwaitingRetry' when proposing final state"
                f" {failure(self._scope, error)[0].value!r} and will attempt to run again...",
            )
            message = f"Attempt {self._scope.attempt} of {attempts} failed: {described(error)}"
            batch.task_state(
                self._scope,
                batch.state(StateName.AWAITING_RETRY, message),
                scheduled_for=batch.at + timedelta(seconds=seconds),
            )

    def _rest(self, seconds: float) -> None:
        """Wait for the next attempt; other tasks may work meanwhile."""
        with self._run.pool.aside():
            (self._engine.sleep or self._run.cancellation.wait)(seconds)

    def _give_up(self, why: str) -> None:
        with self._engine.recorder.batch() as batch:
            batch.say(self._scope, why, level=logging.WARNING)
