"""`/lake`: the months in a lake, each with its object, and what its last verification found."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from taxietl.config import LakeProfile, Settings
from taxietl.errors import TaxietlError, TryLaterError, UnknownNameError
from taxietl.flows.lake_reading import LakeMonth, read_lake, verify_lake
from taxietl.ui.dashboard import Dashboard, Verification

DEFAULT = "lake"
SHOWN = 100
"""Objects that no manifest tells of, and damaged ones."""


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
        verification=dashboard.verifications.get(name),
        is_verifying=dashboard.asker.is_open(("verify", name)),
        most=SHOWN,
    )


def verify(dashboard: Dashboard, request: Request) -> str:
    """Hold all objects to the manifests, and keep what was found for the page.

    A big lake takes longer than a page waits; the page then says that it goes on.
    """
    name = request.path_params["name"]
    lakes = lakes_of(dashboard.read_settings())
    if name not in lakes:
        raise UnknownNameError("lake", name, lakes)

    def question() -> None:
        try:
            made = Verification(datetime.now(UTC), verify_lake(name))
        except TaxietlError as error:
            made = Verification(datetime.now(UTC), [], error)
        dashboard.verifications[name] = made

    with suppress(TryLaterError):
        dashboard.asker.ask(f"Lake {name!r}", ("verify", name), question, mark=object())
    return f"/lake?{urlencode({'on': name})}#verification"


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
