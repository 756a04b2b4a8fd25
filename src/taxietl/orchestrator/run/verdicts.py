"""How a flow that raised nothing has ended: what it returned decides, or its task runs.

Futures and final states in what was returned decide; a state made by the flow itself is taken as
it is; other data completes the flow, whatever became of its tasks; nothing (None) leaves it to
all its task runs and subflows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from taxietl.errors import Cancelled, TaxietlError
from taxietl.orchestrator.define.futures import Future
from taxietl.orchestrator.define.inputs import found_in, resolved
from taxietl.orchestrator.store.states import (
    FinalState,
    MadeState,
    State,
    StateName,
    StateType,
    deciding_state,
)


@dataclass(frozen=True)
class EndedCall:
    """How one of a run's calls ended."""

    type: StateType
    error: BaseException | None


def verdict(returned: object, outcomes: Sequence[EndedCall], at: datetime) -> FinalState[Any]:
    """The flow's last state with the value or error its caller gets.

    Args:
        returned: what its function gave; the futures in it have ended.
        outcomes: how its task runs and subflows ended.
        at: when the flow ended.
    """
    found = found_in([returned], (Future, State))
    given = [each.state if isinstance(each, Future) else each for each in found]
    if returned is None:
        state = deciding_state([each.type for each in outcomes], at)
    elif not given:
        return FinalState(StateName.COMPLETED, "", at, returned)
    elif isinstance(returned, MadeState):
        return FinalState.of(
            returned, returned.value, returned.error or _unless_completed(returned)
        )
    elif isinstance(returned, State) and not isinstance(returned, FinalState):
        state = returned
        if not state.is_final():
            message = f"The flow returned the state {state}, which is no end."
            state = State(StateName.FAILED, message, at)
    else:
        outcomes = [EndedCall(each.type, getattr(each, "error", None)) for each in given]
        state = deciding_state([each.type for each in outcomes], at)
    if state.type is StateType.COMPLETED:
        return FinalState.of(state, resolved(returned, (Future, FinalState)), None)
    return FinalState.of(state, None, _error(state, outcomes))


def _unless_completed(state: State) -> BaseException | None:
    """What the caller is to get where the state says that it failed, and does not say how."""
    if state.is_completed() or not state.message:
        return None if state.is_completed() else _error(state, [])
    return TaxietlError(state.message)


def _error(state: State, outcomes: Sequence[EndedCall]) -> BaseException:
    """What the caller of a flow that ended so is to get: the first error there is."""
    if state.type is StateType.CANCELLED:
        return Cancelled(state.message)
    errors = {each.type: each.error for each in reversed(outcomes) if each.error is not None}
    for kind in (StateType.FAILED, StateType.CRASHED, StateType.PENDING):
        if kind in errors:
            return errors[kind]
    return TaxietlError(f"The flow returned the state {state}.")
