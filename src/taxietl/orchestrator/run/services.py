"""What an engine's runs share: its history, cache and limits, and how time goes by there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taxietl.orchestrator.run.limits import Limits
    from taxietl.orchestrator.run.listening import Listener
    from taxietl.orchestrator.store.cache_store import CacheStore
    from taxietl.orchestrator.store.history import History
    from taxietl.orchestrator.store.transaction import Transaction


@dataclass(frozen=True)
class Services:
    """Those of one engine."""

    home: Path
    history: History
    transaction: Callable[[], AbstractContextManager[Transaction]]
    """Changes of the history, made now."""
    cache: CacheStore
    limits: Limits
    limited_tags: frozenset[str]
    """The tags that have a limit."""
    clock: Callable[[], datetime]
    sleep: Callable[[float], None] | None
    """Waits between attempts; None for a wait that a cancellation ends."""
    rng: Random
    on_end: Listener | None = None
    """Is told of top-level runs that have ended."""
