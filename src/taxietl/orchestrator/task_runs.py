"""The order around one call of a task, written once.

    inputs → done in the run taken up? → cache → per attempt: take the tags' slots, check for
    cancellation, call → store → record

Futures among the arguments are waited for, and stand for their values from then on; if one of
them did not complete, the call is not made.

An attempt that fails with what the task's `Retry` names waits and is followed by another one;
both are states of the same task run. Streams among the arguments belong to this call: they are
opened anew for every attempt, and closed when it is over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from taxietl.orchestrator import cache
from taxietl.orchestrator.attempts import attempt_of, refuse_streams
from taxietl.orchestrator.beginnings import new_task_run
from taxietl.orchestrator.context import RunScope, TaskScope, scope
from taxietl.orchestrator.failures import end_with_error, failure
from taxietl.orchestrator.futures import NotReadyError
from taxietl.orchestrator.inputs import Inputs
from taxietl.orchestrator.recorder import described
from taxietl.orchestrator.results import (
    MAX_BYTES,
    NOT_STORED,
    Stored,
    stored,
)
from taxietl.orchestrator.retry import call_with_retry
from taxietl.orchestrator.runs import TaskRun
from taxietl.orchestrator.states import StateName, StateType
from taxietl.orchestrator.stream import Stream

if TYPE_CHECKING:
    from taxietl.orchestrator.tasks import Task


class TaskCall:
    """One call of a task in a run."""

    def __init__(self, task: Task[..., Any], run: RunScope, inputs: Inputs) -> None:
        self._engine, self._task, self._run = run.engine, task, run
        self._inputs, self.upstreams = inputs, inputs.upstreams
        self._arguments = task.arguments(inputs.args, inputs.kwargs)
        self._streams: list[Stream[Any, Any]] = []
        run.refuse_namesake(task.name, task.function)
        self._scope, self._new = new_task_run(
            run, task.name, self._arguments, kind="task", version=task.version, tags=task.tags
        )

    @property
    def task_run(self) -> TaskScope:
        """The task run it is."""
        return self._scope

    def announce(self, *, submitted: bool) -> None:
        """Store it as pending."""
        with self._engine.recorder.batch() as batch:
            state = batch.state(StateName.PENDING)
            batch.new_task_run(self._scope, self._new, state, submitted=submitted)

    def run(self) -> Any:
        """Make the call: what the task returned, now or when its result was kept."""
        try:
            self._run.cancellation.check()
            self._settle()
            # The streams are claimed first: what another task reads is no argument of this one.
            for stream in self._inputs.streams:
                stream.claim(repr(self._scope.name))
                self._streams.append(stream)
                refuse_streams(self._task)
            return self._value()
        except BaseException as error:
            final = self._fail(error)
            if final is error:
                raise
            raise final from (None if isinstance(error, NotReadyError) else error)

    def _settle(self) -> None:
        """Wait for the futures among the arguments, and note what they gave."""
        self._inputs.settle()
        if self._inputs.futures:
            self._arguments = self._task.arguments(self._inputs.args, self._inputs.kwargs)
            self._new = self._new.given(self._arguments)
            with self._engine.recorder.batch() as batch:
                batch.writer.inputs(self._new)

    def _value(self) -> Any:
        earlier = self._run.earlier
        if earlier is not None and (done := earlier.done(self._new, self._task.codec)):
            old = done.record
            # A result without files needs no cache: the history has it.
            if self._claim(old.cache_key) or old.files is None:
                self._take(Stored(old.result, old.files), done.message)
                return done.value
        entry, reason = self._entry(), ""
        if entry is not None:
            found = self._look_up(entry)
            if isinstance(found, cache.Hit):
                if self._claim(entry.key):
                    fits = len(found.result) <= MAX_BYTES
                    self._take(Stored(found.result if fits else None, found.files), "")
                    return found.value
                found = cache.Miss("what was kept under its key has just been removed")
            reason = f"Cache miss: {found.reason}."
            with self._engine.history.writing() as writer:
                # From here on nobody removes, to make room, what is made under that key.
                writer.cache_key(self._scope.id, entry.key)
        value = self._attempts(reason)
        for stream in self._streams:
            stream.release(failed=False)
        self._complete(value, entry)
        return value

    def _entry(self) -> cache.Entry | None:
        task = self._task
        if task.cache is None:
            return None
        return cache.Entry.of(task.cache, task.name, task.version, self._arguments)

    def _look_up(self, entry: cache.Entry) -> cache.Hit | cache.Miss:
        if self._task.cache is not None and self._task.cache.refresh:
            return cache.Miss("a fresh result was asked for")
        engine = self._engine
        return cache.look_up(engine.history.database, entry, self._task.codec, engine.clock())

    def _claim(self, key: str | None) -> bool:
        """Keep others from removing what is kept under that key; False if they just did."""
        if key is None:
            return True
        with self._engine.history.writing() as writer:
            writer.cache_key(self._scope.id, key)
            return cache.touch(writer.connection, key, self._engine.clock())

    def _take(self, kept: Stored, message: str) -> None:
        """Use a result that was made before."""
        for stream in self._streams:
            stream.release(failed=False)
        with self._engine.recorder.batch() as batch:
            batch.task_end(self._scope, batch.state(StateName.CACHED, message))
            batch.writer.outcome(self._scope.id, kept)
        self._run.note(self._scope.id, StateType.COMPLETED)
        self._tell()

    def _attempts(self, reason: str) -> Any:
        self._engine.limits.check(self._scope, self._task.tags)
        retry, engine = self._task.retry, self._engine
        call = attempt_of(self._task, self._scope, self._inputs)
        if retry is None:
            return self._slotted_attempt(call, reason)
        return call_with_retry(
            retry,
            lambda: self._slotted_attempt(call, reason),
            clock=engine.clock,
            rng=engine.rng,
            waiting=self._await_retry,
            giving_up=self._give_up,
            sleep=self._rest,
        )

    def _slotted_attempt(self, call: Callable[[], Any], reason: str) -> Any:
        """One attempt, with a slot of each limited tag from before it is Running to its end."""
        with self._engine.limits.slots(self._scope, self._task.tags, waiting=self._await_slots):
            return self._attempt(call, reason)

    def _await_slots(self, message: str) -> None:
        """Stay in the state before an attempt, saying why."""
        is_first = self._scope.attempt == 0
        name = StateName.PENDING if is_first else StateName.AWAITING_RETRY
        with self._engine.recorder.batch() as batch:
            batch.say(self._scope, message)
            batch.task_state(self._scope, batch.state(name, message))

    def _rest(self, seconds: float) -> None:
        """Wait for the next attempt; other tasks may work meanwhile."""
        with self._run.pool.aside():
            (self._engine.sleep or self._run.cancellation.wait)(seconds)

    def _attempt(self, call: Callable[[], Any], reason: str) -> Any:
        self._run.cancellation.check()
        self._scope.attempt += 1
        with self._engine.recorder.batch() as batch:
            is_first = self._scope.attempt == 1
            name = StateName.RUNNING if is_first else StateName.RETRYING
            batch.task_state(self._scope, batch.state(name, reason if is_first else ""))
        token = scope.set(self._scope)
        try:
            return call()
        except Exception as error:
            # An interrupted query fails with the database's own error: it was not a failure.
            if self._run.cancellation.requested:
                raise self._run.cancellation.error() from error
            raise
        finally:
            scope.reset(token)

    def _await_retry(self, error: BaseException, seconds: float) -> None:
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

    def _give_up(self, why: str) -> None:
        with self._engine.recorder.batch() as batch:
            batch.say(self._scope, why, level=logging.WARNING)

    def _complete(self, value: object, entry: cache.Entry | None) -> None:
        options = self._task.cache
        prepared = cache.prepare(entry, self._task.codec, value) if entry else None
        known = prepared.files if prepared else None
        kept = stored(self._task.codec, value, known) if self._task.persist_result else NOT_STORED
        with self._engine.recorder.batch() as batch:
            if prepared is not None and options is not None:
                cache.keep(
                    batch.writer.connection,
                    prepared,
                    expires=options.expires,
                    now=batch.at,
                    run_id=self._run.id,
                    size=self._engine.cache.size(prepared.result, prepared.files),
                )
            batch.task_end(self._scope, batch.state(StateName.COMPLETED))
            batch.writer.outcome(self._scope.id, kept)
        if prepared is not None:
            self._engine.cache.make_room()
        self._run.note(self._scope.id, StateType.COMPLETED)
        self._tell()

    def _fail(self, error: BaseException) -> BaseException:
        """Record how it ended; gives the error to raise."""
        for stream in self._streams:
            with suppress(Exception):  # the stream's own state tells
                stream.release(failed=True)
        error = end_with_error(self._scope, error)
        self._tell(error)
        return error

    def _tell(self, error: BaseException | None = None) -> None:
        """Call the task's hooks, now that it has ended."""
        run, this = self._run, self._scope
        if self._task.hooks is None or this.state is None:
            return
        ended = TaskRun(
            id=this.id,
            name=this.name,
            task_name=self._task.name,
            run_id=run.id,
            run_name=run.name,
            flow_name=run.flow_name,
            state=this.state,
            attempts=this.attempt,
            parameters=self._arguments,
            error=error,
        )
        self._task.hooks.tell(ended, this, self._engine.recorder)
