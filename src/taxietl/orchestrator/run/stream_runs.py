"""The record of one streaming task in a run: its states from the first pull to the last."""

from __future__ import annotations

import contextvars
import functools
import json
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from taxietl.orchestrator.define.context import RunScope, current_cancellation, scope
from taxietl.orchestrator.define.inputs import Inputs, NotReadyError
from taxietl.orchestrator.define.stream import Stream
from taxietl.orchestrator.run.bodies import wants_prints
from taxietl.orchestrator.run.failures import end_with_error, noting_unstored
from taxietl.orchestrator.run.prints import prints_logged
from taxietl.orchestrator.store.beginnings import new_task_run
from taxietl.orchestrator.store.results import stored
from taxietl.orchestrator.store.states import StateName, StateType

if TYPE_CHECKING:
    from taxietl.orchestrator.define.tasks import Task


def open_stream(task: Task[..., Any], run: RunScope, inputs: Inputs) -> Stream[Any, Any]:
    """The stream of a generator task called in a flow; nothing runs until it is pulled.

    Futures among the arguments are waited for by then: by the stream's consumer before it
    begins, or at the first pull.
    """

    def call() -> Generator[Any, None, Any]:
        generator: Generator[Any, None, Any] = task.function(*inputs.args, **inputs.kwargs)
        return generator

    watcher = StreamRun(task, run, inputs)
    stream = Stream[Any, Any](task.name, call, watcher, inputs.upstreams)
    run.streams.append(stream)
    return stream


class StreamRun:
    """Records what becomes of one stream."""

    def __init__(self, task: Task[..., Any], run: RunScope, inputs: Inputs) -> None:
        self._engine, self._task, self._run, self._inputs = run.engine, task, run, inputs
        arguments = task.arguments(inputs.args, inputs.kwargs)
        run.refuse_namesake(task.name, task.function)
        self._scope, self._new = new_task_run(
            run, task.name, arguments, kind="stream", version=task.version, tags=task.tags
        )
        # The flow's context: the thread that pulls first may be a database's, and have none.
        self._context = contextvars.copy_context()
        self._end_prints: Callable[[], object] = lambda: None

    def begin(self) -> contextvars.Context:
        """Store the task run, or its next attempt."""
        self._run.cancellation.check()
        if self._scope.attempt == 0:
            self._settle()
        self._scope.attempt += 1
        with self._engine.recorder.batch() as batch:
            if self._scope.attempt == 1:
                batch.new_task_run(self._scope, self._new, batch.state(StateName.RUNNING))
            else:
                batch.task_state(self._scope, batch.state(StateName.RETRYING))
        context = self._context.copy()
        context.run(scope.set, self._scope)
        logs_prints = wants_prints(self._task, self._run)
        if logs_prints or self._run.log_prints:
            prints = ExitStack()
            context.run(prints.enter_context, prints_logged(logs_prints))
            self._end_prints = functools.partial(context.run, prints.close)
        return context

    def _settle(self) -> None:
        """Wait for the futures among the arguments; recorded only if one did not complete."""
        try:
            self._inputs.settle()
        except NotReadyError as error:
            with self._engine.recorder.batch() as batch:
                batch.new_task_run(self._scope, self._new, batch.state(StateName.PENDING))
            raise end_with_error(self._scope, error) from None
        if self._inputs.futures:
            arguments = self._task.arguments(self._inputs.args, self._inputs.kwargs)
            self._new = self._new.given(arguments)

    def before_pull(self, consumer_thread: int | None) -> None:
        """Stop here if the run was asked to, or the task that pulls."""
        self._run.cancellation.check(for_thread=consumer_thread)
        current_cancellation().check(for_thread=consumer_thread)

    def completed(self, value: object, counts: Mapping[str, int]) -> None:
        """The generator returned."""
        self._end_prints()
        kept = stored(self._task.codec, value)
        with noting_unstored(self._scope), self._engine.recorder.batch() as batch:
            batch.task_end(self._scope, batch.state(StateName.COMPLETED))
            batch.writer.outcome(self._scope.id, kept, counts=json.dumps(counts))
        self._run.note(self._scope.id, StateType.COMPLETED)

    def failed(self, error: BaseException, counts: Mapping[str, int]) -> BaseException:
        """The generator raised, or the run was asked to stop."""
        self._end_prints()
        return end_with_error(self._scope, error, counts=json.dumps(counts))

    def closed(self, why: str, counts: Mapping[str, int]) -> None:
        """Closed before its end: its consumer's decision or failure, whose own state tells."""
        self._end_prints()
        with self._engine.recorder.batch() as batch:
            batch.task_end(self._scope, batch.state(StateName.CANCELLED, why))
            batch.writer.counts(self._scope.id, json.dumps(counts))

    def paused(self, why: str) -> None:
        """Its consumer will run again."""
        self._end_prints()
        with self._engine.recorder.batch() as batch:
            state = batch.state(StateName.AWAITING_RETRY, why)
            batch.task_state(self._scope, state, reopen=True)
        self._run.note(self._scope.id, None)
