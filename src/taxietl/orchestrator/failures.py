"""What a failure is called: the state in which an error leaves a run or task run."""

from __future__ import annotations

from taxietl.errors import IsolatedProcessError, TimedOutError
from taxietl.orchestrator.context import RunScope, TaskScope
from taxietl.orchestrator.recorder import described
from taxietl.orchestrator.states import StateName


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
