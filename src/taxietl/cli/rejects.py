"""`taxietl rejects`: the lines and cells that could not be read, to look at or to take away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxietl.cli import candidates
from taxietl.cli.commands import Commands
from taxietl.cli.options import OnWarehouseOption
from taxietl.cli.output import Output
from taxietl.cli.session import open_settings, profile_named
from taxietl.cli.stderr import warn
from taxietl.errors import ConfigError, TargetError
from taxietl.terminal import one_line
from taxietl.tlc.selection import MonthOptions

if TYPE_CHECKING:
    from taxietl.flows.rejects import Load

SHOWN_ROWS = 1_000
SHOWN_TEXT = 60

HEADINGS = ["month", "run", "state", "kind", "line", "column_name", "reason", "raw"]

RunOption = Annotated[
    str | None,
    typer.Option(
        help="Only the load of this run, even if it was refused or has been replaced.",
        autocompletion=candidates.runs,
    ),
]


def register(app: Commands) -> None:
    """Add the command group."""
    group = Commands(name="rejects", help="Lines and cells that could not be read.")
    group.add(ls)
    group.add(export)
    app.add_typer(group)


def ls(
    out: Output,
    asked: MonthOptions = MonthOptions(),  # noqa: B008  frozen
    run: RunOption = None,
    on: OnWarehouseOption = None,
) -> None:
    """List the lines and cells that could not be read, of loaded months and of refused loads."""
    found = _unread(asked, run, on)
    if out.json:
        out.result({"loads": [_document(load) for load in found]}, "")
        return
    from taxietl.cli.answers import table

    shown: list[list[Any]] = []
    more = 0
    for load in found:
        room = SHOWN_ROWS - len(shown)
        rows = [[_shown(value) for value in row] for row in _rows(load)]
        shown += rows[:room]
        more += max(0, len(rows) - room)
        _warn_of_others(load)
    out.result({}, table(HEADINGS, shown))
    if more:
        warn(f"{more:,} more are not shown; `taxietl rejects export --out FILE.csv` writes all.")


def export(
    out: Output,
    out_file: Annotated[Path, typer.Option("--out", help="CSV file to write.")],
    asked: MonthOptions = MonthOptions(),  # noqa: B008  frozen
    run: RunOption = None,
    on: OnWarehouseOption = None,
) -> None:
    """Write what rejects ls lists to a CSV file, with every line and cell in full."""
    import csv

    count = 0
    loads = _unread(asked, run, on)
    first = next(loads, None)  # what is wrong is told before there is a file
    try:
        with out_file.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(HEADINGS)
            for load in () if first is None else (first, *loads):
                _warn_of_others(load)
                writer.writerows(_rows(load))
                count += len(load.notes)
    except OSError as error:
        raise TargetError(
            f"{out_file} cannot be written: {error.strerror}.", hint="Name another file with --out."
        ) from error
    out.result(
        {"path": str(out_file), "rows": count}, f"{out_file}: {count:,} lines and cells not read"
    )


def _unread(asked: MonthOptions, run: str | None, on: str | None) -> Iterator[Load]:
    if run is not None and asked != MonthOptions():
        raise ConfigError(
            "--run cannot be combined with a colour or a month: a run is one load.",
            hint="Keep --run, or the others.",
        )
    months = None if asked == MonthOptions() else asked.filter(date.today())
    settings = open_settings()
    from taxietl.flows.rejects import Wanted, unread
    from taxietl.flows.warehouse import loader

    wanted = Wanted(months, run)
    return unread(loader(profile_named(on)), wanted, settings.rejects_dir)


def _rows(load: Load) -> Iterator[tuple[Any, ...]]:
    head = (_month(load), load.run_name, load.state)
    for note in load.notes:
        yield (*head, note.kind, note.line, note.column, note.reason, note.raw)


def _document(load: Load) -> dict[str, Any]:
    return {
        "trip_file": _month(load) or None,
        "run_name": load.run_name,
        "state": load.state,
        "table": load.table,
        "at": datetime.fromtimestamp(load.loaded_at, UTC),
        "rows_rejected": load.rows_rejected,
        "values_nulled": load.values_nulled,
        "rejects": [
            {
                "kind": note.kind,
                "line": note.line,
                "column_name": note.column,
                "reason": note.reason,
                "raw": note.raw,
            }
            for note in load.notes
        ],
    }


def _month(load: Load) -> str:
    return f"{load.color}-{load.month}" if load.month else ""


def _shown(value: Any) -> Any:
    """A value for a terminal, of which a long one is cut."""
    if not isinstance(value, str):
        return value
    plain = one_line(value)
    return plain if len(plain) <= SHOWN_TEXT else f"{plain[: SHOWN_TEXT - 1]}…"


def _warn_of_others(load: Load) -> None:
    """Of a load that described not all of what it counted, say so."""
    counted = (load.rows_rejected or 0) + (load.values_nulled or 0)
    described = sum(1 for note in load.notes if note.kind != "note")
    if counted > described:
        warn(f"{_month(load)}: {counted - described:,} more were counted and not described.")
