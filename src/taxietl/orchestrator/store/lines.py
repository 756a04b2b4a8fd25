"""A line that the engine logs about a run, and whose lines those of the current code are."""

from __future__ import annotations

import contextlib
import logging
import traceback
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime

from taxietl.masking import masked
from taxietl.orchestrator.store.rows import LogRow

ENGINE = "taxietl.engine"
FLOW_RUNS = "taxietl.flow_runs"
TASK_RUNS = "taxietl.task_runs"


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

    def task_run(self, task_run_id: str, name: str) -> Identity:
        """Who a task run of this run is."""
        return replace(self, task_run_id=task_run_id, task_run_name=name)

    @property
    def id(self) -> str:
        """Of the task run, or else of the run."""
        return self.task_run_id or self.run_id


current: ContextVar[Identity | None] = ContextVar("taxietl_identity", default=None)
"""The run or task run that the current code belongs to; None outside any run."""


@dataclass(frozen=True)
class Line:
    """One line about a run, or about one of its task runs."""

    at: datetime
    logger: str
    level: int
    message: str
    who: Identity
    error: BaseException | None = None
    shown: str | None = None
    """What the console shows of it: all, or less of an error that was told before, or `""`."""

    @property
    def text(self) -> str:
        """The message, and the traceback of the error if there is one."""
        if self.error is None:
            return self.message
        trace = "".join(traceback.format_exception(self.error)).rstrip()
        return f"{self.message}\n{masked(trace)}"

    def row(self) -> LogRow:
        """The line as the history has it."""
        level = logging.getLevelName(self.level)
        who = self.who
        return LogRow(who.run_id, who.task_run_id, self.at, level, self.logger, self.text)

    def show(self) -> None:
        """Hand it to the handlers; the history has it already."""
        logger = logging.getLogger(self.logger)
        if not logger.isEnabledFor(self.level):
            return
        record = logger.makeRecord(self.logger, self.level, "", 0, self.message, (), None)
        record.created = self.at.timestamp()
        record.msecs = self.at.microsecond // 1000
        record.__dict__.update(
            run_name=self.who.run_name, task_run_name=self.who.task_run_name, taxietl_line=self
        )
        with contextlib.suppress(Exception):  # a broken handler of anybody's breaks no run
            logger.handle(record)
