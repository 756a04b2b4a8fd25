"""What is tidied by itself: once a day, by the first engine that opens the history."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from taxietl.errors import TaxietlError
from taxietl.orchestrator.logs import ENGINE
from taxietl.orchestrator.records import to_text
from taxietl.orchestrator.retention import prune

if TYPE_CHECKING:
    import sqlite3

    from taxietl.orchestrator.cache_store import CacheStore
    from taxietl.orchestrator.database import Database

EVERY = timedelta(days=1)
_NAME = "tidy"


def tidy(database: Database, cache: CacheStore, now: datetime, *, keep_days: float | None) -> bool:
    """Forget old runs and make room in the cache, if that is due; True if it was.

    A failure is logged: it must not keep a run from starting.
    """
    try:
        if not _is_due(database, now):
            return False
        if keep_days is not None:
            prune(database, before=now - timedelta(days=keep_days))
        cache.collect(now)
    except TaxietlError as error:
        logging.getLogger(ENGINE).warning("The history was not tidied: %s", error)
    return True


def _is_due(database: Database, now: datetime) -> bool:
    """Take the chore on, unless somebody did within a day; of many at once one does."""
    if not _was_left(database.rows("SELECT done_at FROM chores WHERE name = ?", (_NAME,)), now):
        return False
    with database.transaction() as connection:
        rows = connection.execute("SELECT done_at FROM chores WHERE name = ?", (_NAME,)).fetchall()
        if not _was_left(rows, now):
            return False
        connection.execute("INSERT OR REPLACE INTO chores VALUES (?, ?)", (_NAME, to_text(now)))
    return True


def _was_left(rows: list[sqlite3.Row], now: datetime) -> bool:
    # A clock that was ahead must not keep the chore from being done for years.
    return not rows or abs(now - datetime.fromisoformat(rows[0]["done_at"])) >= EVERY
