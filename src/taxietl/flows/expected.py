"""How long months will take, by how long those before them took."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from taxietl.config import settings
from taxietl.orchestrator import History, StateName
from taxietl.tlc.trip_file import TripFile

_LOOKED_AT = 200
"""Of the latest runs that completed."""

_AT_LEAST_SECONDS = 0.25
"""A run that took less found that there was nothing to do."""


def expected_seconds(trip_files: Iterable[TripFile], flow: str, *, workers: int) -> float | None:
    """How long these months will take side by side; None if no such month was done before.

    Args:
        trip_files: the months that there is something to do with.
        flow: the name of the flow that does one; its runs are called after their months.
        workers: how many are under way at a time.
    """
    home = settings().home
    if not (home / "history.db").exists():
        return None
    took: dict[str, list[float]] = {}
    with History.opened(home) as history:
        for run in history.runs(limit=_LOOKED_AT, state=StateName.COMPLETED):
            if run.flow == flow and run.started_at and run.ended_at:
                seconds = (run.ended_at - run.started_at).total_seconds()
                if seconds >= _AT_LEAST_SECONDS:
                    took.setdefault(run.name.partition("-")[0], []).append(seconds)
    if not took:
        return None
    of_any = median(each for many in took.values() for each in many)
    total = sum(median(took.get(each.color, [of_any])) for each in trip_files)
    return total / workers
