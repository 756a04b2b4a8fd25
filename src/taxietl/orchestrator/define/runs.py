"""Runs as a user's code meets them: the one it is part of, and those that have ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from taxietl.orchestrator.stop.cancellation import Cancellation
from taxietl.orchestrator.store.states import FinalState, State

R = TypeVar("R")


@dataclass(frozen=True)
class Run(Generic[R]):
    """A run that has ended."""

    id: str
    name: str
    flow_name: str
    final_state: FinalState[R]
    """The last state with what was given in it."""
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def state(self) -> State:
        """The last one."""
        return self.final_state.bare

    @property
    def error(self) -> BaseException | None:
        """What made it fail."""
        return self.final_state.error

    def result(self) -> R:
        """What the flow returned, with values for futures; raises what made it fail."""
        return self.final_state.result()


@dataclass(frozen=True)
class TaskRun:
    """A task run that has ended; what its task's hooks are called with."""

    id: str
    name: str
    task_name: str
    run_id: str
    run_name: str
    flow_name: str
    state: State
    attempts: int
    parameters: Mapping[str, Any]
    error: BaseException | None = field(default=None, repr=False)


@dataclass(frozen=True)
class CurrentTaskRun:
    """The task run that the current code belongs to."""

    id: str
    name: str
    task_name: str
    attempt: int
    parameters: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class CurrentRun:
    """The run that the current code belongs to."""

    id: str
    name: str
    flow_name: str
    cancellation: Cancellation = field(repr=False)
    """What asks this code to stop."""
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Of the flow's call."""
    task_run: CurrentTaskRun | None = None
    """Of a task's code."""
