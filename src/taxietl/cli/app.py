"""The commands put together. Their modules import nothing heavy: `--help` loads them all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

import taxietl
from taxietl.cli import (
    cache,
    flows,
    generate,
    ingest,
    init,
    inspect,
    lake,
    limits,
    profiles,
    rejects,
    runs,
    schema,
    sql,
    upload,
    verify,
    zones,
)
from taxietl.cli import run as run_flow
from taxietl.cli.session import choose

_app = typer.Typer(
    name="taxietl",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 failed, 2 usage, 3 source, 4 data, 5 target, 75 try later.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"taxietl {taxietl.__version__}")
        raise typer.Exit


@_app.callback()
def _common(
    config: Annotated[
        Path | None, typer.Option(help="Configuration file, instead of ./taxietl.toml.")
    ] = None,
    home: Annotated[
        Path | None, typer.Option(help="Folder of history, cache and the default warehouse.")
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Any month of the NYC TLC taxi records into a warehouse, exactly once, with proof."""
    choose(config=config, home=home)


for module in (
    *(ingest, upload, lake, zones, verify, inspect, rejects, sql),
    *(run_flow, flows, runs, limits, cache),
    *(profiles, generate, schema, init),
):
    module.register(_app)


def run(arguments: Sequence[str]) -> Any:
    """Parse and carry out; raises what went wrong."""
    return typer.main.get_command(_app).main(
        list(arguments), prog_name="taxietl", standalone_mode=False
    )
