"""The engine that runs flows which are called outside any run, as a user's script does."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from taxietl.errors import ConfigError

if TYPE_CHECKING:
    from taxietl.orchestrator.engine import Engine

_default: Engine | None = None
_factory: Callable[[], Engine] | None = None
_default_lock = threading.Lock()
_refusal: ContextVar[ConfigError | None] = ContextVar("taxietl_refusal", default=None)


def set_default_engine(factory: Callable[[], Engine]) -> None:
    """Say how the engine is made that runs flows called outside any run."""
    global _default, _factory
    with _default_lock:
        _default, _factory = None, factory


def default_engine() -> Engine:
    """The process's engine, made at its first use.

    Without a factory its home is TAXIETL_HOME, or else the user's data folder.

    Raises:
        ConfigError: runs are refused here, see `refusing_runs`.
    """
    global _default
    if (refusal := _refusal.get()) is not None:
        raise refusal
    with _default_lock:
        if _default is None:
            _default = (_factory or _plain_engine)()
        return _default


@contextmanager
def refusing_runs(error: ConfigError) -> Iterator[None]:
    """While the block runs, a flow called outside any run raises that error instead."""
    token = _refusal.set(error)
    try:
        yield
    finally:
        _refusal.reset(token)


def _plain_engine() -> Engine:
    from taxietl.orchestrator.engine import Engine

    if home := os.environ.get("TAXIETL_HOME"):
        return Engine(Path(home).expanduser())
    import platformdirs

    return Engine(platformdirs.user_data_path("taxietl"))
