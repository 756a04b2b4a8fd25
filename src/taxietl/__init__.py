"""Any month of the NYC TLC taxi records into a warehouse or a data lake, exactly once.

The names below load on first use, so that `import taxietl` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taxietl.version import __version__

if TYPE_CHECKING:
    from taxietl.config import profile
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
        tags,
        task,
        unmapped,
    )
    from taxietl.transform.frames import pandas_transformer

__all__ = [
    "Cache",
    "Future",
    "Retry",
    "Stream",
    "__version__",
    "allow_failure",
    "attach_event",
    "attach_image",
    "attach_link",
    "attach_markdown",
    "attach_table",
    "exponential",
    "flow",
    "get_run_logger",
    "pandas_transformer",
    "profile",
    "tags",
    "task",
    "unmapped",
]


def __getattr__(name: str) -> Any:
    if name == "profile":
        from taxietl.config import profile

        return profile
    if name == "pandas_transformer":
        from taxietl.transform.frames import pandas_transformer

        return pandas_transformer
    if name in __all__:
        from taxietl import orchestrator

        # A flow called by a script lands in the same history as one run by the command.
        orchestrator.set_default_engine(_open_engine)
        return getattr(orchestrator, name)
    raise AttributeError(f"module 'taxietl' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]


def _open_engine() -> Engine:
    from taxietl.runtime import open_engine

    return open_engine()
