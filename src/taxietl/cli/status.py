"""`taxietl status`: which months are there, which are missing, and which failed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxietl.cli import candidates
from taxietl.cli.commands import Commands
from taxietl.cli.options import SourceOption
from taxietl.cli.output import Output, describe_error
from taxietl.cli.pages import check_folder, write_page
from taxietl.cli.session import open_settings, profile_named
from taxietl.cli.stderr import warn
from taxietl.errors import ConfigError
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
    remote: Annotated[
        bool,
        typer.Option(
            "--remote", help="Also ask the source which months it has, and which it restated."
        ),
    ] = False,
    source: SourceOption = None,
    html: Annotated[
        Path | None, typer.Option(help="Also write the picture to this file, as a web page.")
    ] = None,
) -> int:
    """Show which months are loaded, missing or failed: years by months, for each colour."""
    if source is not None and not remote:
        raise ConfigError("--source is for --remote.", hint="Add --remote, or leave --source out.")
    now = datetime.now().astimezone()
    wanted = asked.filter(now.date())
    if html is not None:
        check_folder(html)
    settings = open_settings()
    from taxietl.flows.coverage import coverage_of
    from taxietl.flows.coverage_reading import read_profile

    reading = read_profile(profile_named(on))
    for each in reading.warnings:
        warn(each)
    found = coverage_of(reading, wanted, now, every_color=bool(asked.color))
    if remote:
        found = _asked(out, found, source or settings.ingest.source, every=asked.names_months)
    if html is not None:
        from taxietl.cli.status_page import page

        write_page(html, page(found))
        out.note(f"wrote {html}")
    document = _document(found) | {"html": html}
    out.result(
        document,
        "" if out.json else _text(out, found, every=asked.names_months),
        as_is=not out.json,
    )
    return int(document["exit_code"])


def _asked(out: Output, found: Coverage, source: str, *, every: bool) -> Coverage:
    from taxietl.flows.coverage_remote import ask_source

    out.note(f"asking {source} which months it has")
    asked = ask_source(found, source, found.at.date(), every=every)
    if asked.remote and asked.remote.from_elsewhere:
        count = asked.remote.from_elsewhere
        months = "1 month was" if count == 1 else f"{count:,} months were"
        out.note(f"{months} not loaded from {source}, and cannot be compared with it")
    if asked.remote and asked.remote.error:
        error = asked.remote.error
        warn(
            f"{source} did not answer for {asked.remote.unanswered:,} of {asked.remote.asked:,} "
            f"months: {error.message} {error.hint}"
        )
    return asked


def _text(out: Output, found: Coverage, *, every: bool) -> str:
    """A picture on a terminal; elsewhere a line a month, of every one if months were named."""
    import sys

    from taxietl.cli.status_text import as_lines, as_picture, listed_months
    from taxietl.pictures.coverage_words import origin_text

    if sys.stdout.isatty():
        return as_picture(found)
    out.note(origin_text(found))
    listed = listed_months(found, every=every)
    if left := sum(len(each.months) for each in found.tables) - len(listed):
        out.note(f"{left:,} months before and after these are not listed; name years to list them")
    return as_lines(listed)


def _document(found: Coverage) -> dict[str, Any]:
    reading = found.reading
    return {
        "profile": reading.profile,
        "target": reading.target,
        "read_from": reading.read_from,
        "held_by": reading.held_by or None,
        "at": found.at,
        "tables": [_table(each) for each in found.tables],
        "remote": found.remote
        and {
            "source": found.remote.source,
            "asked": found.remote.asked,
            "from_elsewhere": found.remote.from_elsewhere,
            "unanswered": found.remote.unanswered,
            "error": found.remote.error and describe_error(found.remote.error),
        },
        "warnings": reading.warnings,
        "exit_code": found.remote.error.exit_code if found.remote and found.remote.error else 0,
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
        "remote": month.remote,
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
