"""`taxietl load-bq`: load months of trips from the lake into BigQuery."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxietl.cli import candidates
from taxietl.cli.commands import Commands
from taxietl.cli.months import ManyAtOnce, carry_out, foresee, warning_lines
from taxietl.cli.options import DryRunOption, FailFastOption, WorkersOption
from taxietl.cli.output import Output
from taxietl.cli.session import open_settings
from taxietl.tlc.selection import MonthOptions

if TYPE_CHECKING:
    from taxietl.flows.load_bq import BigQueryOptions, BigQueryReport
    from taxietl.tlc.trip_file import TripFile


def register(app: Commands) -> None:
    """Add the command."""
    app.add(load_bq)


def load_bq(
    out: Output,
    asked: MonthOptions,
    lake: Annotated[
        str,
        typer.Option(
            "--source",
            help="Profile of the lake, of type gcs.",
            autocompletion=candidates.profiles,
        ),
    ] = "lake",
    to: Annotated[
        str,
        typer.Option(
            help="Profile to load into, of type bigquery.",
            autocompletion=candidates.profiles,
        ),
    ] = "bigquery",
    force: Annotated[bool, typer.Option("--force", help="Load even if nothing changed.")] = False,
    workers: WorkersOption = 4,
    fail_fast: FailFastOption = False,
    dry_run: DryRunOption = False,
) -> int:
    """Load months of trips from the lake into BigQuery: each whole or not at all, and only once."""
    months = asked.trip_files(date.today())
    open_settings()
    from taxietl.flows.load_bq import BigQueryOptions, check

    options = BigQueryOptions(lake=lake, to=to, force=force)
    check(options)
    how = ManyAtOnce(workers, fail_fast)
    return (_preview if dry_run else _load)(out, months, options, how)


def _load(out: Output, months: list[TripFile], options: BigQueryOptions, how: ManyAtOnce) -> int:
    from taxietl.flows import load_bq as flows

    return carry_out(
        out,
        months,
        options,
        one=flows.load_month,
        many=flows.load_months,
        text=_as_text,
        how=how,
        document=_document,
    )


def _document(report: BigQueryReport) -> dict[str, Any]:
    return {
        "action": report.action,
        "reason": report.reason,
        "uri": report.uri,
        "generation": report.generation,
        "table": report.table,
        "partition": report.partition,
        "location": report.location,
        "job": report.job,
        "rows": report.rows,
        "rows_before": report.rows_before,
        "is_healed": report.is_healed,
        "run_name": report.run_name,
        "warnings": report.warnings,
    }


def _as_text(report: BigQueryReport) -> str:
    is_done = report.action == "nothing to do"
    what = report.reason if is_done else f"{report.rows:,} rows"
    lines = [f"{report.trip_file}  {report.action}: {what}"]
    if report.action == "replaced":
        lines.append(f"  replaced {report.rows_before:,} rows: {report.reason}")
    lines.append(f"  {report.table}, partition {report.partition}, in {report.location}")
    if not is_done:
        lines.append(f"  job {report.job}")
    lines += warning_lines(report.warnings)
    if not is_done:
        lines.append(f"  run {report.run_name!r}")
    return "\n".join(lines)


def _preview(out: Output, months: list[TripFile], options: BigQueryOptions, how: ManyAtOnce) -> int:
    """Print what would be done with each month."""
    from taxietl.flows.load_bq import load_month, preview

    def look(trip_file: TripFile) -> dict[str, Any]:
        planned = preview(trip_file, options)
        return {
            "action": "nothing to do" if planned.action == "nothing" else planned.action,
            "reason": planned.reason,
            "uri": planned.month.uri,
            "table": planned.target,
            "partition": planned.partition,
            "location": planned.location,
        }

    return foresee(
        out,
        months,
        look,
        unseen=("uri", "table", "partition", "location"),
        flow=load_month,
        workers=how.workers,
    )
