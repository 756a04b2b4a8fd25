"""The states a run can be in, how they are written, and how a flow's last one is decided.

Pure values and functions. A state's *type* is what the engine acts on; its *name* is what
people read: `Cached` is a kind of COMPLETED, `Retrying` a kind of RUNNING.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class StateType(StrEnum):
    """What a state means to the engine."""

    SCHEDULED = "SCHEDULED"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    CRASHED = "CRASHED"


class StateName(StrEnum):
    """What a state is called."""

    SCHEDULED = "Scheduled"
    PENDING = "Pending"
    RUNNING = "Running"
    AWAITING_RETRY = "AwaitingRetry"
    RETRYING = "Retrying"
    COMPLETED = "Completed"
    CACHED = "Cached"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    CANCELLED = "Cancelled"
    CRASHED = "Crashed"

    @property
    def type(self) -> StateType:
        """The type of every state of this name."""
        return _TYPES[self]


_TYPES = {
    StateName.SCHEDULED: StateType.SCHEDULED,
    StateName.PENDING: StateType.PENDING,
    StateName.RUNNING: StateType.RUNNING,
    StateName.AWAITING_RETRY: StateType.SCHEDULED,
    StateName.RETRYING: StateType.RUNNING,
    StateName.COMPLETED: StateType.COMPLETED,
    StateName.CACHED: StateType.COMPLETED,
    StateName.FAILED: StateType.FAILED,
    StateName.TIMED_OUT: StateType.FAILED,
    StateName.CANCELLED: StateType.CANCELLED,
    StateName.CRASHED: StateType.CRASHED,
}

FINAL_TYPES = (StateType.COMPLETED, StateType.FAILED, StateType.CANCELLED, StateType.CRASHED)
"""A run in a state of one of these types has ended."""


@dataclass(frozen=True, slots=True)
class State:
    """One state of a run or task run: its name, why, and since when (an aware UTC time)."""

    name: StateName
    message: str
    at: datetime

    @property
    def type(self) -> StateType:
        """What the state means to the engine."""
        return _TYPES[self.name]

    @property
    def is_final(self) -> bool:
        """The run has ended."""
        return self.type in FINAL_TYPES

    def __str__(self) -> str:
        """`Completed()`, `Failed('1/3 states failed.')`, `Cached(type=COMPLETED)`."""
        parts = [repr(self.message)] if self.message else []
        if self.type.title() != self.name:
            parts.append(f"type={self.type}")
        return f"{self.name}({', '.join(parts)})"


def deciding_state(outcomes: Sequence[StateType], at: datetime) -> State:
    """The final state of a flow whose runs decide it, since it returned nothing itself.

    Args:
        outcomes: how each of its task runs and subflows ended.
        at: when the flow ended.
    """
    failed = sum(outcome in (StateType.FAILED, StateType.CRASHED) for outcome in outcomes)
    cancelled = sum(outcome is StateType.CANCELLED for outcome in outcomes)
    if failed:
        return State(StateName.FAILED, f"{failed}/{len(outcomes)} states failed.", at)
    if cancelled:
        return State(StateName.CANCELLED, f"{cancelled}/{len(outcomes)} states cancelled.", at)
    return State(StateName.COMPLETED, "All states completed." if outcomes else "", at)


def final_state(returned: object, outcomes: Sequence[StateType], at: datetime) -> State:
    """The final state of a flow that raised nothing: what it returned, or its runs, decide."""
    if returned is None:
        return deciding_state(outcomes, at)
    return State(StateName.COMPLETED, "", at)
