"""The states a run can be in, how they are written, and how a flow's last one is decided.

Pure values and functions. A state's *type* is what the engine acts on; its *name* is what
people read: `Cached` is a kind of COMPLETED, `Retrying` a kind of RUNNING.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, Literal, TypeVar, cast, overload

from taxietl.masking import masked

R = TypeVar("R")


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

    PENDING = "Pending"
    NOT_READY = "NotReady"
    RUNNING = "Running"
    AWAITING_RETRY = "AwaitingRetry"
    RETRYING = "Retrying"
    COMPLETED = "Completed"
    CACHED = "Cached"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    CANCELLED = "Cancelled"
    CRASHED = "Crashed"

    type: StateType
    """The type of every state of this name."""
    is_final: bool
    """Nothing comes after a state of this name: a run has ended or, as `NotReady`, never begins."""
    has_begun: bool
    """It comes only after Running."""

    @classmethod
    def stored(cls, name: str, type_: str) -> StateName:
        """As a history has it, which a newer taxietl wrote or somebody edited."""
        if name in cls._value2member_map_:
            return cls(name)
        is_known = type_ in StateType._value2member_map_
        member = _foreign(cls, name)
        _mean(member, StateType(type_) if is_known else _foreign(StateType, type_))
        return member


E = TypeVar("E", bound=StrEnum)


def _foreign(kind: type[E], text: str) -> E:
    """A member that is none of those known; equal to its text, as all are."""
    member = str.__new__(kind, text)
    member._name_ = member._value_ = text
    return member


_TYPES = {
    StateName.PENDING: StateType.PENDING,
    StateName.NOT_READY: StateType.PENDING,
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

_FINAL_TYPES = (StateType.COMPLETED, StateType.FAILED, StateType.CANCELLED, StateType.CRASHED)


def _mean(name: StateName, kind: StateType) -> None:
    """Let that name be of that type."""
    name.type = kind
    name.is_final = kind in _FINAL_TYPES or name is StateName.NOT_READY
    name.has_begun = kind is not StateType.PENDING


for _name, _kind in _TYPES.items():
    _mean(_name, _kind)


@dataclass(frozen=True, slots=True)
class State:
    """One state of a run or task run: its name, why, and since when (an aware UTC time)."""

    name: StateName
    message: str
    """Without secrets, whatever it was made of."""
    at: datetime

    def __post_init__(self) -> None:
        if self.message:
            object.__setattr__(self, "message", masked(self.message))

    @property
    def type(self) -> StateType:
        """What the state means to the engine."""
        return self.name.type

    def is_scheduled(self) -> bool:
        """A further attempt is due: `AwaitingRetry`."""
        return self.type is StateType.SCHEDULED

    def is_pending(self) -> bool:
        """It has not begun; as `NotReady`, it never will."""
        return self.type is StateType.PENDING

    def is_running(self) -> bool:
        """In progress, as `Retrying` is, too."""
        return self.type is StateType.RUNNING

    def is_completed(self) -> bool:
        """Done; or `Cached`, and its result was there."""
        return self.type is StateType.COMPLETED

    def is_failed(self) -> bool:
        """It raised an error, or as `TimedOut` took too long."""
        return self.type is StateType.FAILED

    def is_cancelled(self) -> bool:
        """It was told to stop."""
        return self.type is StateType.CANCELLED

    def is_crashed(self) -> bool:
        """Its process died, say."""
        return self.type is StateType.CRASHED

    def is_final(self) -> bool:
        """The run has ended; or, as `NotReady`, it will never begin."""
        return self.name.is_final

    def __str__(self) -> str:
        """`Completed()`, `Failed('1/3 states failed.')`, `Cached(type=COMPLETED)`."""
        parts = [repr(self.message)] if self.message else []
        if self.type.title() != self.name:
            parts.append(f"type={self.type}")
        return f"{self.name}({', '.join(parts)})"


@dataclass(frozen=True, slots=True)
class FinalState(State, Generic[R]):
    """How a call ended, and what it gave: a value or an error."""

    value: R | None = field(default=None, repr=False, compare=False)
    error: BaseException | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, state: State, value: R | None, error: BaseException | None) -> FinalState[R]:
        """That state, with what was given in it."""
        return cls(state.name, state.message, state.at, value, error)

    @property
    def bare(self) -> State:
        """The state alone, as the history has it."""
        return State(self.name, self.message, self.at)

    @overload
    def result(self, *, raise_on_failure: Literal[True] = True) -> R: ...
    @overload
    def result(self, *, raise_on_failure: bool) -> R | BaseException: ...
    def result(self, *, raise_on_failure: bool = True) -> R | BaseException:
        """What the call returned; raises what it raised, or returns that if asked to."""
        if self.error is None:
            return cast(R, self.value)
        if raise_on_failure:
            raise self.error
        return self.error


@dataclass(frozen=True, slots=True)
class MadeState(FinalState[R]):
    """An end that the code of a flow or task makes itself, and returns."""


def deciding_state(outcomes: Sequence[StateType], at: datetime) -> State:
    """The final state of a flow that others decide: its runs, or what it returned.

    Args:
        outcomes: how each of them ended; one that never began is PENDING.
        at: when the flow ended.
    """
    total = len(outcomes)
    cancelled = sum(outcome is StateType.CANCELLED for outcome in outcomes)
    if cancelled:
        return State(StateName.CANCELLED, f"{cancelled}/{total} states cancelled.", at)
    failed = sum(outcome in (StateType.FAILED, StateType.CRASHED) for outcome in outcomes)
    if failed:
        return State(StateName.FAILED, f"{failed}/{total} states failed.", at)
    pending = sum(outcome is not StateType.COMPLETED for outcome in outcomes)
    if pending:
        return State(StateName.FAILED, f"{pending}/{total} states not ready.", at)
    return State(StateName.COMPLETED, "All states completed." if outcomes else "", at)
