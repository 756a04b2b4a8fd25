"""`/coverage`: which months are there, which are missing, which failed; `/coverage/MONTH`: one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from taxietl.config import LakeProfile, Profile, Settings, profile_named
from taxietl.errors import TaxietlError, UnknownNameError
from taxietl.flows.coverage import Coverage, CoveredMonth, MonthState, TableCoverage, coverage_of
from taxietl.flows.coverage_month import Version, versions_of
from taxietl.flows.coverage_reading import read_profile
from taxietl.pictures.coverage import calendar, figures
from taxietl.pictures.coverage_words import LOOKS, absent_text, origin_text, reason_text
from taxietl.steps import registry
from taxietl.tlc.datasets import DATASETS
from taxietl.tlc.selection import MonthOptions
from taxietl.tlc.trip_file import TripFile
from taxietl.ui.dashboard import Dashboard
from taxietl.ui.tallies import Tally

_MONTH = re.compile(rf"({'|'.join(DATASETS)})-((?:19|20)\d\d)-(0[1-9]|1[0-2])")
TONES = {
    MonthState.LOADED: "good",
    MonthState.LOADING: "busy",
    MonthState.FAILED: "bad",
    MonthState.REFUSED: "bad",
    MonthState.BROKEN: "bad",
}


def coverage(dashboard: Dashboard, request: Request) -> Response:
    """The calendar."""
    settings = dashboard.read_settings()
    name = profile_asked_for(settings, request)
    found, error = None, None
    try:
        found = _covered(dashboard, name)
    except UnknownNameError:
        raise
    except TaxietlError as caught:
        error = caught
    return dashboard.page(
        request,
        "coverage.html",
        title="Coverage",
        on=name,
        profiles=_choices(settings, name),
        error=error,
        found=found,
        figures=list(figures(found)) if found else [],
        picture=found and Markup(calendar(found, address=_address_on(name))),
        origin=found and origin_text(found),
        absent=absent_text(found) if found and found.absent else "",
        warnings=found.reading.warnings if found else (),
    )


def month(dashboard: Dashboard, request: Request) -> Response:
    """All loads of one month."""
    settings = dashboard.read_settings()
    name = profile_asked_for(settings, request)
    trip_file = month_asked_for(request)
    found = _covered(dashboard, name)
    tables = [each for each in found.tables if each.color == trip_file.color]
    table = request.query_params.get("table") or next((each.table for each in tables), "")
    covered = [
        each
        for one in tables
        if one.table == table
        for each in one.months
        if each.trip_file == trip_file
    ]
    if not covered:
        raise UnknownNameError("month", str(trip_file), ())
    versions = dashboard.asked(
        name, lambda: versions_of(name, trip_file, table), table, str(trip_file)
    )
    return dashboard.page(
        request,
        "month.html",
        title=str(trip_file),
        on=name,
        table=table,
        trip_file=trip_file,
        month=covered[0],
        tone=TONES.get(covered[0].state, "wait"),
        look=LOOKS[covered[0].state],
        reason=reason_text(covered[0]),
        versions=versions,
        tallies=[_tally(each) for each in versions],
        is_lake=isinstance(settings.profiles.get(name), LakeProfile),
        neighbours=_neighbours(tables, table, trip_file, name),
        quality=f"/coverage/{trip_file}/quality?{urlencode({'on': name, 'table': table})}",
        back=f"/coverage?{urlencode({'on': name})}",
    )


def month_asked_for(request: Request) -> TripFile:
    """The month in an address.

    Raises:
        UnknownNameError: it is none.
    """
    given = request.path_params["month"]
    parts = _MONTH.fullmatch(given)
    if parts is None:
        raise UnknownNameError("month", given, ())
    return TripFile(parts[1], int(parts[2]), int(parts[3]))


def profile_asked_for(settings: Settings, request: Request) -> str:
    """The profile that an address names, or the one that `ingest` loads into.

    Raises:
        UnknownNameError: it names none; an address of a database does not count, or a link could
            send the dashboard anywhere.
    """
    given = request.query_params.get("on", "")
    if not given:
        return profile_named()
    if given not in settings.profiles:
        raise UnknownNameError("profile", given, settings.profiles)
    return given


def _covered(dashboard: Dashboard, name: str) -> Coverage:
    reading = dashboard.asked(name, lambda: read_profile(name), "coverage")
    now = datetime.now().astimezone()
    return coverage_of(reading, MonthOptions().filter(now.date()), now, every_color=False)


def _choices(settings: Settings, name: str) -> Mapping[str, str]:
    """The warehouses and lakes there are, each with its type."""
    loaders = registry.names("loaders")

    def fits(profile: Profile) -> bool:
        return isinstance(profile, LakeProfile) or profile.type in loaders

    found = {each: profile.type for each, profile in settings.profiles.items() if fits(profile)}
    return dict(sorted(found.items())) if name in found else {name: "", **found}


def _address_on(name: str) -> Callable[[TableCoverage, CoveredMonth], str]:
    def address(table: TableCoverage, each: CoveredMonth) -> str:
        more = {} if table.is_usual else {"table": table.table}
        return f"/coverage/{each.trip_file}?{urlencode({'on': name} | more)}"

    return address


def _neighbours(
    tables: list[TableCoverage], name: str, trip_file: TripFile, on: str
) -> list[tuple[str, str] | None]:
    """The month before and the one after, each with its address."""
    (table,) = (each for each in tables if each.table == name)
    place = next(i for i, each in enumerate(table.months) if each.trip_file == trip_file)
    near = [table.months[i] if 0 <= i < len(table.months) else None for i in (place - 1, place + 1)]
    address = _address_on(on)
    return [(str(each.trip_file), address(table, each)) if each else None for each in near]


def _tally(version: Version) -> Tally | None:
    if version.rows is None or version.rows_read is None:
        return None
    return Tally(
        loads=1,
        read=version.rows_read,
        loaded=version.rows,
        dropped=version.rows_dropped,
        rejected=version.rows_rejected,
        nulled=version.values_nulled,
    )
