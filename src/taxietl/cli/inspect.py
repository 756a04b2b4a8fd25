"""`taxietl inspect`: the quality of a month, loaded or in a file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxietl.cli import candidates
from taxietl.cli.commands import Commands
from taxietl.cli.options import (
    AnyColorOption,
    AnyMonthOption,
    AnyYearOption,
    OnWarehouseOption,
    TableOption,
)
from taxietl.cli.output import Output
from taxietl.cli.session import open_settings, profile_named
from taxietl.errors import ConfigError, TargetError

if TYPE_CHECKING:
    from taxietl.flows.quality import Quality
    from taxietl.tlc.trip_file import TripFile


def register(app: Commands) -> None:
    """Add the command."""
    app.add(inspect)


def inspect(
    out: Output,
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="Trip file to inspect instead of a loaded month; a name like the TLC's says "
            "which month it is.",
        ),
    ] = None,
    color: AnyColorOption = None,
    year: AnyYearOption = None,
    month: AnyMonthOption = None,
    source: Annotated[
        str | None,
        typer.Option(
            help="Inspect the file of this source instead of the loaded month: a folder, a file "
            "or synthetic.",
            autocompletion=candidates.sources,
        ),
    ] = None,
    on: OnWarehouseOption = None,
    table: TableOption = None,
    html: Annotated[
        Path | None, typer.Option(help="Also write the report to this file, as a web page.")
    ] = None,
) -> None:
    """Report on the quality of a month: nulls, ranges, odd trips, duplicates. Changes nothing."""
    if file and source:
        raise ConfigError("A file and --source cannot be combined.", hint="Keep one of them.")
    asked = _trip_file(file or "", color, year, month)
    if (file or source) and (on or table):
        raise ConfigError(
            "--on and --table are for loaded months, and this inspects a file.",
            hint="Leave out either those or the file.",
        )
    if html is not None and not html.parent.is_dir():
        raise ConfigError(
            f"{html} cannot be written: there is no folder {html.parent}.",
            hint=f"Make it with `mkdir -p {html.parent}`, or name another file with --html.",
        )
    open_settings()
    from taxietl.flows.inspect import inspect_file, inspect_table
    from taxietl.flows.warehouse import loader

    if file or source:
        found = inspect_file(file or source or "", asked)
    else:
        warehouse = loader(profile_named(on))
        found = inspect_table(warehouse, asked, table or asked.dataset.table)
    if html is not None:
        _write(html, found)
        out.note(f"wrote {html}")
    from taxietl.cli.inspect_text import as_text

    document = _document(found) | {"html": html}
    out.result(document, "" if out.json else as_text(found), as_is=True)


def _trip_file(file: str, color: str | None, year: int | None, month: int | None) -> TripFile:
    """The month asked for by the options, or else by the file's name."""
    from taxietl.tlc.trip_file import named_month, trip_file

    if named := named_month(Path(file).name):
        color, year, month = color or named.color, year or named.year, month or named.month
    if color is None or year is None or month is None:
        raise ConfigError(
            "Which month to inspect was not given.",
            hint="Add --color green --year 2021 --month 1, or inspect a file with a name like "
            "green_tripdata_2021-01.parquet.",
        )
    return trip_file(color, year, month)


def _document(found: Quality) -> dict[str, Any]:
    load = found.load
    return {
        "trip_file": str(found.trip_file),
        "origin": found.origin,
        "target": found.target,
        "table": found.table,
        "rows": found.rows,
        "load": {
            "run_name": load.run_name or None,
            "loaded_at": load.loaded_at if found.table else None,
            "source_url": load.source_url,
            "source_sha256": load.source_sha256,
            "era": load.era,
            "rows_read": load.rows_read,
            "rows_dropped": load.rows_dropped,
            "rows_rejected": load.rows_rejected,
            "values_nulled": load.values_nulled,
        },
        "findings": [asdict(each) for each in found.findings],
        "columns": [_column(asdict(each)) for each in found.columns],
        "duration_seconds": found.duration_seconds or None,
        "days": found.days,
        "hours": found.hours,
        "histograms": [asdict(each) for each in found.histograms],
    }


def _column(column: dict[str, Any]) -> dict[str, Any]:
    values = column["values"]
    if values is not None:
        column["values"] = [{"value": value, "rows": rows} for value, rows in values]
    return column


def _write(path: Path, found: Quality) -> None:
    from taxietl.cli.inspect_page import page
    from taxietl.replacing import replacing

    try:
        with replacing(path) as beside:
            beside.write_text(page(found), encoding="utf-8")
    except OSError as error:
        raise TargetError(
            f"{path} cannot be written: {error.strerror}.", hint="Name another file with --html."
        ) from error
