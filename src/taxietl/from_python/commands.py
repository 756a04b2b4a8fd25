"""`taxietl.ingest(…)`, `taxietl.upload(…)` and `taxietl.sync(…)`: the commands of these names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from taxietl.errors import ConfigError
from taxietl.flows.months import SIDE_BY_SIDE, WORKERS
from taxietl.from_python.calling import at_the_prompt, carried_out, ended_months_told
from taxietl.from_python.reports import Reports
from taxietl.from_python.selection import (
    Colors,
    Month,
    colors_asked_for,
    months_asked_for,
    months_to_sync,
    several,
)
from taxietl.tlc.column_rules import NewColumns

if TYPE_CHECKING:
    from taxietl.flows.sync_report import SyncReport
    from taxietl.flows.upload import UploadReport
    from taxietl.steps.values import LoadReport


@at_the_prompt
def ingest(
    color: Colors,
    month: Month | Iterable[Month] | None = None,
    *,
    since: Month | None = None,
    until: Month | None = None,
    source: str | Path | None = None,
    to: str | None = None,
    table: str | None = None,
    transforms: str | Iterable[str] | None = None,
    renames: Iterable[str] = (),
    new_columns: str = NewColumns.ADD,
    max_rejects: int | None = None,
    max_shrink: float | None = None,
    connections: int = 1,
    force: bool = False,
    workers: int = WORKERS,
    fail_fast: bool = False,
) -> Reports[LoadReport]:
    """Load months of trips into a warehouse: each whole or not at all, and only once.

    Args:
        color: `"yellow"`, `"green"`, `"fhv"` or `"fhvhv"`, a list of them, or `"all"`.
        month: `"2021-01"`, or a list; dates and pandas Periods do as well.
        since: the first month, in the place of `month`.
        until: the last; left out, the latest that can be published.
        source: where the files come from: `"tlc"`, `"mirror"`, `"synthetic"`, a lake profile, a
            folder, a file or a URL; left out, `[ingest] source` of the configuration, or `"tlc"`.
        to: the profile to load into, or a database URL; left out, `[ingest] to`, or
            `"warehouse"`, which is a DuckDB file unless the configuration says otherwise.
        table: in the place of the colour's own, `yellow_trips`.
        transforms: the rules to apply; `"none"` for none. Left out, `[ingest] transforms`, or
            `"drop-zero-passengers"` for yellow and green.
        renames: `"old=new"` for a column of the file under another name than expected.
        new_columns: what to do with columns that no era has: `"add"`, `"ignore"` or `"fail"`.
        max_rejects: skip up to this many lines that cannot be read as trips.
        max_shrink: the share of its rows that a month may lose when it is replaced, 0 to 1.
        connections: load over this many at once (PostgreSQL).
        force: load even if nothing changed, or from another source.
        workers: months under way at a time.
        fail_fast: begin no other month once one has failed.

    Returns:
        A report a month; its `action` is `loaded`, `replaced` or `nothing to do`.

    Raises:
        TaxietlError: the only month failed.
        MonthsFailedError: at least one of several; `results` tells what became of each.
        KeyboardInterrupt: it was interrupted; months under way are as they were before.
    """
    months = months_asked_for(color, month, since=since, until=until, today=date.today())
    from taxietl.flows import ingest as flows

    options = flows.IngestOptions.configured(
        source=None if source is None else str(source),
        to=to,
        table=table,
        transforms=transforms,
        renames=tuple(map(str, several(renames))),
        new_columns=_new_columns(new_columns),
        max_rejects=max_rejects,
        max_shrink=max_shrink,
        force=force,
        connections=connections,
    )
    flows.check(options, months)
    return carried_out(
        months,
        options,
        one=flows.ingest,
        many=flows.ingest_months,
        workers=workers,
        fail_fast=fail_fast,
    )


@at_the_prompt
def upload(
    color: Colors,
    month: Month | Iterable[Month] | None = None,
    *,
    since: Month | None = None,
    until: Month | None = None,
    source: str | Path | None = None,
    to: str | None = None,
    transforms: str | Iterable[str] | None = None,
    raw: bool = False,
    keep_local: str | Path | None = None,
    max_rejects: int | None = None,
    max_shrink: float | None = None,
    force: bool = False,
    workers: int = SIDE_BY_SIDE,
    fail_fast: bool = False,
) -> Reports[UploadReport]:
    """Upload months of trips to the lake as Parquet: each whole or not at all, and only once.

    Args:
        color: `"yellow"`, `"green"`, `"fhv"` or `"fhvhv"`, a list of them, or `"all"`.
        month: `"2021-01"`, or a list; dates and pandas Periods do as well.
        since: the first month, in the place of `month`.
        until: the last; left out, the latest that can be published.
        source: where the files come from, as for `ingest`.
        to: the profile of the lake; left out, `"lake"`.
        transforms: the rules to apply; left out, none.
        raw: upload the published file as it is.
        keep_local: also keep the uploaded files in this folder.
        max_rejects: skip up to this many lines that cannot be read as trips.
        max_shrink: the share of its rows that a month may lose when it is replaced, 0 to 1.
        force: upload even if nothing changed, or from another source.
        workers: months under way at a time.
        fail_fast: begin no other month once one has failed.

    Returns:
        A report a month; its `action` is `uploaded`, `replaced` or `nothing to do`.

    Raises:
        TaxietlError: the only month failed.
        MonthsFailedError: at least one of several; `results` tells what became of each.
        KeyboardInterrupt: it was interrupted; months under way are as they were before.
    """
    months = months_asked_for(color, month, since=since, until=until, today=date.today())
    from taxietl.flows import upload as flows
    from taxietl.flows.upload_plan import UploadOptions

    options = UploadOptions.configured(
        source=None if source is None else str(source),
        to=to,
        transforms=transforms,
        raw=raw,
        keep_local=Path(keep_local).expanduser().absolute() if keep_local else None,
        max_rejects=max_rejects,
        max_shrink=max_shrink,
        force=force,
    )
    flows.check(options, months)
    return carried_out(
        months,
        options,
        one=flows.upload_month,
        many=flows.upload_months,
        workers=workers,
        fail_fast=fail_fast,
    )


@at_the_prompt
def sync(
    color: Colors,
    month: Month | Iterable[Month] | None = None,
    *,
    since: Month | None = None,
    until: Month | None = None,
    every: bool = False,
    source: str | Path | None = None,
    to: str | Iterable[str] = (),
    table: str | None = None,
    transforms: str | Iterable[str] | None = None,
    renames: Iterable[str] = (),
    new_columns: str = NewColumns.ADD,
    max_rejects: int | None = None,
    max_shrink: float | None = None,
    connections: int = 1,
    workers: int = WORKERS,
    fail_fast: bool = False,
) -> SyncReport:
    """Ask what is published, and load what is new or restated; nothing new is no failure.

    Args:
        color: `"yellow"`, `"green"`, `"fhv"` or `"fhvhv"`, a list of them, or `"all"`.
        month: ask for just these months: `"2021-01"`, or a list.
        since: ask for every month from this one on, too.
        until: ask for just the months from `since`, or from the first, to this one.
        every: ask for every month that is loaded, too.
        to: the profile to load into, or a database URL; or two of them, a warehouse and a lake.
        source, table, transforms, renames, new_columns, max_rejects, max_shrink, connections:
            as for `ingest`.
        workers: months under way at a time.
        fail_fast: begin no other month once one has failed.

    Returns:
        What became of each month, in its `months`; printed, it says what the command says.

    Raises:
        SyncFailedError: some months could not be asked for or loaded; `report` tells which.
        TaxietlError: nothing could be begun.
        KeyboardInterrupt: it was interrupted; months under way are as they were before.
    """
    today = date.today()
    first, only = months_to_sync(color, month, since=since, until=until, today=today)
    from taxietl.flows import sync as flows
    from taxietl.flows.sync_options import SyncOptions

    options = SyncOptions.configured(
        colors_asked_for(color),
        to=tuple(map(str, several(to))),
        since=first,
        every=every,
        only=only,
        source=None if source is None else str(source),
        table=table,
        transforms=transforms,
        renames=tuple(map(str, several(renames))),
        new_columns=_new_columns(new_columns),
        max_rejects=max_rejects,
        max_shrink=max_shrink,
        connections=connections,
    )
    options.check(today)
    with ended_months_told():
        return flows.sync(options, today, workers=workers, fail_fast=fail_fast)


def _new_columns(given: str) -> NewColumns:
    try:
        return NewColumns(given)
    except ValueError:
        known = ", ".join(NewColumns)
        raise ConfigError(f"new_columns is {given!r}.", hint=f"Known: {known}.") from None
