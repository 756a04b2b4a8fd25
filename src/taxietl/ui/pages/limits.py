"""`/limits`: how many tasks with a tag may run at a time, who does, and who waits."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from taxietl.orchestrator.query.standings import standings
from taxietl.ui.dashboard import Dashboard


def limits(dashboard: Dashboard, request: Request) -> Response:
    """The page."""
    found = standings(dashboard.home, dashboard.read_settings().limits)
    return dashboard.page(request, "limits.html", title="Limits", standings=found)
