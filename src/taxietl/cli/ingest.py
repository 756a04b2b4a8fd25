"""`taxietl ingest`: load months of trips into a warehouse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxietl.cli.commands import Commands
from taxietl.cli.months import ManyAtOnce, carry_out, foresee, warning_lines
from taxietl.cli.options import (
    ConnectionsOption,
    DryRunOption,
    FailFastOption,
    IngestTransformOption,
    MaxRejectsOption,
    MaxShrinkOption,
    NewColumnsOption,
    RenameOption,
    SourceOption,
    TableOption,
    ToWarehouseOption,
    WorkersOption,
)
from taxietl.cli.output import Output
from taxietl.cli.session import open_settings
from taxietl.tlc.column_rules import NewColumns
from taxietl.tlc.selection import MonthOptions

if TYPE_CHECKING:
    from taxietl.flows.ingest import IngestOptions
    from taxietl.steps.values import LoadReport
    from taxietl.tlc.trip_file import TripFile


def register(app: Commands) -> None:
    """Add the command."""
    app.add(ingest)


def ingest(
    out: Output,
    asked: MonthOptions,
    source: SourceOption = None,
    to: ToWarehouseOption = None,
    table: TableOption = None,
    transform: IngestTransformOption = None,
    rename: RenameOption = None,
    new_columns: NewColumnsOption = NewColumns.ADD,
    max_rejects: MaxRejectsOption = None,
    max_shrink: MaxShrinkOption = None,
    connections: ConnectionsOption = 1,
    force: Annotated[
        bool,
        typer.Option("--force", help="Load even if nothing changed, or from another source."),
    ] = False,
    workers: WorkersOption = 2,
    fail_fast: FailFastOption = False,
    dry_run: DryRunOption = False,
) -> int:
    """Load months of trips into a warehouse: each whole or not at all, and only once."""
    months = asked.trip_files(date.today())
    open_settings()
    from taxietl.flows.ingest import IngestOptions, check

    options = IngestOptions.configured(
        source=source,
        to=to,
        table=table,
        transforms=tuple(transform) if transform else None,
        renames=tuple(rename or ()),
        new_columns=new_columns,
        max_rejects=max_rejects,
        max_shrink=max_shrink,
        force=force,
        connections=connections,
    )
    check(options, months)
    how = ManyAtOnce(workers, fail_fast)
    return (_preview if dry_run else _ingest)(out, months, options, how)


def _ingest(out: Output, months: list[TripFile], options: IngestOptions, how: ManyAtOnce) -> int:
    from taxietl.flows import ingest as flows

    return carry_out(
        out,
        months,
        options,
        one=flows.ingest,
        many=flows.ingest_months,
        text=_as_text,
        how=how,
    )


def _as_text(report: LoadReport) -> str:
    head = f"{report.trip_file}  {report.action}"
    if report.action == "nothing to do":
        lines = [f"{head}: {report.reason}", f"  in table {report.table} of {report.target}"]
        return "\n".join([*lines, *warning_lines(report.warnings)])
    lines = [
        f"{head}: {report.rows_loaded:,} rows in table {report.table} of {report.target}",
        f"  {report.rows_read:,} read = {report.rows_loaded:,} loaded + "
        f"{sum(report.rows_dropped.values()):,} dropped + {report.rows_rejected:,} rejected",
        *_remarks(report),
        *warning_lines(report.warnings),
        f"  run {report.run_name!r}",
    ]
    return "\n".join(lines)


def _remarks(report: LoadReport) -> list[str]:
    """What a reader of the counts should know beside them."""
    remarks = [
        f"  {count:,} rows left out by {name}; --transform none keeps them"
        for name, count in report.rows_dropped.items()
        if count
    ]
    if report.values_nulled or report.rows_rejected:
        remarks.append("  `taxietl rejects ls` lists the lines and cells that could not be read")
    if report.replaced and report.action == "replaced":
        before = report.replaced
        remarks.append(
            f"  replaced {before.rows_loaded:,} rows of run {before.run_name!r}: {report.reason}"
        )
    return remarks


def _preview(out: Output, months: list[TripFile], options: IngestOptions, how: ManyAtOnce) -> int:
    """Print what would be done with each month."""
    from taxietl.flows.ingest import ingest as one
    from taxietl.flows.preview import preview

    of_contents = ("rows", "columns", "era")

    def look(trip_file: TripFile) -> dict[str, Any]:
        seen = preview(trip_file, options)
        planned, contents = seen.planned, seen.contents
        return {
            "action": "nothing to do" if planned.action == "nothing" else planned.action,
            "reason": planned.reason,
            "url": planned.version.url,
            "bytes": planned.version.size_bytes,
            "warnings": planned.version.warnings,
            **(vars(contents) if contents else dict.fromkeys(of_contents)),
        }

    unseen = ("url", "bytes", *of_contents)
    return foresee(
        out,
        months,
        look,
        unseen=unseen,
        flow=one,
        workers=how.workers,
        text=_contents,
    )


def _contents(plan: Mapping[str, Any]) -> Iterator[str]:
    """What the file holds, and how large it is."""
    if plan["rows"] is not None:
        yield f"  {plan['rows']:,} rows, {len(plan['columns'])} columns of {plan['era']}"
    if plan["url"] is not None and plan["action"] != "nothing to do":
        size = "of a size not told" if plan["bytes"] is None else f"{plan['bytes']:,} bytes"
        yield f"  {size} at {plan['url']}"
