"""`/lake`: the months in a lake, each with its object, and what its last verification found."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from taxietl.config import LakeProfile, Settings
from taxietl.errors import TaxietlError, UnknownNameError
from taxietl.flows.lake_reading import LakeMonth, read_lake
from taxietl.flows.lake_verify import verify_lake
from taxietl.orchestrator.query.browsing import RunFilter, events_of, page_of_runs
from taxietl.orchestrator.store.attached_rows import EventRow
from taxietl.orchestrator.store.rows import RunRow
from taxietl.ui.beginning import begun
from taxietl.ui.dashboard import Dashboard

DEFAULT = "lake"
SHOWN = 100
"""Objects that no manifest tells of."""
LOOKED_AT = 50
"""Runs that verified some lake."""


@dataclass(frozen=True)
class Verification:
    """A run that verified a lake, and what it says."""

    run: RunRow
    events: list[EventRow]


def lake(dashboard: Dashboard, request: Request) -> Response:
    """The page."""
    settings = dashboard.read_settings()
    lakes = lakes_of(settings)
    name = request.query_params.get("on", "") or (
        DEFAULT if DEFAULT in lakes or not lakes else next(iter(lakes))
    )
    if name not in lakes:
        if request.query_params.get("on"):
            raise UnknownNameError("lake", name, lakes)
        return dashboard.page(request, "lake.html", title="Lake", lakes={}, on=name)
    found, error = None, None
    try:
        found = dashboard.asked(name, lambda: read_lake(name), "lake")
    except TaxietlError as caught:
        error = caught
    return dashboard.page(
        request,
        "lake.html",
        title="Lake",
        lakes=lakes,
        on=name,
        found=found,
        error=error,
        rows=[(each, _address(name, each)) for each in found.months] if found else [],
        total=sum(each.size_bytes for each in found.months) if found else 0,
        verification=_last_verification(dashboard, name),
        most=SHOWN,
    )


def verify(dashboard: Dashboard, request: Request) -> str:
    """Start a run that holds all objects to their manifests."""
    name = request.path_params["name"]
    lakes = lakes_of(dashboard.read_settings())
    if name not in lakes:
        raise UnknownNameError("lake", name, lakes)
    return begun(dashboard, ("lake", "verify", "--on", name))


def _last_verification(dashboard: Dashboard, name: str) -> Verification | None:
    """The last run that verified that lake, whoever started it."""
    history = dashboard.history
    for run in page_of_runs(history, RunFilter(flow=verify_lake.name), limit=LOOKED_AT).runs:
        if run.parameters.get("name") == name:
            return Verification(run, events_of(history, run))
    return None


def lakes_of(settings: Settings) -> dict[str, str]:
    """The lakes there are, each with its type."""
    found = {
        name: each.type for name, each in settings.profiles.items() if isinstance(each, LakeProfile)
    }
    return dict(sorted(found.items()))


def _address(name: str, month: LakeMonth) -> str:
    """The page of a month; the zone table has none."""
    if month.trip_file is None:
        return ""
    return f"/coverage/{month.trip_file}?{urlencode({'on': name, 'table': month.form})}"
