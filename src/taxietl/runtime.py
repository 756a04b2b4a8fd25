"""The one place that wires configuration, alerts and engine, for the command line and scripts."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from taxietl.config import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taxietl.config import AlertSettings
    from taxietl.orchestrator import Engine
    from taxietl.orchestrator.run.listening import Listener


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
        on_end=_teller(chosen.alerts),
    )


def _teller(alerts: Sequence[AlertSettings]) -> Listener | None:
    """What tells of runs that have ended to whoever is to be told."""
    if not alerts:
        return None
    from taxietl.alerts.telling import tell_of_runs

    return functools.partial(tell_of_runs, alerts)
