"""`prefect.context`, and the words that the core has as Prefect does.

They come by way of the package above all: a flow that a script calls lands in the user's history.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from taxietl import Future as PrefectFuture
from taxietl import allow_failure, get_run_logger, tags, unmapped
from taxietl.errors import ConfigError
from taxietl.orchestrator import FinalState as State
from taxietl.orchestrator import current_run
from taxietl.prefect import runtime
from taxietl.prefect.cache_policies import TaskRunContext

__all__ = [
    "FlowRunContext",
    "PrefectFuture",
    "State",
    "TaskRunContext",
    "allow_failure",
    "get_run_context",
    "get_run_logger",
    "tags",
    "unmapped",
]


@dataclass(frozen=True)
class FlowRunContext:
    """The run around the code, and in a task its task run, as `runtime` has them."""

    parameters: dict[str, Any]
    flow_run: Any = field(default_factory=lambda: runtime.flow_run)
    task_run: Any = field(default_factory=lambda: runtime.task_run)

    @classmethod
    def get(cls) -> FlowRunContext | None:
        """That of the code; None outside any run."""
        run = current_run()
        if run is None:
            return None
        return cls(dict(run.task_run.parameters if run.task_run else run.parameters))


def get_run_context() -> FlowRunContext:
    """The run around the code.

    Raises:
        ConfigError: there is none.
    """
    if (context := FlowRunContext.get()) is None:
        raise ConfigError("get_run_context() was called outside any run.")
    return context
