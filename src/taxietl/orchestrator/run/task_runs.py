"""The order around one call of a task, written once; read it from top to bottom.

    inputs → is there a result already? → attempts → store → record → hooks

Futures among the arguments are waited for, and stand for their values from then on; if one of
them did not complete, the call is not made. Streams among the arguments belong to this call: they
are opened anew for every attempt, and closed when it is over.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from taxietl.errors import ConfigError
from taxietl.orchestrator.define.inputs import Inputs, NotReadyError
from taxietl.orchestrator.define.runs import TaskRun
from taxietl.orchestrator.define.stream import Stream
from taxietl.orchestrator.define.tagging import around
from taxietl.orchestrator.run.endings import end_with_error, made, tell_hooks
from taxietl.orchestrator.run.naming import name_by_arguments
from taxietl.orchestrator.run.open_runs import OpenRun, OpenTaskRun, within
from taxietl.orchestrator.run.reuse import earlier_result
from taxietl.orchestrator.stop.cancellation import interruptible
from taxietl.orchestrator.store.results import NOT_STORED, stored
from taxietl.orchestrator.store.states import MadeState, StateName

if TYPE_CHECKING:
    from taxietl.orchestrator.define.specs import TaskSpec
    from taxietl.orchestrator.run.caching import Caching
    from taxietl.orchestrator.store.cache import Found


def open_task_run(task: TaskSpec, run: OpenRun, inputs: Inputs) -> OpenTaskRun:
    """A call of the task in a run, not stored yet; TypeError if the arguments do not fit."""
    arguments = inputs.by_name(task.signature)
    tags = task.tags | around.get()
    task_run = OpenTaskRun(run, task, arguments, kind="task", tags=tags)
    if task.run_name is not None and not inputs.futures:
        name_by_arguments(task_run)
    return task_run


def make_call(task: TaskSpec, task_run: OpenTaskRun, inputs: Inputs) -> Any:
    """Make a call that is stored as Pending: what the task returned, now or before."""
    streams: list[Stream[Any, Any]] = []
    try:
        task_run.run.cancellation.check()
        if inputs.upstreams:
            _settle(task, task_run, inputs)
        # The streams are claimed first: what another task reads is no argument of this one.
        for stream in inputs.streams:
            stream.claim(repr(task_run.name))
            streams.append(stream)
            _refuse_streams(task)
        caching = _caching(task, task_run)
        try:
            value = _value(task, task_run, inputs, streams, caching)
        finally:
            if caching is not None:
                caching.release()
    except BaseException as error:
        if task_run.has_ended:  # it is stored, and what came after it changes nothing
            raise
        final = _fail(task, task_run, streams, error)
        if final is error:
            raise
        raise final from (None if isinstance(error, NotReadyError) else error)
    _tell(task, task_run)
    return value


def _settle(task: TaskSpec, task_run: OpenTaskRun, inputs: Inputs) -> None:
    """Wait for the futures among the arguments, and note what they gave."""
    inputs.settle()
    if inputs.futures:
        task_run.arguments = inputs.by_name(task.signature)
        with task_run.run.services.transaction() as change:
            if task.run_name is not None:
                name_by_arguments(task_run, change)
            task_run.keep_inputs(change)


def _caching(task: TaskSpec, task_run: OpenTaskRun) -> Caching | None:
    """What the cache has to do with the call; None if nothing."""
    if task.cache is None:
        return None
    from taxietl.orchestrator.run.caching import Caching

    return Caching(task, task_run)


def _value(
    task: TaskSpec,
    task_run: OpenTaskRun,
    inputs: Inputs,
    streams: list[Stream[Any, Any]],
    caching: Caching | None,
) -> Any:
    """What the task returned; its end is recorded."""
    found = earlier_result(task_run) if task_run.run.earlier is not None else None
    if found is None and caching is not None:
        found = caching.find()
    if found is not None:
        _release(streams)
        _take(task_run, found)
        return found.value
    reason = caching.miss if caching is not None else ""
    attempt = functools.partial(_attempt, task_run, _body(task, task_run, inputs), reason)
    if task_run.tags or task.retry is not None:
        from taxietl.orchestrator.run.attempts import attempted

        value = attempted(task, task_run, streams, attempt)
    else:
        value = attempt()
    _release(streams)
    if caching is not None:
        caching.complete(value)
        return value
    if task.persist_result:
        from taxietl.orchestrator.run.persisting import complete_persisted

        complete_persisted(task, task_run, value)
        return value
    kept = stored(task.codec, value) if task.persist_result is None else NOT_STORED
    with task_run.run.services.transaction() as change:
        task_run.complete(change, StateName.COMPLETED, kept)
    return value


def _body(task: TaskSpec, task_run: OpenTaskRun, inputs: Inputs) -> Callable[[], Any]:
    """The task's function as an attempt calls it, in the attempt's thread and context."""
    run = task_run.run
    call = functools.partial(interruptible, task.function, *inputs.args, **inputs.kwargs)
    has_limit = task.timeout_seconds is not None or not run.cancellation.reaches_here()
    if not has_limit and not task.isolate and not run.log_prints and not task.log_prints:
        return call
    from taxietl.orchestrator.run.bodies import surrounded_body

    return surrounded_body(task, task_run, inputs, call)


def _attempt(task_run: OpenTaskRun, body: Callable[[], Any], reason: str) -> Any:
    """One attempt, from Running or Retrying on.

    Args:
        reason: why the task is called at all, as the first attempt's message.
    """
    cancellation = task_run.run.cancellation
    cancellation.check()
    task_run.attempt += 1
    if task_run.attempt == 1:
        task_run.move(StateName.RUNNING, reason)
    else:
        task_run.move(StateName.RETRYING)
    with within(task_run):
        try:
            value = body()
            return made(value) if isinstance(value, MadeState) else value
        except Exception as error:
            # An interrupted query fails with the database's own error: it was not a failure.
            if cancellation.requested:
                raise cancellation.error() from error
            raise


def _take(task_run: OpenTaskRun, found: Found) -> None:
    """Record that a result which was made before is used."""
    with task_run.run.services.transaction() as change:
        task_run.complete(
            *(change, StateName.CACHED, found.stored),
            message=found.message,
            reused_from=found.reused_from,
        )


def _refuse_streams(task: TaskSpec) -> None:
    """A stream among the arguments of an isolated task cannot follow it."""
    if task.isolate:
        raise ConfigError(
            f"The task {task.name!r} has isolate=True and was given a stream, which runs in the"
            " process that made it.",
            hint="Leave out isolate=, or hand over a file that holds what the stream gave.",
        )


def _release(streams: list[Stream[Any, Any]]) -> None:
    for stream in streams:
        stream.release(failed=False)


def _fail(
    task: TaskSpec, task_run: OpenTaskRun, streams: list[Stream[Any, Any]], error: BaseException
) -> BaseException:
    """Record how it ended; gives the error to raise."""
    for stream in streams:
        with suppress(Exception):  # the stream's own state tells
            stream.release(failed=True)
    error = end_with_error(task_run, error)
    _tell(task, task_run, error)
    return error


def _tell(task: TaskSpec, task_run: OpenTaskRun, error: BaseException | None = None) -> None:
    """Call the task's hooks, now that it has ended."""
    if task.hooks is None or task_run.state is None:
        return
    who = task_run.who
    ended = TaskRun(
        id=task_run.id,
        name=task_run.name,
        task_name=task.name,
        run_id=who.run_id,
        run_name=who.run_name,
        flow_name=who.flow_name,
        state=task_run.state,
        attempts=task_run.attempt,
        parameters=task_run.arguments,
        error=error,
    )
    tell_hooks(task.hooks, ended, task_run)
