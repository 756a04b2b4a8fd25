"""How an error ends a run or task run: what the state is called, and that it is recorded."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from taxietl.errors import Cancelled, IsolatedProcessError, TimedOutError
from taxietl.orchestrator.define.context import RunScope, TaskScope
from taxietl.orchestrator.define.inputs import NotReadyError
from taxietl.orchestrator.store.recorder import described
from taxietl.orchestrator.store.states import StateName, StateType


def failure(who: RunScope | TaskScope, error: BaseException) -> tuple[StateName, str]:
    """The state that error leads to, and its message.

    A timeout is one only of the run that was too slow; for who called it, it is an error like
    others. So is the death of an isolated task's process, which is a crash of that task.
    """
    if isinstance(error, TimedOutError) and error.run_id == who.id:
        return StateName.TIMED_OUT, error.message
    is_dead = isinstance(error, IsolatedProcessError) and error.run_id == who.id
    if is_dead or not isinstance(error, Exception) or isinstance(error, MemoryError):
        return StateName.CRASHED, f"Crash detected! {described(error)}"
    kind = "Task run" if isinstance(who, TaskScope) else "Flow run"
    return StateName.FAILED, f"{kind} encountered an exception: {described(error)}"


def meant(error: BaseException) -> BaseException:
    """An error as the engine takes it: `raise KeyboardInterrupt` is a wish to stop, too."""
    if not isinstance(error, KeyboardInterrupt):
        return error
    cancelled = Cancelled("Interrupted.", signal_number=signal.SIGINT)
    cancelled.__cause__ = error
    return cancelled


@contextmanager
def noting_unstored(task_run: TaskScope) -> Iterator[None]:
    """The end of a task run that the block cannot store counts as a crash, for its run as well."""
    try:
        yield
    except BaseException as error:
        task_run.run.note(task_run.id, StateType.CRASHED, error)
        raise


def end_with_error(
    task_run: TaskScope, error: BaseException, *, counts: str | None = None
) -> BaseException:
    """Record a task run's failure, its cancellation, or that its upstream did not complete.

    Returns:
        The error to raise: the one given, `Cancelled` in its place if it asked to stop or the
        run was asked to, or the upstream's.
    """
    run, error = task_run.run, meant(error)
    if run.cancellation.requested and not isinstance(error, Cancelled):
        error = run.cancellation.error()
    with noting_unstored(task_run), run.engine.recorder.batch() as batch:
        if isinstance(error, NotReadyError):
            state, error = batch.state(StateName.NOT_READY, str(error)), error.error
        elif isinstance(error, Cancelled):
            state = batch.state(StateName.CANCELLED, error.reason)
        else:
            batch.raised(task_run, error)
            state = batch.state(*failure(task_run, error))
        batch.task_end(task_run, state)
        if counts is not None:
            batch.writer.counts(task_run.id, counts)
    run.note(task_run.id, state.type, error)
    return error
