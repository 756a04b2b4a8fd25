"""`taxietl flows`: the flows that can be run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxietl.cli.commands import Commands
from taxietl.cli.output import Output
from taxietl.cli.session import open_settings
from taxietl.cli.stderr import warn
from taxietl.cli.tables import table

if TYPE_CHECKING:
    from taxietl.orchestrator.query.listing import ListedFlow, ListedParameter
    from taxietl.orchestrator.store.rows import RunRow

OURS = "taxietl.flows"


def register(app: Commands) -> None:
    """Add the command group."""
    group = Commands(name="flows", help="Flows that can be run.")
    group.add(ls)
    app.add_typer(group)


def ls(
    out: Output,
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH",
            help="Files, folders or modules.",
            show_default="this folder and taxietl's own flows",
        ),
    ] = None,
) -> None:
    """List flows with their parameters and last runs. Files are read, never run."""
    from taxietl.orchestrator import History
    from taxietl.orchestrator.query.listing import list_flows
    from taxietl.orchestrator.query.runs import last_of_each_flow

    listings = [list_flows(each) for each in paths or [".", OURS]]
    flows = list({each.target: each for found in listings for each in found.flows}.values())
    with History.opened(open_settings().home) as history:
        last_runs = _last_runs(flows, last_of_each_flow(history))
    skipped = [error for found in listings for error in found.skipped]
    for error in skipped:
        warn(error.message)
    if not flows:
        out.note("No flows there: decorate a function with taxietl's @flow.")
    document = {
        "flows": [_document(each, last_runs.get(each.target)) for each in flows],
        "skipped": [{"file": error.where, "message": error.message} for error in skipped],
    }
    headings = ["target", "name", "parameters", "last run", "at", "says"]
    out.result(
        document,
        table(
            headings,
            [_row(each, last_runs.get(each.target)) for each in flows],
            state="last run",
        ),
    )


def _last_runs(flows: list[ListedFlow], runs: list[RunRow]) -> dict[str, RunRow]:
    """The last run of each flow, by its target: of that name, and in no other file."""
    from taxietl.orchestrator.define.entry import EntryPoint

    found: dict[str, RunRow] = {}
    for run in runs:
        file = EntryPoint.from_json(run.entry).file if run.entry else None
        for flow in flows:
            is_there = file is None or Path(file).resolve() == Path(flow.file).resolve()
            if flow.name == run.flow and is_there:
                found[flow.target] = run
    return found


def _row(flow: ListedFlow, last: RunRow | None) -> dict[str, Any]:
    return {
        "target": flow.target,
        "name": flow.name,
        "parameters": ", ".join(_brief(each) for each in flow.parameters) or "-",
        "last run": last.state.name.value if last else "-",
        "at": f"{last.state.at.astimezone():%Y-%m-%d %H:%M:%S}" if last else "-",
        "says": flow.doc,
    }


def _brief(parameter: ListedParameter) -> str:
    is_optional = parameter.default is not None
    return f"{parameter.name}={parameter.default}" if is_optional else parameter.name


def _document(flow: ListedFlow, last: RunRow | None) -> dict[str, Any]:
    return {
        "name": flow.name,
        "target": flow.target,
        "file": flow.file,
        "line": flow.line,
        "doc": flow.doc,
        "parameters": [vars(each) for each in flow.parameters],
        "last_run": last
        and {
            "id": last.id,
            "name": last.name,
            "state": last.state.name.value,
            "at": last.state.at,
        },
    }
