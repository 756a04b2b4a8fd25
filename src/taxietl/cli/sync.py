"""`taxietl sync`: load what is new or restated since last time."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxietl.cli import candidates
from taxietl.cli.commands import Commands
from taxietl.cli.options import (
    ConnectionsOption,
    DryRunOption,
    FailFastOption,
    MaxRejectsOption,
    MaxShrinkOption,
    NewColumnsOption,
    RenameOption,
    SourceOption,
    TableOption,
    WorkersOption,
)
from taxietl.cli.options import IngestTransformOption as TransformOption
from taxietl.cli.output import Output
from taxietl.cli.session import open_settings
from taxietl.tlc.column_rules import NewColumns
from taxietl.tlc.month_texts import parse_colors
from taxietl.tlc.selection import MonthOptions

if TYPE_CHECKING:
    from taxietl.flows.sync_options import SyncOptions
    from taxietl.flows.sync_report import SyncedMonth, SyncReport
    from taxietl.orchestrator import Run


def register(app: Commands) -> None:
    """Add the command."""
    app.add(sync)


def sync(
    out: Output,
    asked: MonthOptions,
    every: Annotated[
        bool, typer.Option("--all", help="Ask for every month that is loaded, too.")
    ] = False,
    source: SourceOption = None,
    to: Annotated[
        list[str] | None,
        typer.Option(
            help="Profile to load into, or a database URL; repeats: a warehouse, a lake, or both.",
            show_default="warehouse, or [ingest] to",
            autocompletion=candidates.profiles,
        ),
    ] = None,
    table: TableOption = None,
    transform: TransformOption = None,
    rename: RenameOption = None,
    new_columns: NewColumnsOption = NewColumns.ADD,
    max_rejects: MaxRejectsOption = None,
    max_shrink: MaxShrinkOption = None,
    connections: ConnectionsOption = 1,
    workers: WorkersOption = 2,
    fail_fast: FailFastOption = False,
    dry_run: DryRunOption = False,
) -> int:
    """Ask what is published, and load what is new or restated; nothing new is no failure."""
    today = date.today()
    since, only = asked.to_sync(today)
    open_settings()
    from taxietl.flows.sync_options import SyncOptions

    options = SyncOptions.configured(
        parse_colors(asked.color),
        to=to or (),
        since=since,
        every=every,
        only=only,
        source=source,
        table=table,
        transforms=tuple(transform) if transform else None,
        renames=tuple(rename or ()),
        new_columns=new_columns,
        max_rejects=max_rejects,
        max_shrink=max_shrink,
        connections=connections,
    )
    options.check(today)
    if dry_run:
        from taxietl.flows.sync import foresee

        return _show(out, foresee(options, today), None)
    return _sync(out, options, today, workers=workers, fail_fast=fail_fast)


def _sync(out: Output, options: SyncOptions, today: date, **how: Any) -> int:
    from taxietl.cli.month_progress import months_shown
    from taxietl.flows import sync as flows
    from taxietl.flows.progress import watched_by
    from taxietl.flows.sync_report import SyncFailedError
    from taxietl.runtime import open_engine

    with months_shown(out) as shown, watched_by(shown):
        run = open_engine().run(flows.sync, options, today, **how)
    try:
        report = run.result()
    except SyncFailedError as error:
        report = error.report
    return _show(out, report, run)


def _show(out: Output, report: SyncReport, run: Run[Any] | None) -> int:
    about = {"id": run.id, "name": run.name, "state": run.state.name} if run else None
    document = {
        "run": about,
        "months": [_document(each) for each in report.months],
        "asked": report.asked,
        "exit_code": report.exit_code,
    }
    out.result(document, str(report))
    return report.exit_code


def _document(month: SyncedMonth) -> dict[str, Any]:
    trip_file = month.trip_file
    return {
        "trip_file": str(trip_file),
        "color": trip_file.color,
        "year": trip_file.year,
        "month": trip_file.month,
        "to": month.to,
        "class": month.month_class,
        "action": month.action,
        "reason": month.reason,
        "rows_before": month.rows_before,
        "rows_after": month.rows_after,
        "rows_difference": month.rows_difference,
        "run_name": month.run_name,
        "error": month.error,
        "warnings": month.warnings,
    }
