"""`taxietl generate`: make a synthetic TLC file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from taxietl.cli.commands import Commands
from taxietl.cli.options import ColorOption, MonthOption, YearOption
from taxietl.cli.output import Output


def register(app: Commands) -> None:
    """Add the command."""
    app.add(generate)


def generate(
    out: Output,
    color: ColorOption,
    year: YearOption,
    month: MonthOption,
    out_file: Annotated[
        Path, typer.Option("--out", help="File to write: .csv, .csv.gz or .parquet.")
    ],
    rows: Annotated[
        int | None,
        typer.Option(help="Number of rows.", show_default="as many as January 2021 had"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Random seed; another makes other trips.")] = 2021,
) -> None:
    """Make a synthetic trip file with the TLC's columns, types and quirks."""
    from taxietl.extract.synthetic import write
    from taxietl.tlc.trip_file import trip_file

    made = trip_file(color, year, month)
    written = write(out_file, color, year, month, rows=rows, seed=seed)
    size = out_file.stat().st_size
    out.result(
        {
            "trip_file": str(made),
            "path": str(out_file),
            "rows": written,
            "bytes": size,
            "seed": seed,
        },
        f"{out_file}: {written:,} rows, {size:,} bytes of synthetic {made}",
    )
