"""`/`: what ran last, what runs now, what failed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from taxietl.errors import TaxietlError
from taxietl.orchestrator import History
from taxietl.orchestrator.query.browsing import (
    FAILURES,
    RunFilter,
    count_by_state,
    latest_events,
    page_of_runs,
    typical_seconds,
)
from taxietl.orchestrator.query.progress import progress_below
from taxietl.orchestrator.store.attached_rows import ProgressRow
from taxietl.orchestrator.store.rows import RunRow
from taxietl.ui.dashboard import Dashboard
from taxietl.ui.schedules import Row

STRIP = 60
LEAST_PLACES = 30
"""A strip of fewer runs begins with room."""
FAILED = 5
EVENTS = 6
FOLLOWING = 4
MOST_STEPS = 4
"""Of a run of many months: those that told last."""
LEAST_HEIGHT, MOST_HEIGHT = 8.0, 96.0
"""Of a bar of the strip, in percent."""


@dataclass(frozen=True)
class StripBar:
    """One run in the strip: from the left and how high, in percent."""

    run: RunRow
    x: float
    width: float
    height: float
    seconds: float | None


@dataclass(frozen=True)
class Running:
    """A run in progress, and how far others of its flow were by then."""

    run: RunRow
    seconds: float
    typical: float | None
    progress: list[ProgressRow]
    """Of its steps under way that tell, the latest first."""

    @property
    def percent(self) -> float | None:
        """Of the time that the flow takes as a rule; None if nobody knows, or if it is over."""
        if not self.typical or self.seconds > self.typical:
            return None
        return self.seconds / self.typical * 100

    @property
    def left(self) -> float | None:
        """Seconds that such runs take from here on, as a rule."""
        return self.typical - self.seconds if self.typical and self.percent is not None else None


def overview(dashboard: Dashboard, request: Request) -> Response:
    """The page."""
    history, now = dashboard.history, datetime.now(UTC)
    latest = page_of_runs(history, RunFilter(top_level=True), limit=STRIP).runs
    failed = page_of_runs(history, RunFilter(states=FAILURES, top_level=True), limit=FAILED).runs
    counts = count_by_state(history)
    return dashboard.page(
        request,
        "overview.html",
        title="Overview",
        strip=strip_of(latest, now),
        running=[_running(history, each, now) for each in history.open_roots()],
        failed=failed,
        following=_following(dashboard),
        events=latest_events(history, limit=EVENTS),
        told=_told(dashboard),
        counts=counts,
        total=sum(counts.values()),
    )


def _told(dashboard: Dashboard) -> int | None:
    """To how many addresses alerts go; None if the configuration cannot be read."""
    try:
        return len(dashboard.read_settings().alerts)
    except TaxietlError:
        return None


def _following(dashboard: Dashboard) -> list[Row]:
    """The schedules that are due next, the first of them first."""
    found = [each for each in dashboard.schedules() if each.following]
    return sorted(found, key=lambda each: each.following or each.schedule.added_at)[:FOLLOWING]


def strip_of(latest: list[RunRow], now: datetime) -> list[StripBar]:
    """The runs as bars, the oldest first: each as high as it took long, by its logarithm."""
    runs = latest[::-1]
    took = [
        ((each.ended_at or now) - (each.started_at or each.created_at)).total_seconds()
        for each in runs
    ]
    scaled = [math.log1p(max(0.0, each) * 20) for each in took]
    highest = max(scaled, default=0.0) or 1.0
    places = max(len(runs), LEAST_PLACES)
    return [
        StripBar(
            run,
            x=(places - len(runs) + i) / places * 100,
            width=100 / places,
            height=LEAST_HEIGHT + scale / highest * (MOST_HEIGHT - LEAST_HEIGHT),
            seconds=seconds,
        )
        for i, (run, scale, seconds) in enumerate(zip(runs, scaled, took, strict=True))
    ]


def _running(history: History, run: RunRow, now: datetime) -> Running:
    seconds = (now - (run.started_at or run.created_at)).total_seconds()
    told = list(progress_below(history, run.id).values())[:MOST_STEPS]
    return Running(run, seconds, typical_seconds(history, run.flow), told)
