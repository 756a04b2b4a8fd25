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
    from taxietl.schedule.definition import Schedule
    from taxietl.schedule.outcomes import Outcome


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


def tell_of_schedule(schedule: Schedule, outcome: Outcome) -> None:
    """Tell that a schedule's command failed, unless its run has told of that itself.

    Raises:
        TaxietlError: the history cannot be read, or the configuration is wrong.
    """
    chosen = settings()
    if not chosen.alerts:
        return
    from taxietl.alerts.digest import CRASHED, FAILED, Notice
    from taxietl.alerts.telling import tell_of_command
    from taxietl.orchestrator import History
    from taxietl.schedule.outcomes import Result

    began = f"{outcome.started_at.astimezone():%Y-%m-%d %H:%M:%S %Z}"
    says = f"Schedule {schedule.name!r}, started {began}: {outcome.reason}. "
    notice = Notice(
        CRASHED if outcome.result is Result.CRASHED else FAILED,
        f"{says}taxietl schedule show {schedule.name}",
    )
    # Of one that a signal ended, nobody knows how far it came with telling of itself.
    by_itself = outcome.result is Result.FAILED and (outcome.exit_code or 0) < 128
    with History.opened(chosen.home) as history:
        tell_of_command(
            chosen.alerts,
            history,
            notice,
            since=outcome.started_at,
            told_by=outcome.child if by_itself else None,
        )
