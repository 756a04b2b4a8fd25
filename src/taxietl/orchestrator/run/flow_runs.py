"""One run of a flow, whoever began it: its function is called, and how it ended is stored.

    Running → the function → what it submitted and returned has ended → streams are closed
    → what decides the last state (`verdicts.py`) → stored → hooks

How a top-level run is begun and stopped is in `root_runs.py`, a child run in `subflow_runs.py`.
"""

from __future__ import annotations

import functools
from typing import Any, TypeVar

from taxietl.errors import Cancelled, TaxietlError
from taxietl.orchestrator.define.context import RunScope, TaskScope, scope
from taxietl.orchestrator.define.flows import Flow
from taxietl.orchestrator.define.futures import Future
from taxietl.orchestrator.define.inputs import found_in
from taxietl.orchestrator.define.parameters import Parameters
from taxietl.orchestrator.define.runs import Run
from taxietl.orchestrator.define.submission import join
from taxietl.orchestrator.run.bodies import around_flow_body
from taxietl.orchestrator.run.failures import failure, meant
from taxietl.orchestrator.run.verdicts import verdict
from taxietl.orchestrator.stop.cancellation import interruptible
from taxietl.orchestrator.store.results import NOT_STORED, Stored, stored
from taxietl.orchestrator.store.states import FinalState, State, StateName, StateType

R = TypeVar("R")


def execute(
    flow: Flow[..., R], run: RunScope, parameters: Parameters, *, place: TaskScope | None = None
) -> Run[R]:
    """Call the flow's function in its run, and store how it ended.

    Args:
        flow: whose run it is.
        run: stored, and Pending.
        parameters: valid ones.
        place: the task run that stands for a child run in its parent, if any does.
    """
    engine = run.engine
    value: R | None = None
    error: BaseException | None = None
    token = scope.set(run)
    try:
        _set_state(run, place, State(StateName.RUNNING, "", engine.clock()))
        value = _called(flow, run, parameters)
    except BaseException as raised:  # noqa: BLE001 - `Run.result` raises it again
        error = meant(raised)
    finally:
        scope.reset(token)
    error = _close_streams(run, error)
    if run.cancellation.requested and not isinstance(error, Cancelled):
        error = run.cancellation.error()
    final = _ended(run, value, error)
    kept = NOT_STORED
    if place is not None and final.error is None:
        kept = stored(flow.codec, final.value)
    if not _set_state(run, place, final.bare, error=final.error, kept=kept):
        final = _as_stored(run, final)
    ended = Run(run.id, run.name, flow.name, final, parameters.by_name)
    if flow.hooks is not None:
        flow.hooks.tell(ended, run, engine.recorder)
    return ended


def _called(flow: Flow[..., R], run: RunScope, parameters: Parameters) -> R:
    """What the function returned, once all that it submitted has ended."""
    with around_flow_body(flow, run) as call:
        try:
            body = functools.partial(flow.function, *parameters.args, **parameters.kwargs)
            value = call(functools.partial(interruptible, body))
            for future in found_in([value], (Future,)):
                future.wait()
        finally:
            join(run)
        run.cancellation.check()
    return value


def _close_streams(run: RunScope, error: BaseException | None) -> BaseException | None:
    """Close what the flow's body left open; gives the flow's error, or one met here."""
    for stream in run.streams:
        try:
            stream.release(failed=error is not None)
        except BaseException as raised:  # noqa: BLE001 - it fails the flow
            error = error or meant(raised)
    return error


def _ended(run: RunScope, value: R | None, error: BaseException | None) -> FinalState[Any]:
    """A run's last state, with the value or error its caller gets."""
    now = run.engine.clock()
    if error is None:
        try:
            return verdict(value, run.outcomes(), now)
        except Exception as raised:  # noqa: BLE001 - a set of what cannot be in one
            error = raised
    if isinstance(error, Cancelled):
        return FinalState(StateName.CANCELLED, error.reason, now, None, error)
    return FinalState(*failure(run, error), now, None, error)


def _as_stored(run: RunScope, final: FinalState[Any]) -> FinalState[Any]:
    """How a run ended whose end somebody else has stored: another process, or a forked child."""
    state = run.engine.history.run(run.id).state
    if state.type is StateType.COMPLETED:
        return FinalState.of(state, final.value, None)
    error = Cancelled(state.message) if state.type is StateType.CANCELLED else None
    return FinalState.of(state, None, error or final.error or TaxietlError(str(state)))


def _set_state(
    run: RunScope,
    place: TaskScope | None,
    state: State,
    *,
    error: BaseException | None = None,
    kept: Stored = NOT_STORED,
) -> bool:
    """Move a run, and a subflow's place in its parent, to another state; False if it has ended."""
    with run.engine.recorder.batch() as batch:
        if error is not None and state.message.startswith(("Flow run ", "Crash detected!")):
            batch.raised(run, error)
        if not batch.run_state(run, state):
            return False
        if place is not None:
            place.attempt = 1
            batch.task_state(place, state)
            if state.is_final:
                batch.writer.outcome(place.id, kept)
    return True
