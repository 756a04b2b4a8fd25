"""The engine that runs flows which are called outside any run, as a user's script does."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from taxietl.orchestrator.define.calling import refuse_run_here

if TYPE_CHECKING:
    from taxietl.orchestrator.run.engine import Engine

_default: Engine | None = None
_factory: Callable[[], Engine] | None = None
_default_lock = threading.Lock()


def set_default_engine(factory: Callable[[], Engine]) -> None:
    """Say how the engine is made that runs flows called outside any run; again changes nothing."""
    global _default, _factory
    with _default_lock:
        if factory is not _factory:
            _default, _factory = None, factory


def default_engine() -> Engine:
    """The process's engine, made at its first use.

    Without a factory its home is TAXIETL_HOME, or else the user's data folder.

    Raises:
        ConfigError: runs are refused here, see `refusing_runs`.
    """
    global _default
    refuse_run_here()
    with _default_lock:
        if _default is None:
            _default = (_factory or _plain_engine)()
        return _default


def _plain_engine() -> Engine:
    from taxietl.orchestrator.run.engine import Engine

    if home := os.environ.get("TAXIETL_HOME"):
        return Engine(Path(home).expanduser())
    import platformdirs

    return Engine(platformdirs.user_data_path("taxietl"))
