"""What is tidied by itself: once a day, by the first engine that opens the history."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from taxietl.errors import TaxietlError
from taxietl.orchestrator.store.lines import ENGINE
from taxietl.orchestrator.store.retention import prune
from taxietl.orchestrator.store.rows import to_text

if TYPE_CHECKING:
    import sqlite3

    from taxietl.orchestrator.store.cache_store import CacheStore
    from taxietl.orchestrator.store.database import Database

EVERY = timedelta(days=1)
AHEAD = timedelta(days=30)
"""A clock this much ahead of what is known of the time may be wrong: by it nothing is forgotten."""
_NAME, _CLOCK = "tidy", "clock"


def tidy(database: Database, cache: CacheStore, now: datetime, *, keep_days: float | None) -> bool:
    """Forget old runs and make room in the cache, if that is due; True if it was.

    A failure is logged: it must not keep a run from starting.
    """
    log = logging.getLogger(ENGINE)
    try:
        if not _is_due(database, now):
            return False
        if known := _is_ahead(database, now):
            log.warning(
                "The clock says %s, and by what ran before it is about %s: nothing was forgotten."
                " Set the clock; or, if it is right, `taxietl runs prune` forgets old runs.",
                f"{now:%Y-%m-%d}",
                f"{known:%Y-%m-%d}",
            )
            cache.make_room()
            return True
        if keep_days is not None:
            before = now - timedelta(days=keep_days)
            if (pruned := prune(database, before=before)).trees:
                log.info(
                    "Forgot %s runs with %s task runs that ended before %s ([history] keep_days).",
                    f"{pruned.runs:,}",
                    f"{pruned.task_runs:,}",
                    f"{before:%Y-%m-%d}",
                )
        if removed := cache.collect(now):
            freed = sum(each.bytes for each in removed)
            log.info("Removed %s from the cache, %s bytes.", f"{len(removed):,}", f"{freed:,}")
    except TaxietlError as error:
        log.warning("The history was not tidied: %s", error)
    return True


def _is_ahead(database: Database, now: datetime) -> datetime | None:
    """What is known of the time if the clock is far ahead of that; None if it can be believed.

    A home that nobody used for long looks the same as a clock that is wrong. So what is known
    moves on by at most `AHEAD` at each such chore, that is a day: after a pause of some months it
    is right again in some days, and a clock that is years ahead would have to be so for months.
    """
    with database.transaction() as connection:
        rows = connection.execute("SELECT done_at FROM chores WHERE name = ?", (_CLOCK,)).fetchall()
        if not rows:
            rows = connection.execute("SELECT MAX(created_at) AS done_at FROM runs").fetchall()
        known = _time(rows[0]["done_at"]) or now
        is_ahead = now - known > AHEAD
        moved = known + AHEAD if is_ahead else now
        connection.execute("INSERT OR REPLACE INTO chores VALUES (?, ?)", (_CLOCK, to_text(moved)))
    return known if is_ahead else None


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
    done_at = _time(rows[0]["done_at"]) if rows else None
    return done_at is None or abs(now - done_at) >= EVERY


def _time(text: str | None) -> datetime | None:
    """None if there is none that can be read: somebody edited the file."""
    try:
        at = datetime.fromisoformat(text or "")
    except (ValueError, TypeError):
        return None
    return at if at.tzinfo else None
