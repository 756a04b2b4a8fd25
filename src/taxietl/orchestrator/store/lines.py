"""A line that the engine logs about a run, and whose lines those of the current code are."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from taxietl.errors import TaxietlError
from taxietl.masking import masked
from taxietl.orchestrator.store.rows import LogRow

ENGINE = "taxietl.engine"
FLOW_RUNS = "taxietl.flow_runs"
TASK_RUNS = "taxietl.task_runs"


def described(error: BaseException) -> str:
    """An error's type and message, without secrets."""
    text = masked(str(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


HINT = "hint: "
"""What the last line of an error's log line begins with, if the error says what to do."""


def with_traceback(message: str, error: BaseException) -> str:
    """A message, where the error was raised, and its hint if it has one, without secrets."""
    trace = "".join(traceback.format_exception(error)).rstrip()
    hint = error.hint if isinstance(error, TaxietlError) else ""
    return f"{message}\n{masked(trace)}" + (f"\n{HINT}{masked(hint)}" if hint else "")


@dataclass(frozen=True)
class Identity:
    """Who a run is, or one of its task runs: all that a line in its name needs."""

    run_id: str
    run_name: str
    flow_name: str
    root_id: str
    """Of the top-level run; its own if it is one."""
    task_run_id: str | None = None
    task_run_name: str | None = None

    @property
    def id(self) -> str:
        """Of the task run, or else of the run."""
        return self.task_run_id or self.run_id


current: ContextVar[Identity | None] = ContextVar("taxietl_identity", default=None)
"""The run or task run that the current code belongs to; None outside any run."""

relay: ContextVar[Callable[[object], None] | None] = ContextVar("taxietl_relay", default=None)
"""Of a process without a history: takes what is attached to the one that has it."""


@dataclass(frozen=True)
class Line:
    """One line about a run, or about one of its task runs."""

    row: LogRow
    """As the history has it, with the traceback of the error if there is one."""
    message: str
    level: int
    who: Identity
    error: BaseException | None = None
    shown: str | None = None
    """What the console shows of it: all, or less of an error that was told before, or `""`."""
