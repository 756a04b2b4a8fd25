"""One run of a flow, whoever began it: its function is called, and how it ended is stored.

    Running → the function → what it submitted and returned has ended → streams are closed
    → what decides the last state (`verdicts.py`) → stored → hooks
      with retry=: another attempt (`flow_retries.py`)

How a top-level run is begun and stopped is in `root_runs.py`, a child run in `subflow_runs.py`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

from taxietl.errors import Cancelled, TaxietlError
from taxietl.orchestrator.define.futures import Future
from taxietl.orchestrator.define.inputs import found_in
from taxietl.orchestrator.define.parameters import Parameters
from taxietl.orchestrator.define.runs import Run
from taxietl.orchestrator.define.specs import FlowSpec
from taxietl.orchestrator.run.bodies import around_flow_body
from taxietl.orchestrator.run.endings import Ending, failure, meant, tell_hooks
from taxietl.orchestrator.run.open_runs import OpenRun, within
from taxietl.orchestrator.run.submission import join
from taxietl.orchestrator.run.verdicts import verdict
from taxietl.orchestrator.stop.cancellation import interruptible
from taxietl.orchestrator.store.results import NOT_STORED, Stored, stored
from taxietl.orchestrator.store.states import FinalState, State, StateName, StateType

if TYPE_CHECKING:
    from taxietl.orchestrator.run.open_runs import OpenTaskRun

R = TypeVar("R")

_UNSTORED = "Its end could not be stored before its run ended."


def execute(
    flow: FlowSpec, run: OpenRun, parameters: Parameters, *, place: OpenTaskRun | None = None
) -> Run[Any]:
    """Call the flow's function in its run, and store how it ended.

    Args:
        flow: whose run it is.
        run: stored, and Pending.
        parameters: valid ones.
        place: the task run that stands for a child run in its parent, if any does.
    """
    attempt = functools.partial(_attempt, flow, run, parameters, place)
    if flow.retry is None:
        ending = attempt()
    else:
        from taxietl.orchestrator.run.flow_retries import retried

        try:
            ending = retried(flow.retry, run, place, attempt)
        except BaseException as raised:  # noqa: BLE001 - between two attempts
            ending = _ending(run, meant(raised))
    final = ending.final
    kept = stored(flow.codec, final.value) if place and final.error is None else NOT_STORED
    if not _end(run, place, final, kept, is_raised=ending.is_raised):
        final = _as_stored(run, final)
    who = run.who
    ended = Run(who.run_id, who.run_name, flow.name, final, parameters.by_name)
    if flow.hooks is not None:
        tell_hooks(flow.hooks, ended, run)
    return ended


def _attempt(
    flow: FlowSpec, run: OpenRun, parameters: Parameters, place: OpenTaskRun | None
) -> Ending:
    """Call the flow's function once; how that ended is not stored yet."""
    value: Any = None
    error: BaseException | None = None
    with within(run):
        try:
            _begin(run, place)
            value = _called(flow, run, parameters)
        except BaseException as raised:  # noqa: BLE001 - `Run.result` raises it again
            error = meant(raised)
    error = _close_streams(run, error)
    if run.cancellation.requested and not isinstance(error, Cancelled):
        error = run.cancellation.error()
    if error is None:
        try:
            return Ending(verdict(value, run.outcomes(), run.services.clock()), is_raised=False)
        except Exception as raised:  # noqa: BLE001 - a set of what cannot be in one
            error = raised
    return _ending(run, error)


def _begin(run: OpenRun, place: OpenTaskRun | None) -> None:
    """Running or Retrying, as its place in the parent is."""
    run.attempt += 1
    if place is not None:
        place.attempt += 1
    with run.services.transaction() as change:
        state = change.state(StateName.RUNNING if run.attempt == 1 else StateName.RETRYING)
        if change.move(run.who, state) and place is not None:
            change.move(place.who, state, attempt=place.attempt, of=place)


def _called(flow: FlowSpec, run: OpenRun, parameters: Parameters) -> Any:
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


def _close_streams(run: OpenRun, error: BaseException | None) -> BaseException | None:
    """Close what the flow's body left open; gives the flow's error, or one met here."""
    for stream in run.streams:
        try:
            stream.release(failed=error is not None)
        except BaseException as raised:  # noqa: BLE001 - it fails the flow
            error = error or meant(raised)
    return error


def _ending(run: OpenRun, error: BaseException) -> Ending:
    """How an attempt ends that raised that."""
    now = run.services.clock()
    if isinstance(error, Cancelled):
        state = State(StateName.CANCELLED, error.reason, now)
        return Ending(FinalState.of(state, None, error), is_raised=False)
    return Ending(FinalState(*failure(run.who, error), now, None, error), is_raised=True)


def _end(
    run: OpenRun,
    place: OpenTaskRun | None,
    final: FinalState[Any],
    kept: Stored,
    *,
    is_raised: bool,
) -> bool:
    """Store the run's last state, and its place's in its parent; False if it has ended before.

    A top-level run's end is that of all below it: what is still open there is what could not be
    stored, by a full disk for instance, or what nobody waited for.

    Args:
        kept: what it gave, as its place keeps it.
        is_raised: its error was raised by its own code, and not by what it returned.
    """
    raised = final.error if is_raised else None
    state = final.bare
    with run.services.transaction() as change:
        if raised is not None:
            change.say_raised(run.who, raised)
        is_moved = change.move(run.who, state)
        if is_moved:
            change.say_end(run.who, state, raised)
            if run.who.run_id == run.who.root_id:
                change.end_open(run.who.root_id, change.state(StateName.CRASHED, _UNSTORED))
            if place is not None:
                # The run's own line tells its end.
                change.move(place.who, state, attempt=place.attempt, of=place)
                change.keep(place.id, **kept.to_columns())
    return is_moved


def _as_stored(run: OpenRun, final: FinalState[Any]) -> FinalState[Any]:
    """How a run ended whose end somebody else has stored: another process, or a forked child."""
    state: State = run.services.history.run(run.who.run_id).state
    if state.type is StateType.COMPLETED:
        return FinalState.of(state, final.value, None)
    error = Cancelled(state.message) if state.type is StateType.CANCELLED else None
    return FinalState.of(state, None, error or final.error or TaxietlError(str(state)))
