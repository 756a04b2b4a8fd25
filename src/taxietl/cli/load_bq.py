"""`taxietl load-bq`: bring months of trips from the lake into BigQuery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxietl.cli.options import ColorOption, MonthsOption, YearOption
from taxietl.cli.output import Output, describe_error, with_output
from taxietl.cli.session import open_settings
from taxietl.errors import TaxietlError, worst_exit_code

if TYPE_CHECKING:
    from taxietl.flows.load_bq import BigQueryOptions, BigQueryReport
    from taxietl.flows.months import MonthResult
    from taxietl.orchestrator import Run
    from taxietl.tlc.trip_file import TripFile


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("load-bq")(with_output(load_bq))


def load_bq(
    out: Output,
    color: ColorOption,
    year: YearOption,
    month: MonthsOption,
    lake: Annotated[str, typer.Option("--from", help="Profile of the lake, of type gcs.")] = "lake",
    to: Annotated[str, typer.Option(help="Profile of the dataset.")] = "bigquery",
    force: Annotated[bool, typer.Option("--force", help="Load even if nothing changed.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
) -> int:
    """Bring months of trips from the lake into BigQuery: each whole or not at all, only once."""
    from taxietl.tlc.trip_file import parse_months, trip_file

    months = [trip_file(color, year, each) for each in parse_months(month)]
    open_settings()
    from taxietl.flows.load_bq import BigQueryOptions, check

    options = BigQueryOptions(lake=lake, to=to, force=force)
    check(options)
    return _preview(out, months, options) if dry_run else _load(out, months, options)


def _load(out: Output, months: list[TripFile], options: BigQueryOptions) -> int:
    from taxietl.flows import load_bq as flows
    from taxietl.flows.months import MonthResult, MonthsFailedError
    from taxietl.orchestrator import configure_logging
    from taxietl.runtime import open_engine

    configure_logging(out.log_level)
    engine = open_engine()
    run: Run[Any]
    results: tuple[MonthResult[BigQueryReport], ...]
    if len(months) == 1:
        run = engine.run(flows.load_month, months[0], options)
        results = (MonthResult(months[0], report=run.result()),)
    else:
        run = engine.run(flows.load_months, tuple(months), options)
        try:
            results = run.result()
        except MonthsFailedError as error:
            results = error.results
    code = worst_exit_code(each.error.exit_code if each.error else 0 for each in results)
    document = {
        "run": {"id": run.id, "name": run.name, "state": run.state.name},
        "months": [_month(each) for each in results],
        "exit_code": code,
    }
    out.result(document, "\n".join(_as_text(each) for each in results))
    return code


def _month(result: MonthResult[BigQueryReport]) -> dict[str, Any]:
    trip_file = result.trip_file
    named = {
        "trip_file": str(trip_file),
        "color": trip_file.color,
        "year": trip_file.year,
        "month": trip_file.month,
    }
    if result.report is None:
        return named | {"action": "failed", "error": result.error}
    report = result.report
    told = {
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
    }
    return named | told | {"error": None}


def _as_text(result: MonthResult[BigQueryReport]) -> str:
    if result.report is None:
        error = result.error
        return f"{result.trip_file}  failed: {error.message}\n  {error.hint}" if error else ""
    report = result.report
    is_done = report.action == "nothing to do"
    what = report.reason if is_done else f"{report.rows:,} rows"
    lines = [f"{result.trip_file}  {report.action}: {what}"]
    if report.action == "replaced":
        lines.append(f"  replaced {report.rows_before:,} rows: {report.reason}")
    lines.append(f"  {report.table}, partition {report.partition}, in {report.location}")
    if not is_done:
        lines.append(f"  job {report.job}")
    return "\n".join(lines)


def _preview(out: Output, months: list[TripFile], options: BigQueryOptions) -> int:
    """Print what would be done with each month."""
    from taxietl.flows.load_bq import preview

    plans: list[dict[str, Any]] = []
    for each in months:
        plan: dict[str, Any] = {"trip_file": str(each)}
        try:
            planned = preview(each, options)
            action = "nothing to do" if planned.action == "nothing" else planned.action
            plan |= {"action": action, "reason": planned.reason, "error": None}
            plan |= {"uri": planned.month.uri, "table": planned.target}
            plan |= {"partition": planned.partition, "location": planned.location}
        except TaxietlError as error:
            plan |= {"action": "failed", "reason": error.message, "error": describe_error(error)}
            plan |= {"uri": None, "table": None, "partition": None, "location": None}
        plans.append(plan)
    code = worst_exit_code(plan["error"]["exit_code"] if plan["error"] else 0 for plan in plans)
    text = "\n".join(f"{plan['trip_file']}  {plan['action']}: {plan['reason']}" for plan in plans)
    out.result({"plans": plans, "exit_code": code}, text)
    return code
