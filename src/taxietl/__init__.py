"""Any month of the NYC TLC taxi records into a warehouse or a data lake, exactly once.

The names below load on first use, so that `import taxietl` costs nothing. None of them is that
of a module or package of ours: importing that would put it in the place of the function.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from taxietl.version import __version__

if TYPE_CHECKING:
    from taxietl.config import profile
    from taxietl.errors import TaxietlError
    from taxietl.flows.months import MonthsFailedError
    from taxietl.flows.sync_report import SyncFailedError
    from taxietl.from_python.commands import ingest, sync, upload
    from taxietl.from_python.queries import connect, months
    from taxietl.orchestrator import (
        Cache,
        Engine,
        Future,
        Retry,
        Stream,
        allow_failure,
        attach_event,
        attach_image,
        attach_link,
        attach_markdown,
        attach_table,
        exponential,
        flow,
        get_run_logger,
        report_progress,
        tags,
        task,
        unmapped,
    )
    from taxietl.transform.frames import pandas_transformer

_MODULES = {
    "Cache": "orchestrator",
    "Future": "orchestrator",
    "MonthsFailedError": "flows.months",
    "Retry": "orchestrator",
    "Stream": "orchestrator",
    "SyncFailedError": "flows.sync_report",
    "TaxietlError": "errors",
    "allow_failure": "orchestrator",
    "attach_event": "orchestrator",
    "attach_image": "orchestrator",
    "attach_link": "orchestrator",
    "attach_markdown": "orchestrator",
    "attach_table": "orchestrator",
    "connect": "from_python.queries",
    "exponential": "orchestrator",
    "flow": "orchestrator",
    "get_run_logger": "orchestrator",
    "ingest": "from_python.commands",
    "months": "from_python.queries",
    "pandas_transformer": "transform.frames",
    "profile": "config",
    "report_progress": "orchestrator",
    "sync": "from_python.commands",
    "tags": "orchestrator",
    "task": "orchestrator",
    "unmapped": "orchestrator",
    "upload": "from_python.commands",
}

__all__ = [
    "Cache",
    "Future",
    "MonthsFailedError",
    "Retry",
    "Stream",
    "SyncFailedError",
    "TaxietlError",
    "__version__",
    "allow_failure",
    "attach_event",
    "attach_image",
    "attach_link",
    "attach_markdown",
    "attach_table",
    "connect",
    "exponential",
    "flow",
    "get_run_logger",
    "ingest",
    "months",
    "pandas_transformer",
    "profile",
    "report_progress",
    "sync",
    "tags",
    "task",
    "unmapped",
    "upload",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'taxietl' has no attribute {name!r}")
    from taxietl.orchestrator import set_default_engine

    # A flow called by a script lands in the same history as one run by the command.
    set_default_engine(_open_engine)
    value = getattr(importlib.import_module(f"taxietl.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _open_engine() -> Engine:
    from taxietl.runtime import open_engine

    return open_engine()
