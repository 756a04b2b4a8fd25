"""How far the current task run is, kept while it runs: for `runs show` and the dashboard."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from taxietl.errors import TaxietlError
from taxietl.orchestrator.run.attaching import Attached
from taxietl.orchestrator.run.logs import show
from taxietl.orchestrator.store import history as histories
from taxietl.orchestrator.store import lines
from taxietl.orchestrator.store.attached_rows import ProgressRow
from taxietl.orchestrator.store.history import History
from taxietl.orchestrator.store.lines import Identity
from taxietl.orchestrator.store.transaction import transaction

_FIRST_AFTER_SECONDS = 0.5
"""What is over sooner is not worth a write."""
_EVERY_SECONDS = 0.9
"""The dashboard shows what was written within a second."""


def report_progress(done: float, total: float | None = None, *, unit: str = "items") -> None:
    """Say how far the current task run, or else run, is; outside any run it is not kept.

    Call it as often as you like: it is written about once a second, and a failure to write it is
    no failure of the run. The end of the task run needs no report.

    Args:
        done: so many, of which a later report has more; fewer begin anew.
        total: of so many, if that is known.
        unit: of what: `rows`, `bytes`, …
    """
    current_progress()(done, total, unit=unit)


def current_progress() -> ProgressReporter:
    """What keeps the progress of the current task run, whichever thread calls it."""
    who = lines.current.get()
    return NOWHERE if who is None else _kept_for(who, histories.current.get(), lines.relay.get())


class ProgressReporter:
    """Keeps how far one task run is, now and then."""

    def __init__(
        self,
        keep: Callable[[ProgressRow], object] | None,
        who: Identity | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keep, self._who, self._clock = keep, who, clock
        self._lock = threading.Lock()
        self._next = clock() + _FIRST_AFTER_SECONDS
        self._unit = ""
        self._began_at = datetime.now(UTC)
        self._before = self._done = 0.0

    def __call__(self, done: float, total: float | None = None, *, unit: str = "items") -> None:
        """See `report_progress`."""
        if self._keep is None or self._who is None:
            return
        now = self._clock()
        with self._lock:
            if unit != self._unit or done < self._done:
                self._unit, self._began_at, self._before = unit, datetime.now(UTC), done
            self._done = done
            if now < self._next:
                return
            self._next = now + _EVERY_SECONDS
            began = (self._began_at, self._before)
        row = ProgressRow(
            self._who.run_id,
            self._who.task_run_id,
            *(datetime.now(UTC), float(done), None if total is None else float(total), unit),
            *began,
        )
        with suppress(TaxietlError):
            self._keep(row)


NOWHERE = ProgressReporter(None)
"""Of code that no run is made of."""


# A task may say it a million times: its reporter is found again, and forgotten some time later.
@functools.lru_cache(maxsize=256)
def _kept_for(
    who: Identity, history: History | None, relay: Callable[[object], None] | None
) -> ProgressReporter:
    if history is not None:
        return ProgressReporter(functools.partial(_store, history), who)
    return ProgressReporter(None if relay is None else lambda row: relay(Attached(row)), who)


def _store(history: History, row: ProgressRow) -> None:
    with transaction(history.database, functools.partial(datetime.now, UTC), show) as change:
        change.add(row)
