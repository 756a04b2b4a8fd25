"""Options that several commands have: one name, one meaning and one help for each."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from taxietl.cli import candidates
from taxietl.tlc.colors import COLORS
from taxietl.tlc.column_rules import NewColumns


def _on(help_text: str, default: str) -> Any:
    return typer.Option(
        "--on", help=help_text, show_default=default, autocompletion=candidates.profiles
    )


def _transform(default: str) -> Any:
    return typer.Option(
        "--transform",
        metavar="RULE",
        help="Rule to apply: NAME or FILE.py:NAME, its options after it as :option=value; "
        "repeats; none for no rule.",
        show_default=default,
        autocompletion=candidates.transforms,
    )


_COLORS = f"{', '.join(COLORS[:-1])} or {COLORS[-1]}"
_COLOR = typer.Option("--color", help=f"{_COLORS}.", autocompletion=candidates.colors)
_ONLY_COLORS = typer.Option(
    "--color",
    help=f"Only this colour: {_COLORS}, several as yellow,green, or all; repeats.",
    autocompletion=candidates.colors,
)
_YEAR = typer.Option("--year", help="Year of the file.")
_ONE_MONTH = typer.Option("--month", min=1, max=12, help="Month of the file.")
_TABLE = typer.Option(
    "--table", metavar="[SCHEMA.]NAME", help="Table name.", show_default="COLOR_trips"
)
_SOURCE = typer.Option(
    "--source",
    help="Where the files come from: tlc, mirror, synthetic, a lake profile, a folder, a file "
    "or a URL.",
    show_default="tlc, or [ingest] source",
    autocompletion=candidates.sources,
)
_WAREHOUSE = "warehouse, or [ingest] to"

ColorOption = Annotated[str, _COLOR]
AnyColorOption = Annotated[str | None, _COLOR]
OnlyColorsOption = Annotated[list[str] | None, _ONLY_COLORS]
YearOption = Annotated[int, _YEAR]
AnyYearOption = Annotated[int | None, _YEAR]
MonthOption = Annotated[int, _ONE_MONTH]
AnyMonthOption = Annotated[int | None, _ONE_MONTH]
SourceOption = Annotated[str | None, _SOURCE]
ToWarehouseOption = Annotated[
    str | None,
    typer.Option(
        "--to",
        help="Profile to load into, or a database URL.",
        show_default=_WAREHOUSE,
        autocompletion=candidates.profiles,
    ),
]
OnWarehouseOption = Annotated[str | None, _on("Profile to read, or a database URL.", _WAREHOUSE)]
OnLakeOption = Annotated[str, _on("Profile of the lake.", "lake")]
TableOption = Annotated[str | None, _TABLE]
IngestTransformOption = Annotated[
    list[str] | None,
    _transform("drop-zero-passengers for yellow and green, or [ingest] transforms"),
]
UploadTransformOption = Annotated[list[str] | None, _transform("none")]
RenameOption = Annotated[
    list[str] | None,
    typer.Option(
        "--rename",
        metavar="OLD=NEW",
        help="A column of the file under another name than expected; repeats.",
    ),
]
NewColumnsOption = Annotated[
    NewColumns, typer.Option("--new-columns", help="What to do with columns that no era has.")
]
ConnectionsOption = Annotated[
    int,
    typer.Option(
        "--connections",
        min=1,
        max=16,
        help="Load over this many connections at once (PostgreSQL).",
    ),
]
MaxRejectsOption = Annotated[
    int | None,
    typer.Option(
        "--max-rejects",
        min=0,
        help="Skip up to this many lines that cannot be read as trips.",
        show_default="0, or [ingest] max_rejects",
    ),
]
MaxShrinkOption = Annotated[
    float | None,
    typer.Option(
        "--max-shrink",
        min=0,
        max=1,
        help="Share of its rows that a month may lose when it is replaced.",
        show_default="0.05, or [ingest] max_shrink",
    ),
]
WorkersOption = Annotated[
    int, typer.Option("--workers", min=1, max=16, help="Months under way at a time.")
]
FailFastOption = Annotated[
    bool, typer.Option("--fail-fast", help="Begin no other month once one has failed.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")
]
RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="Name of the run (the newest of that name), or id.",
        autocompletion=candidates.runs,
    ),
]
