"""`taxietl status`: which months are there, which are missing, and which failed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxietl.cli import candidates
from taxietl.cli.commands import Commands
from taxietl.cli.output import Output
from taxietl.cli.pages import check_folder, write_page
from taxietl.cli.session import open_settings, profile_named
from taxietl.cli.stderr import warn
from taxietl.tlc.selection import MonthOptions

if TYPE_CHECKING:
    from taxietl.flows.coverage import Coverage, CoveredMonth, TableCoverage


def register(app: Commands) -> None:
    """Add the command."""
    app.add(status)


def status(
    out: Output,
    asked: MonthOptions = MonthOptions(),  # noqa: B008  frozen
    on: Annotated[
        str | None,
        typer.Option(
            "--on",
            help="Profile of a warehouse or a lake, or a database URL.",
            show_default="warehouse, or [ingest] to",
            autocompletion=candidates.profiles,
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Also write the picture to this file, as a web page.")
    ] = None,
) -> int:
    """Show which months are loaded, missing or failed: years by months, for each colour."""
    now = datetime.now().astimezone()
    wanted = asked.filter(now.date())
    if html is not None:
        check_folder(html)
    open_settings()
    from taxietl.flows.coverage import coverage_of
    from taxietl.flows.coverage_reading import read_profile

    reading = read_profile(profile_named(on))
    for each in reading.warnings:
        warn(each)
    found = coverage_of(reading, wanted, now, every_color=bool(asked.color))
    if html is not None:
        from taxietl.cli.status_page import page

        write_page(html, page(found))
        out.note(f"wrote {html}")
    out.result(_document(found) | {"html": html}, "" if out.json else _text(out, found), as_is=True)
    return 0


def _text(out: Output, found: Coverage) -> str:
    """A picture on a terminal; elsewhere a line a month."""
    import sys

    from taxietl.cli.status_text import as_lines, as_picture, origin_text

    if sys.stdout.isatty():
        return as_picture(found)
    out.note(origin_text(found))
    return as_lines(found)


def _document(found: Coverage) -> dict[str, Any]:
    reading = found.reading
    return {
        "profile": reading.profile,
        "target": reading.target,
        "read_from": reading.read_from,
        "held_by": reading.held_by or None,
        "at": found.at,
        "tables": [_table(each) for each in found.tables],
        "warnings": reading.warnings,
        "exit_code": 0,
    }


def _table(table: TableCoverage) -> dict[str, Any]:
    newest = table.newest
    return {
        "color": table.color,
        "table": table.table,
        "months_there": len(table.there),
        "months_possible": table.possible,
        "rows": table.rows,
        "newest": newest and str(newest),
        "loaded_at": table.loaded_at,
        "months": [_month(each) for each in table.months],
    }


def _month(month: CoveredMonth) -> dict[str, Any]:
    record = month.record
    return {
        "trip_file": str(month.trip_file),
        "state": month.state,
        "reason": month.reason,
        "run_name": month.run_name,
        "rows": month.rows,
        "load": record
        and {
            "loaded_at": record.loaded_at,
            "dropped_at": record.dropped_at,
            "run_name": record.run_name,
            "rows": record.rows,
            "source": record.source,
            "source_url": record.source_url,
            "source_sha256": record.source_sha256,
        },
    }
