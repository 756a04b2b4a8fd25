"""A clock that only the test moves, tasks that end in each way, and a run's states and lines."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from taxietl.errors import Cancelled
from taxietl.orchestrator import Engine, task


@task
def double(number: int) -> int:
    return 2 * number


@task
def broken(why: str = "no such month") -> None:
    raise ValueError(why)


@task
def stopped() -> None:
    raise Cancelled("I was asked to.")


class Clock:
    """A time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2021, 1, 2, 16, 5, 11, 752_000, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let that much time go by, at once."""
        self.now += timedelta(seconds=seconds)


def states(engine: Engine, run_id: str, task_run_name: str | None = None) -> list[str]:
    """The names of the states that a run, or one of its task runs, went through."""
    task_run_id = None
    if task_run_name is not None:
        (task_run_id,) = [
            each.id for each in engine.history.task_runs(run_id) if each.name == task_run_name
        ]
    return [each.state.name for each in engine.history.states(run_id, task_run_id)]


@contextmanager
def heard(beginning: str, hear: Callable[[], object]) -> Iterator[None]:
    """Call `hear` at each log line of a task run that begins so; what it tells of is stored."""

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage().startswith(beginning):
                hear()

    ear, logger = Ear(), logging.getLogger("taxietl.task_runs")
    logger.addHandler(ear)
    try:
        yield
    finally:
        logger.removeHandler(ear)
