"""Flows, tasks, states, retries, cache, history: an orchestrator small enough to read.

It knows nothing of taxis or the command line. The names below load on first use, so
that importing this package, or taxietl, costs nothing. (The modules are called `flows` and
`tasks` since a module `flow` would hide the decorator of that name once it is loaded.)

The way of a run through it:

    flow(…) → Engine.run → root_runs: lock, store, hear signals → flow_runs: call the function
      task(…) → calls → task_runs: inputs → reuse → attempts → bodies: call the function → store
      each change of state → recorder: one transaction, then its lines shown and listeners told

The modules, each row built on those below it:

    running     engine calls root_runs subflow_runs flow_runs task_runs stream_runs attempts
                reuse key_locks resume bodies isolation isolated_child
                limits verdicts failures
    defining    flows tasks decoration foreign parameters entry listing default
    keeping     recorder history writer beginnings retention chores cache cache_store cache_sweep
                cache_entries cache_why glance
    shared      context futures stream inputs submission mapping pool hooks logs prints
    stopping    stopping signals timeouts cancellation programs
    on disk     tickets liveness database schema filelock records
    values      states runs retry names arguments canonical code_digests places results
                fingerprints annotations portable callables frames
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taxietl.orchestrator.cache import Cache
    from taxietl.orchestrator.cancellation import Cancellation
    from taxietl.orchestrator.context import current_cancellation, current_run
    from taxietl.orchestrator.default import default_engine, set_default_engine
    from taxietl.orchestrator.engine import Engine
    from taxietl.orchestrator.flows import Flow, flow
    from taxietl.orchestrator.futures import Future, FutureList
    from taxietl.orchestrator.history import History
    from taxietl.orchestrator.logs import configure_logging, get_run_logger
    from taxietl.orchestrator.mapping import unmapped
    from taxietl.orchestrator.retry import Retry, exponential
    from taxietl.orchestrator.runs import Run, TaskRun
    from taxietl.orchestrator.states import FinalState, State, StateName, StateType
    from taxietl.orchestrator.stream import Stream
    from taxietl.orchestrator.tasks import Task, task

_MODULES = {
    "Cache": "cache",
    "Cancellation": "cancellation",
    "Engine": "engine",
    "FinalState": "states",
    "Flow": "flows",
    "Future": "futures",
    "FutureList": "futures",
    "History": "history",
    "Retry": "retry",
    "Run": "runs",
    "State": "states",
    "StateName": "states",
    "StateType": "states",
    "Stream": "stream",
    "Task": "tasks",
    "TaskRun": "runs",
    "configure_logging": "logs",
    "current_cancellation": "context",
    "current_run": "context",
    "default_engine": "default",
    "exponential": "retry",
    "flow": "flows",
    "get_run_logger": "logs",
    "set_default_engine": "default",
    "task": "tasks",
    "unmapped": "mapping",
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
    "configure_logging",
    "current_cancellation",
    "current_run",
    "default_engine",
    "exponential",
    "flow",
    "get_run_logger",
    "set_default_engine",
    "task",
    "unmapped",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
