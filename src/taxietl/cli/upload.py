"""`taxietl upload-gcs`: upload months of trips to the lake."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxietl.cli import candidates
from taxietl.cli.commands import Commands
from taxietl.cli.months import ManyAtOnce, carry_out, foresee, warning_lines
from taxietl.cli.options import (
    DryRunOption,
    FailFastOption,
    MaxRejectsOption,
    MaxShrinkOption,
    SourceOption,
    UploadTransformOption,
    WorkersOption,
)
from taxietl.cli.output import Output
from taxietl.cli.session import open_settings
from taxietl.tlc.selection import MonthOptions

if TYPE_CHECKING:
    from taxietl.flows.upload import UploadReport
    from taxietl.flows.upload_plan import UploadOptions
    from taxietl.tlc.trip_file import TripFile


def register(app: Commands) -> None:
    """Add the command."""
    app.add(upload_gcs)


def upload_gcs(
    out: Output,
    asked: MonthOptions,
    source: SourceOption = None,
    to: Annotated[
        str,
        typer.Option(
            help="Profile of the lake to upload to.",
            autocompletion=candidates.profiles,
        ),
    ] = "lake",
    transform: UploadTransformOption = None,
    raw: Annotated[bool, typer.Option("--raw", help="Upload the published file as it is.")] = False,
    keep_local: Annotated[
        Path | None, typer.Option(help="Also keep the uploaded files in this folder.")
    ] = None,
    max_rejects: MaxRejectsOption = None,
    max_shrink: MaxShrinkOption = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Upload even if nothing changed, or from another source."),
    ] = False,
    workers: WorkersOption = 4,
    fail_fast: FailFastOption = False,
    dry_run: DryRunOption = False,
) -> int:
    """Upload months of trips to the lake as Parquet: each whole or not at all, and only once."""
    months = asked.trip_files(date.today())
    open_settings()
    from taxietl.flows.upload import check
    from taxietl.flows.upload_plan import UploadOptions

    options = UploadOptions.configured(
        source=source,
        to=to,
        transforms=tuple(transform) if transform else None,
        raw=raw,
        keep_local=keep_local.expanduser().absolute() if keep_local else None,
        max_rejects=max_rejects,
        max_shrink=max_shrink,
        force=force,
    )
    check(options, months)
    how = ManyAtOnce(workers, fail_fast)
    return (_preview if dry_run else _upload)(out, months, options, how)


def _upload(out: Output, months: list[TripFile], options: UploadOptions, how: ManyAtOnce) -> int:
    from taxietl.flows import upload as flows

    return carry_out(
        out,
        months,
        options,
        one=flows.upload_month,
        many=flows.upload_months,
        text=_as_text,
        how=how,
        document=_document,
    )


def _document(report: UploadReport) -> dict[str, Any]:
    return {
        "action": report.action,
        "reason": report.reason,
        "uri": report.uri,
        "link": report.link,
        "manifest": report.manifest,
        "kept_at": report.kept_at,
        "is_healed": report.is_healed,
        "replaced_generation": report.replaced_generation,
        "warnings": report.warnings,
        "object": {**report.version.document(), "form": str(report.version.facts.form)},
    }


def _as_text(report: UploadReport) -> str:
    facts = report.version.facts
    head = f"{report.trip_file}  {report.action}"
    lines = [f"{head}: {report.reason}"]
    if report.action != "nothing to do":
        rows = "published bytes" if facts.rows is None else f"{facts.rows:,} rows"
        lines = [f"{head}: {rows}, {facts.size_bytes:,} bytes"]
        lines += _remarks(report)
    lines += warning_lines(report.warnings)
    if report.action != "nothing to do":
        lines.append(f"  run {facts.run_name!r}")
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
        remarks.append(f"  {facts.rows_rejected:,} lines could not be parsed")
    if report.action == "replaced":
        remarks.append(f"  replaced generation {report.replaced_generation}: {report.reason}")
    return remarks


def _preview(out: Output, months: list[TripFile], options: UploadOptions, how: ManyAtOnce) -> int:
    """Print what would be done with each month."""
    from taxietl.flows.upload import preview, upload_month

    def look(trip_file: TripFile) -> dict[str, Any]:
        planned = preview(trip_file, options)
        actions = {"load": "upload", "nothing": "nothing to do"}
        return {
            "action": actions.get(planned.action, planned.action),
            "reason": planned.reason,
            "url": planned.version.url,
            "bytes": planned.version.size_bytes,
            "key": planned.goes_to.key,
            "warnings": planned.version.warnings,
        }

    return foresee(
        out,
        months,
        look,
        unseen=("url", "bytes", "key"),
        flow=upload_month,
        workers=how.workers,
    )
