"""How an error ends a run or task run: what the state is called, and that it is recorded."""

from __future__ import annotations

import json
import logging
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taxietl.errors import Cancelled, IsolatedProcessError, TaxietlError, TimedOutError
from taxietl.orchestrator.define.inputs import NotReadyError
from taxietl.orchestrator.run.open_runs import OpenRun, OpenTaskRun, within
from taxietl.orchestrator.store.lines import described
from taxietl.orchestrator.store.states import FinalState, MadeState, State, StateName, StateType

if TYPE_CHECKING:
    from taxietl.orchestrator.define.hooks import Hooks
    from taxietl.orchestrator.store.lines import Identity


@dataclass(frozen=True)
class Ending:
    """How one attempt of a flow ended."""

    final: FinalState[Any]
    is_raised: bool
    """Its error was raised by the flow's own code, and not by what it returned."""


def failure(who: Identity, error: BaseException) -> tuple[StateName, str]:
    """The state that error leads to, and its message.

    A timeout is one only of the run that was too slow; for who called it, it is an error like
    others. So is the death of an isolated task's process, which is a crash of that task.
    """
    if isinstance(error, TimedOutError) and error.run_id == who.id:
        return StateName.TIMED_OUT, error.message
    if isinstance(error, NotCompletedError) and who.task_run_id:
        return error.state.name, error.state.message
    is_dead = isinstance(error, IsolatedProcessError) and error.run_id == who.id
    if is_dead or not isinstance(error, Exception) or isinstance(error, MemoryError):
        return StateName.CRASHED, f"Crash detected! {described(error)}"
    kind = "Task run" if who.task_run_id else "Flow run"
    return StateName.FAILED, f"{kind} encountered an exception: {described(error)}"


def meant(error: BaseException) -> BaseException:
    """An error as the engine takes it: `raise KeyboardInterrupt` is a wish to stop, too."""
    if not isinstance(error, KeyboardInterrupt):
        return error
    cancelled = Cancelled("Interrupted.", signal_number=signal.SIGINT)
    cancelled.__cause__ = error
    return cancelled


class NotCompletedError(TaxietlError):
    """A task returned that it has not completed."""

    def __init__(self, state: State) -> None:
        self.state = state
        super().__init__(state.message or f"The task returned the state {state}.")


def made(state: MadeState[Any]) -> Any:
    """What a task gives that returned that; raises where it says that it has not completed."""
    if state.is_completed():
        return state.value
    if state.is_cancelled():
        raise Cancelled(state.message)
    raise state.error or NotCompletedError(state)


@contextmanager
def noting_unstored(task_run: OpenTaskRun) -> Iterator[None]:
    """The end of a task run that the block cannot store counts as a crash, for its run as well."""
    try:
        yield
    except BaseException as error:
        task_run.run.note(task_run.id, StateType.CRASHED, error)
        raise


def end_with_error(
    task_run: OpenTaskRun, error: BaseException, *, counts: Mapping[str, int] | None = None
) -> BaseException:
    """Record a task run's failure, its cancellation, or that its upstream did not complete.

    Args:
        counts: how far a stream came.

    Returns:
        The error to raise: the one given, `Cancelled` in its place if it asked to stop or the
        run was asked to, or the upstream's.
    """
    run, error = task_run.run, meant(error)
    if run.cancellation.requested and not isinstance(error, Cancelled):
        error = run.cancellation.error()
    raised: BaseException | None = None
    with noting_unstored(task_run), run.services.transaction() as change:
        if isinstance(error, NotReadyError):
            state, error = change.state(StateName.NOT_READY, str(error)), error.error
        elif isinstance(error, Cancelled):
            state = change.state(StateName.CANCELLED, error.reason)
        else:
            raised = error
            change.say_raised(task_run.who, error)
            state = change.state(*failure(task_run.who, error))
        kept = {} if counts is None else {"counts": json.dumps(counts)}
        task_run.end(change, state, raised=raised, kept=kept)
    run.note(task_run.id, state.type, error)
    return error


def tell_hooks(hooks: Hooks, ended: Any, place: OpenRun | OpenTaskRun) -> None:
    """Call the hooks for `ended.state`, as code of the run or task run that has ended."""
    services = place.services if isinstance(place, OpenRun) else place.run.services
    with within(place):
        for hook in hooks.of(ended.state):
            try:
                hook(ended)
            except BaseException as error:  # noqa: BLE001 - a hook fails no run
                name = getattr(hook, "__qualname__", repr(hook))
                message = f"The hook {name} failed: {described(error)}"
                with services.transaction() as change:
                    change.say(place.who, message, level=logging.WARNING, error=error)
