"""`taxietl inspect`: the quality of a month, loaded or in a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxietl.cli import candidates
from taxietl.cli.commands import Commands
from taxietl.cli.month_files import files_of
from taxietl.cli.options import OnWarehouseOption, TableOption
from taxietl.cli.output import Output, describe_error
from taxietl.cli.pages import check_folder, write_page
from taxietl.cli.session import open_settings, profile_named
from taxietl.errors import ConfigError, TaxietlError, worst_exit_code
from taxietl.tlc.selection import MonthOptions, check_table

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
    asked: MonthOptions = MonthOptions(),  # noqa: B008  frozen
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
        Path | None,
        typer.Option(
            help="Also write the report to this file, as a web page; for several months with "
            "{color}, {year} and {month:02d} in its name."
        ),
    ] = None,
) -> int:
    """Report on the quality of months: nulls, ranges, odd trips, duplicates. Changes nothing."""
    if file and source:
        raise ConfigError("A file and --source cannot be combined.", hint="Keep one of them.")
    months = _months(file, asked)
    check_table(table, {each.color for each in months})
    if (file or source) and (on or table):
        raise ConfigError(
            "--on and --table are for loaded months, and this inspects a file.",
            hint="Leave out either those or the file.",
        )
    pages = files_of(months, html, "--html") if html else {}
    for page in pages.values():
        check_folder(page)
    open_settings()
    from taxietl.flows.inspect import inspect_file, inspect_table
    from taxietl.flows.warehouse import loader

    if file or source:
        look: Callable[[TripFile], Quality] = partial(inspect_file, file or source or "")
    else:
        look = partial(inspect_table, loader(profile_named(on)), table=table)

    if len(months) == 1:
        found = look(months[0])
        out.result(*_shown(out, found, pages.get(months[0])), as_is=True)
        return 0
    return _inspect_many(out, months, look, pages, names_each=asked.names_each)


def _inspect_many(
    out: Output,
    months: Sequence[TripFile],
    look: Callable[[TripFile], Quality],
    pages: Mapping[TripFile, Path],
    *,
    names_each: bool,
) -> int:
    """Report on each month; those that are not there are failures only if they were named."""
    from taxietl.flows.inspect import NotLoadedError

    documents: list[dict[str, Any]] = []
    texts: list[str] = []
    missing: list[NotLoadedError] = []
    codes = [0]
    for each in months:
        try:
            document, text = _shown(out, look(each), pages.get(each))
        except TaxietlError as error:
            if isinstance(error, NotLoadedError) and not names_each:
                missing.append(error)
                continue
            codes.append(error.exit_code)
            document = {"trip_file": str(each), "error": describe_error(error)}
            text = f"{each}  failed: {error.message}\n  {error.hint}\n"
        documents.append(document)
        texts.append(text)
    if not documents:
        raise missing[0]
    code = worst_exit_code(codes)
    out.result({"months": documents, "exit_code": code}, "\n".join(texts), as_is=True)
    return code


def _shown(out: Output, found: Quality, page: Path | None) -> tuple[dict[str, Any], str]:
    """One month's report as document and text; its page is written."""
    from taxietl.cli.inspect_text import as_text

    if page is not None:
        from taxietl.cli import inspect_page

        write_page(page, inspect_page.page(found))
        out.note(f"wrote {page}")
    return _document(found) | {"html": page}, "" if out.json else as_text(found)


def _months(file: str | None, asked: MonthOptions) -> list[TripFile]:
    """The months asked for by the options, or else by the file's name."""
    from taxietl.tlc.trip_file import named_month

    named = named_month(Path(file).name) if file else None
    if named and not (asked.since or asked.until):
        asked = MonthOptions(
            asked.color or (named.color,),
            asked.year or str(named.year),
            asked.month or (str(named.month),),
        )
    if not asked.color or not asked.names_months:
        raise ConfigError(
            "Which month to inspect was not given.",
            hint="Add --color green --year 2021 --month 1, or inspect a file with a name like "
            "green_tripdata_2021-01.parquet.",
        )
    if asked.year and not asked.month:
        asked = replace(asked, month=("all",))
    months = asked.trip_files(date.today(), late=0)
    if file and len(months) > 1:
        raise ConfigError(
            f"{Path(file).name} is one file, and {len(months)} months are asked for.",
            hint="Ask for its month alone, or name a folder of files with --source.",
        )
    return months


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
