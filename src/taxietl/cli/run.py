"""`taxietl run`: run a flow of the user's own."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import typer

from taxietl.cli.commands import Command, Commands
from taxietl.cli.output import Output, without_secrets
from taxietl.cli.session import open_settings
from taxietl.cli.state_colors import marked
from taxietl.cli.tables import table
from taxietl.masking import masked
from taxietl.terminal import visible

_GIVEN = "taxietl.run.arguments"


class _RunCommand(Command):
    """`run`, whose help also describes the flow that is named beside `--help`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[_GIVEN] = list(args)  # --help is served before the target is
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        super().format_help(ctx, formatter)
        given, _, _ = self.make_parser(ctx).parse_args(ctx.meta.get(_GIVEN, []))
        if target := given.get("target"):
            typer.echo(visible(masked(_help(str(target)))))


def register(app: Commands) -> None:
    """Add the command."""
    app.add(run, cls=_RunCommand)


def run(
    out: Output,
    target: Annotated[
        str,
        typer.Argument(
            metavar="FILE_OR_MODULE:FLOW",
            help="flows.py:etl or package.module:etl; with --help, lists its parameters.",
        ),
    ],
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            "-p",
            metavar="NAME=VALUE",
            help="A parameter of the flow; JSON, or text as it is; repeats.",
        ),
    ] = None,
) -> None:
    """Run a flow of your own, with history, states and retries."""
    open_settings()
    from taxietl.cli.parameters import read_parameters
    from taxietl.orchestrator.define.entry import load_flow
    from taxietl.runtime import open_engine

    out.log_to_stderr()
    flow = load_flow(target)
    args, kwargs = read_parameters(flow, parameter or [])
    done = open_engine().run(flow, *args, **kwargs)
    result = done.result()
    document = {
        "run": {"id": done.id, "name": done.name, "state": done.state.name},
        "result": without_secrets(result),
    }
    out.result(document, f"{done.name}  {marked(str(done.state))}")


def _help(target: str) -> str:
    """What a flow does, and its parameters."""
    open_settings()  # its module may ask for a profile
    from taxietl.cli.parameters import describe_parameters
    from taxietl.orchestrator.define.entry import load_flow

    flow = load_flow(target)
    lines = [f" Flow {flow.name!r} of {target}", ""]
    if says := inspect.getdoc(flow.function):
        lines += [*(f"   {line}".rstrip() for line in says.splitlines()), ""]
    described = describe_parameters(flow)
    if not described:
        return "\n".join([*lines, " It has no parameters.", ""])
    rows = [each | {"-p": f"{each['name']}=…"} for each in described]
    headings = ["-p", "type", "default"]
    if any(each["values"] for each in rows):
        headings.insert(2, "values")
    lines += [f" {line}" for line in table(headings, rows).splitlines()]
    return "\n".join([*lines, ""])
