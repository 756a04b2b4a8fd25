"""The record of one streaming task in a run: its states from the first pull to the last."""

from __future__ import annotations

import contextvars
import functools
import json
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from taxietl.orchestrator.define.inputs import Inputs, NotReadyError
from taxietl.orchestrator.define.stream import Stream
from taxietl.orchestrator.run.bodies import wants_prints
from taxietl.orchestrator.run.endings import end_with_error, noting_unstored
from taxietl.orchestrator.run.naming import name_by_arguments
from taxietl.orchestrator.run.open_runs import OpenRun, OpenTaskRun, enter
from taxietl.orchestrator.run.prints import prints_logged
from taxietl.orchestrator.stop.cancellation import current_cancellation
from taxietl.orchestrator.store.results import stored
from taxietl.orchestrator.store.states import StateName

if TYPE_CHECKING:
    from taxietl.orchestrator.define.specs import TaskSpec


def open_stream(task: TaskSpec, run: OpenRun, inputs: Inputs) -> Stream[Any, Any]:
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

    def __init__(self, task: TaskSpec, run: OpenRun, inputs: Inputs) -> None:
        self._task, self._run, self._inputs = task, run, inputs
        self._services = run.services
        arguments = inputs.by_name(task.signature)
        self._task_run = OpenTaskRun(run, task, arguments, kind="stream", tags=task.tags)
        if task.run_name is not None and not inputs.futures:
            name_by_arguments(self._task_run)
        # The flow's context: the thread that pulls first may be a database's, and have none.
        self._context = contextvars.copy_context()
        self._end_prints: Callable[[], object] = lambda: None

    def begin(self) -> contextvars.Context:
        """Store the task run, or its next attempt."""
        self._run.cancellation.check()
        is_first = self._task_run.state is None
        if is_first:
            self._settle()
        self._task_run.attempt += 1
        if is_first:
            self._task_run.store(StateName.RUNNING)
        else:
            self._task_run.move(StateName.RETRYING)
        context = self._context.copy()
        context.run(enter, self._task_run)
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
            self._task_run.store(StateName.PENDING)
            raise end_with_error(self._task_run, error) from None
        if self._inputs.futures:
            self._task_run.arguments = self._inputs.by_name(self._task.signature)
            if self._task.run_name is not None:
                name_by_arguments(self._task_run)

    def before_pull(self, consumer_thread: int | None) -> None:
        """Stop here if the run was asked to, or the task that pulls."""
        self._run.cancellation.check(for_thread=consumer_thread)
        current_cancellation().check(for_thread=consumer_thread)

    def completed(self, value: object, counts: Mapping[str, int]) -> None:
        """The generator returned."""
        self._end_prints()
        kept, task_run = stored(self._task.codec, value), self._task_run
        with noting_unstored(task_run), self._services.transaction() as change:
            task_run.complete(change, StateName.COMPLETED, kept, counts=json.dumps(counts))

    def failed(self, error: BaseException, counts: Mapping[str, int]) -> BaseException:
        """The generator raised, or the run was asked to stop."""
        self._end_prints()
        return end_with_error(self._task_run, error, counts=counts)

    def closed(self, why: str, counts: Mapping[str, int]) -> None:
        """Closed before its end: its consumer's decision or failure, whose own state tells."""
        self._end_prints()
        with self._services.transaction() as change:
            state = change.state(StateName.CANCELLED, why)
            self._task_run.end(change, state, kept={"counts": json.dumps(counts)})

    def paused(self, why: str) -> None:
        """Its consumer will run again."""
        self._end_prints()
        self._task_run.move(StateName.AWAITING_RETRY, why, reopen=True)
        self._run.note(self._task_run.id, None)
