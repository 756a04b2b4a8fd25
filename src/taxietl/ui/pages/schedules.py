"""`/schedules`: commands at times of day, their next run and what came of the last."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from taxietl.ui.dashboard import Dashboard
from taxietl.ui.schedules import schedules_of


def schedules(dashboard: Dashboard, request: Request) -> Response:
    """The page."""
    found, broken = schedules_of(dashboard.home)
    return dashboard.page(
        request, "schedules.html", title="Schedules", schedules=found, broken=broken
    )
