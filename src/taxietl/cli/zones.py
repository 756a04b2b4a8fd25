"""`taxietl zones`: the zone lookup table, into a warehouse or a lake."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from taxietl.cli import candidates
from taxietl.cli.commands import Commands
from taxietl.cli.options import DryRunOption, ToWarehouseOption
from taxietl.cli.output import Output
from taxietl.cli.session import open_settings, profile_named

if TYPE_CHECKING:
    from taxietl.steps.zones import ZoneReport


def register(app: Commands) -> None:
    """Add the command."""
    app.add(zones)


def zones(
    out: Output,
    source: Annotated[
        str | None,
        typer.Option(
            help="Where the table comes from: tlc, mirror, a lake profile, a folder, a file or "
            "a URL.",
            show_default="tlc, or [ingest] source",
            autocompletion=candidates.sources,
        ),
    ] = None,
    to: ToWarehouseOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Load the table even if nothing changed.")
    ] = False,
    dry_run: DryRunOption = False,
) -> None:
    """Load the taxi zone lookup table (what each LocationID means) into a warehouse or a lake."""
    settings = open_settings()
    from taxietl.flows.zones import ingest_zones, preview_zones, zone_loader
    from taxietl.runtime import open_engine

    target = profile_named(to)
    zone_loader(target)  # a name that stands for nothing is told before a run begins
    chosen = source or settings.ingest.source
    if dry_run:
        plan = preview_zones(chosen, target, force)
        document = {"plan": asdict(plan), "exit_code": 0}
        out.result(document, f"{plan.table}  {plan.action}: {plan.reason}\n  {plan.source_url}")
        return
    out.log_to_stderr()
    run = open_engine().run(ingest_zones, chosen, target, force)
    report = run.result()
    zones = asdict(report)
    del zones["replaced"]  # told by an event of the run
    document = {
        "run": {"id": run.id, "name": run.name, "state": run.state.name},
        "zones": zones,
        "exit_code": 0,
    }
    out.result(document, _as_text(report))


def _as_text(report: ZoneReport) -> str:
    if report.action == "nothing to do":
        return f"{report.table}  nothing to do: {report.reason}"
    into = f"{report.rows_loaded:,} zones into {report.target}"
    return f"{report.table}  {report.action}: {into} ({report.reason})\n  run {report.run_name!r}"
