"""`taxietl generate`: make synthetic TLC files."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from taxietl.cli.commands import Commands
from taxietl.cli.month_files import files_of
from taxietl.cli.output import Output
from taxietl.cli.progress import progress_shown
from taxietl.tlc.selection import MonthOptions


def register(app: Commands) -> None:
    """Add the command."""
    app.add(generate)


def generate(
    out: Output,
    asked: MonthOptions,
    out_file: Annotated[
        Path,
        typer.Option(
            "--out",
            help="File to write: .csv, .csv.gz or .parquet; for several months with {color}, "
            "{year} and {month:02d} in its name.",
        ),
    ],
    rows: Annotated[
        int | None,
        typer.Option(help="Number of rows.", show_default="as many as January 2021 had"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Random seed; another makes other trips.")] = 2021,
) -> None:
    """Make synthetic trip files with the TLC's columns, types and quirks."""
    months = asked.trip_files(date.today())
    files = files_of(months, out_file, "--out")
    from taxietl.extract.synthetic import write
    from taxietl.flows.progress import Doing, told, watched_by

    made = []
    for each, path in files.items():
        with (
            progress_shown(out) as shown,
            watched_by(shown),
            told(each, Doing.GENERATING) as progress,
        ):
            month = (each.color, each.year, each.month)
            written = write(path, *month, rows=rows, seed=seed, progress=progress)
        made.append(
            {
                "trip_file": str(each),
                "path": str(path),
                "rows": written,
                "bytes": path.stat().st_size,
                "seed": seed,
            }
        )
    text = "\n".join(
        f"{each['path']}: {each['rows']:,} rows, {each['bytes']:,} bytes of synthetic "
        f"{each['trip_file']}"
        for each in made
    )
    out.result(made[0] if len(made) == 1 else {"files": made}, text)
