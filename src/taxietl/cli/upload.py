"""`taxietl upload-gcs`: bring months of trips into the lake."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxietl.cli.options import ColorOption, MonthsOption, YearOption
from taxietl.cli.output import Output, describe_error, with_output
from taxietl.cli.progress import progress_line
from taxietl.cli.session import open_settings
from taxietl.errors import RefusedLoadError, TaxietlError, worst_exit_code

if TYPE_CHECKING:
    from taxietl.flows.months import MonthResult
    from taxietl.flows.upload import UploadReport
    from taxietl.flows.upload_plan import UploadOptions
    from taxietl.orchestrator import Run
    from taxietl.tlc.trip_file import TripFile


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("upload-gcs")(with_output(upload_gcs))


def upload_gcs(
    out: Output,
    color: ColorOption,
    year: YearOption,
    month: MonthsOption,
    source: Annotated[
        str | None, typer.Option(help="Where files come from, as for ingest.")
    ] = None,
    to: Annotated[str, typer.Option(help="Profile of the lake: gcs or folder.")] = "lake",
    transform: Annotated[
        list[str] | None, typer.Option(help="Rule to apply; repeats. Default none.")
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Copy the published bytes.")] = False,
    keep_local: Annotated[
        Path | None, typer.Option(help="Keep the uploaded files in this folder, too.")
    ] = None,
    max_rejects: Annotated[
        int | None, typer.Option(min=0, help="Unreadable lines to leave out, at most. Default 0.")
    ] = None,
    max_shrink: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Share of rows a replaced month may lose. Default 0.05."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Upload even if nothing changed.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
) -> int:
    """Bring months of trips into the lake as Parquet: each whole or not at all, and only once."""
    from taxietl.tlc.trip_file import parse_months, trip_file

    months = [trip_file(color, year, each) for each in parse_months(month)]
    defaults = open_settings().ingest
    from taxietl.flows.upload import check
    from taxietl.flows.upload_plan import UploadOptions

    options = UploadOptions(
        source=source or defaults.source,
        to=to,
        transforms=() if transform in (None, ["none"]) else tuple(transform or ()),
        raw=raw,
        keep_local=keep_local.expanduser().absolute() if keep_local else None,
        max_rejects=defaults.max_rejects if max_rejects is None else max_rejects,
        max_shrink=defaults.max_shrink if max_shrink is None else max_shrink,
        force=force,
    )
    check(options)
    return _preview(out, months, options) if dry_run else _upload(out, months, options)


def _upload(out: Output, months: list[TripFile], options: UploadOptions) -> int:
    from taxietl.flows import upload as flows
    from taxietl.flows.months import MonthResult, MonthsFailedError
    from taxietl.flows.progress import watched_by
    from taxietl.orchestrator import configure_logging
    from taxietl.runtime import open_engine

    configure_logging(out.log_level)
    engine = open_engine()
    run: Run[Any]
    results: tuple[MonthResult[UploadReport], ...]
    with watched_by(progress_line(out)):
        if len(months) == 1:
            run = engine.run(flows.upload_month, months[0], options)
        else:
            run = engine.run(flows.upload_months, tuple(months), options)
    if len(months) == 1:
        results = (MonthResult(months[0], report=run.result()),)
    else:
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


def _month(result: MonthResult[UploadReport]) -> dict[str, Any]:
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
        "link": report.link,
        "manifest": report.manifest,
        "kept_at": report.kept_at,
        "is_healed": report.is_healed,
        "replaced_generation": report.replaced_generation,
        "object": {**report.version.document(), "form": str(report.version.facts.form)},
    }
    return named | told | {"error": None}


def _as_text(result: MonthResult[UploadReport]) -> str:
    if result.report is None:
        error = result.error
        return f"{result.trip_file}  failed: {error.message}\n  {error.hint}" if error else ""
    report = result.report
    facts = report.version.facts
    head = f"{result.trip_file}  {report.action}"
    lines = [f"{head}: {report.reason}"]
    if report.action != "nothing to do":
        rows = "published bytes" if facts.rows is None else f"{facts.rows:,} rows"
        lines = [f"{head}: {rows}, {facts.size_bytes:,} bytes"]
        lines += _remarks(report)
    lines += [f"  {each}" for each in (report.uri, report.link, report.kept_at) if each]
    return "\n".join(lines)


def _remarks(report: UploadReport) -> list[str]:
    """What a reader of the counts should know beside them."""
    facts = report.version.facts
    remarks = [
        f"  {count:,} rows left out by {name}"
        for name, count in facts.rows_dropped.items()
        if count
    ]
    if facts.rows_rejected:
        remarks.append(f"  {facts.rows_rejected:,} lines could not be taken apart")
    if facts.values_nulled:
        cells = ", ".join(f"{count:,} of {name}" for name, count in facts.values_nulled.items())
        remarks.append(f"  unreadable cells written as null: {cells}")
    if facts.columns_left_out:
        remarks.append(
            f"  columns that no era knows, left out: {', '.join(facts.columns_left_out)}"
        )
    if report.action == "replaced":
        remarks.append(f"  replaced generation {report.replaced_generation}: {report.reason}")
    return remarks


def _preview(out: Output, months: list[TripFile], options: UploadOptions) -> int:
    """Print what would be done with each month."""
    from taxietl.flows.upload import preview

    plans: list[dict[str, Any]] = []
    for each in months:
        plan: dict[str, Any] = {"trip_file": str(each)}
        try:
            planned = preview(each, options)
            action = {"load": "upload", "nothing": "nothing to do"}.get(
                planned.action, planned.action
            )
            plan |= {"action": action, "reason": planned.reason, "error": None}
            plan |= {"url": planned.version.url, "key": planned.key}
        except TaxietlError as error:
            action = "refuse" if isinstance(error, RefusedLoadError) else "failed"
            plan |= {"action": action, "reason": error.message, "error": describe_error(error)}
            plan |= {"url": None, "key": None}
        plans.append(plan)
    code = worst_exit_code(plan["error"]["exit_code"] if plan["error"] else 0 for plan in plans)
    text = "\n".join(f"{plan['trip_file']}  {plan['action']}: {plan['reason']}" for plan in plans)
    out.result({"plans": plans, "exit_code": code}, text)
    return code
