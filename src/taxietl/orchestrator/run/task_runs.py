"""The order around one call of a task, written once.

    inputs → there already? (`reuse.py`) → attempts (`attempts.py`) → store → record → hooks

Futures among the arguments are waited for, and stand for their values from then on; if one of
them did not complete, the call is not made. Streams among the arguments belong to this call: they
are opened anew for every attempt, and closed when it is over.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from taxietl.errors import TaxietlError
from taxietl.orchestrator.define.context import RunScope
from taxietl.orchestrator.define.inputs import Inputs, NotReadyError
from taxietl.orchestrator.define.runs import TaskRun
from taxietl.orchestrator.define.stream import Stream
from taxietl.orchestrator.run.attempts import Attempts
from taxietl.orchestrator.run.bodies import refuse_streams
from taxietl.orchestrator.run.failures import end_with_error
from taxietl.orchestrator.run.reuse import Found, Reuse
from taxietl.orchestrator.store.beginnings import new_task_run
from taxietl.orchestrator.store.logs import ENGINE
from taxietl.orchestrator.store.results import NOT_STORED, Stored, stored
from taxietl.orchestrator.store.states import StateName, StateType

if TYPE_CHECKING:
    from taxietl.orchestrator.define.tasks import Task


class TaskCall:
    """One call of a task in a run."""

    def __init__(self, task: Task[..., Any], run: RunScope, inputs: Inputs) -> None:
        self._engine, self._task, self._run = run.engine, task, run
        self._inputs, self.upstreams = inputs, inputs.upstreams
        self._arguments = task.arguments(inputs.args, inputs.kwargs)
        self._streams: list[Stream[Any, Any]] = []
        run.refuse_namesake(task.name, task.function)
        self.task_run, self._new = new_task_run(
            run, task.name, self._arguments, kind="task", version=task.version, tags=task.tags
        )

    def announce(self, *, submitted: bool) -> None:
        """Store it as pending."""
        with self._engine.recorder.batch() as batch:
            state = batch.state(StateName.PENDING)
            batch.new_task_run(self.task_run, self._new, state, submitted=submitted)

    def run(self) -> Any:
        """Make the call: what the task returned, now or when its result was kept."""
        try:
            self._run.cancellation.check()
            self._settle()
            # The streams are claimed first: what another task reads is no argument of this one.
            for stream in self._inputs.streams:
                stream.claim(repr(self.task_run.name))
                self._streams.append(stream)
                refuse_streams(self._task)
            return self._value()
        except BaseException as error:
            if self._has_ended():  # a hook's error, say: it changes nothing any more
                raise
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
        reuse = Reuse(self._task, self.task_run, self._new, self._arguments)
        try:
            if (found := reuse.find()) is not None:
                self._release_streams()
                self._take(found)
                return found.value
            streams, reason = self._streams, reuse.miss
            value = Attempts(self._task, self.task_run, self._inputs, streams, reason=reason).make()
            self._release_streams()
            self._complete(value, reuse)
        finally:
            reuse.release()
        self._tell()
        return value

    def _release_streams(self) -> None:
        for stream in self._streams:
            stream.release(failed=False)

    def _take(self, found: Found) -> None:
        """Record that a result which was made before is used."""
        with self._engine.recorder.batch() as batch:
            batch.task_end(self.task_run, batch.state(StateName.CACHED, found.message))
            batch.writer.outcome(self.task_run.id, found.kept)
        self._run.note(self.task_run.id, StateType.COMPLETED)
        self._tell()

    def _complete(self, value: object, reuse: Reuse) -> None:
        """Keep what the task returned, and record its end."""
        prepared = reuse.prepare(value)
        kept = prepared.stored() if prepared else self._stored(value)
        with self._engine.recorder.batch() as batch:
            if prepared is not None:
                reuse.keep(batch, prepared)
            batch.task_end(self.task_run, batch.state(StateName.COMPLETED))
            batch.writer.outcome(self.task_run.id, kept)
        self._run.note(self.task_run.id, StateType.COMPLETED)
        if prepared is not None:
            self._make_room()

    def _stored(self, value: object) -> Stored:
        return stored(self._task.codec, value) if self._task.persist_result else NOT_STORED

    def _make_room(self) -> None:
        try:
            self._engine.cache.make_room()
        except TaxietlError as error:  # it is for the next one to do
            logging.getLogger(ENGINE).warning("The cache was not made smaller: %s", error)

    def _has_ended(self) -> bool:
        return self.task_run.state is not None and self.task_run.state.is_final

    def _fail(self, error: BaseException) -> BaseException:
        """Record how it ended; gives the error to raise."""
        for stream in self._streams:
            with suppress(Exception):  # the stream's own state tells
                stream.release(failed=True)
        error = end_with_error(self.task_run, error)
        self._tell(error)
        return error

    def _tell(self, error: BaseException | None = None) -> None:
        """Call the task's hooks, now that it has ended."""
        run, this = self._run, self.task_run
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
