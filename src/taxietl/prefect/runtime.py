"""`prefect.runtime`: the run and task run that the code which asks is part of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from taxietl.orchestrator import State, StateName, current_run

_named: ContextVar[Mapping[str, Any] | None] = ContextVar("taxietl_prefect_named", default=None)
"""The parameters of the call that is being named."""


@contextmanager
def naming(parameters: Mapping[str, Any]) -> Iterator[None]:
    """While the block runs, a name is made of those parameters."""
    token = _named.set(parameters)
    try:
        yield
    finally:
        _named.reset(token)


def state_now(name: StateName, message: str) -> State:
    """A state that begins now."""
    return State(name, message, datetime.now(UTC))


class _FlowRun:
    """The run; what it has not is None, as outside any run."""

    @property
    def id(self) -> str | None:
        run = current_run()
        return run.id if run else None

    @property
    def name(self) -> str | None:
        run = current_run()
        return run.name if run else None

    @property
    def flow_name(self) -> str | None:
        run = current_run()
        return run.flow_name if run else None

    @property
    def parameters(self) -> dict[str, Any]:
        named, run = _named.get(), current_run()
        return dict(named if named is not None else run.parameters if run else {})


class _TaskRun:
    """The task run of a task's code."""

    @property
    def id(self) -> str | None:
        run = current_run()
        return run.task_run.id if run and run.task_run else None

    @property
    def name(self) -> str | None:
        run = current_run()
        return run.task_run.name if run and run.task_run else None

    @property
    def task_name(self) -> str | None:
        run = current_run()
        return run.task_run.task_name if run and run.task_run else None

    @property
    def run_count(self) -> int:
        run = current_run()
        return run.task_run.attempt if run and run.task_run else 0

    @property
    def parameters(self) -> dict[str, Any]:
        named, run = _named.get(), current_run()
        here = run.task_run.parameters if run and run.task_run else {}
        return dict(named if named is not None else here)


flow_run = _FlowRun()
task_run = _TaskRun()
