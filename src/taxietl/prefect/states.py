"""`prefect.states`: ends that a flow or task makes itself, and returns."""

from __future__ import annotations

from typing import Any

from taxietl.errors import Cancelled as CancelledError
from taxietl.orchestrator import FinalState as State
from taxietl.orchestrator import StateName, StateType
from taxietl.orchestrator.store.states import MadeState
from taxietl.prefect.runtime import state_now

__all__ = ["Cancelled", "Completed", "Crashed", "Failed", "State", "StateType"]


def _made(name: StateName, data: Any, message: str) -> MadeState[Any]:
    state = state_now(name, message)
    error = data if isinstance(data, BaseException) else None
    if error is None and name is StateName.CANCELLED:
        error = CancelledError(message)
    return MadeState(state.name, state.message, state.at, None if error else data, error)


def Completed(*, data: Any = None, message: str = "") -> MadeState[Any]:  # noqa: N802
    """The run has completed, and gives the data."""
    return _made(StateName.COMPLETED, data, message)


def Failed(*, data: Any = None, message: str = "") -> MadeState[Any]:  # noqa: N802
    """The run has failed; the data may be the error."""
    return _made(StateName.FAILED, data, message)


def Crashed(*, data: Any = None, message: str = "") -> MadeState[Any]:  # noqa: N802
    """The run has crashed."""
    return _made(StateName.CRASHED, data, message)


def Cancelled(*, data: Any = None, message: str = "") -> MadeState[Any]:  # noqa: N802
    """The run was cancelled."""
    return _made(StateName.CANCELLED, data, message)
