"""The one place that wires configuration and engine, for the command line and for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxietl.config import settings

if TYPE_CHECKING:
    from taxietl.orchestrator import Engine


def open_engine() -> Engine:
    """An engine on the history of the active settings' home.

    Raises:
        ConfigError: the configuration is wrong, or the home cannot be written.
    """
    from taxietl.orchestrator import Engine

    chosen = settings()
    return Engine(
        chosen.home,
        limits=chosen.limits,
        keep_days=chosen.history.keep_days,
        cache_bytes=chosen.cache.max_size,
    )
