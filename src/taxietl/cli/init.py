"""`taxietl init`: write a commented configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from taxietl.cli.commands import Commands
from taxietl.cli.output import Output


def register(app: Commands) -> None:
    """Add the command."""
    app.add(init)


def init(
    out: Output,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="File to write.")] = Path(
        "taxietl.toml"
    ),
) -> None:
    """Write a configuration file with every setting, commented. Ingesting needs none."""
    from taxietl.config import write_example

    write_example(path)
    out.result(
        {"path": str(path)},
        f"{path}: every setting, commented. Ingesting into the embedded DuckDB needs none of them.",
    )
