"""Flows, tasks, states, retries, cache, history: an orchestrator small enough to read.

It knows nothing of taxis or the command line. The names below load on first use, so
that importing this package, or taxietl, costs nothing.

The way of a run through it (docs/orchestrator.md is the longer map):

    flow(…) → Engine.run → root_runs: lock, store, hear signals → flow_runs: call the function
      task(…) → callers → task_runs: inputs → a result? → attempts: the function → store
      each change of state → one transaction, then its lines shown

The folders, each row built on those below it:

    run       what happens when a flow or task is called
    query     what only the command line and the dashboard ask
    define    what users write and hold: flows, tasks, policies, futures, streams
    stop      how a run is told to stop, and made to
    store     what is kept: states, rows, log lines, results, the cache
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from taxietl.orchestrator.default import default_engine, set_default_engine
from taxietl.orchestrator.define.calling import set_outside

if TYPE_CHECKING:
    from taxietl.orchestrator.define.cache import Cache
    from taxietl.orchestrator.define.called import Flow, Task
    from taxietl.orchestrator.define.current import current_run
    from taxietl.orchestrator.define.decorators import flow, task
    from taxietl.orchestrator.define.futures import Future, FutureList, allow_failure
    from taxietl.orchestrator.define.mapping import unmapped
    from taxietl.orchestrator.define.retry import Retry, exponential
    from taxietl.orchestrator.define.runs import Run, TaskRun
    from taxietl.orchestrator.define.stream import Stream
    from taxietl.orchestrator.define.tagging import tags
    from taxietl.orchestrator.run.attachments import (
        attach_image,
        attach_link,
        attach_markdown,
        attach_table,
    )
    from taxietl.orchestrator.run.engine import Engine
    from taxietl.orchestrator.run.events import attach_event
    from taxietl.orchestrator.run.logs import configure_logging, get_run_logger
    from taxietl.orchestrator.run.progress import report_progress
    from taxietl.orchestrator.stop.cancellation import Cancellation, current_cancellation
    from taxietl.orchestrator.store.history import History, run_in_process
    from taxietl.orchestrator.store.states import FinalState, State, StateName, StateType

_MODULES = {
    "Cache": "define.cache",
    "Cancellation": "stop.cancellation",
    "Engine": "run.engine",
    "FinalState": "store.states",
    "Flow": "define.called",
    "Future": "define.futures",
    "FutureList": "define.futures",
    "History": "store.history",
    "Retry": "define.retry",
    "Run": "define.runs",
    "State": "store.states",
    "StateName": "store.states",
    "StateType": "store.states",
    "Stream": "define.stream",
    "Task": "define.called",
    "TaskRun": "define.runs",
    "allow_failure": "define.futures",
    "attach_event": "run.events",
    "attach_image": "run.attachments",
    "attach_link": "run.attachments",
    "attach_markdown": "run.attachments",
    "attach_table": "run.attachments",
    "configure_logging": "run.logs",
    "current_cancellation": "stop.cancellation",
    "current_run": "define.current",
    "exponential": "define.retry",
    "flow": "define.decorators",
    "get_run_logger": "run.logs",
    "report_progress": "run.progress",
    "run_in_process": "store.history",
    "tags": "define.tagging",
    "task": "define.decorators",
    "unmapped": "define.mapping",
}

__all__ = [
    "Cache",
    "Cancellation",
    "Engine",
    "FinalState",
    "Flow",
    "Future",
    "FutureList",
    "History",
    "Retry",
    "Run",
    "State",
    "StateName",
    "StateType",
    "Stream",
    "Task",
    "TaskRun",
    "allow_failure",
    "attach_event",
    "attach_image",
    "attach_link",
    "attach_markdown",
    "attach_table",
    "configure_logging",
    "current_cancellation",
    "current_run",
    "default_engine",
    "exponential",
    "flow",
    "get_run_logger",
    "report_progress",
    "run_in_process",
    "set_default_engine",
    "tags",
    "task",
    "unmapped",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]


def _run_outside(flow: Flow[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Run[Any]:
    """Run a flow that is called outside any run, as a script does: by the process's engine."""
    return default_engine().run(flow, *args, **kwargs)


set_outside(_run_outside)
