"""A coverage as a grid for a terminal, and as a line a month for everything else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from taxietl.cli.tables import table as plain_table
from taxietl.flows.coverage import Coverage, CoveredMonth, MonthState, TableCoverage
from taxietl.masking import masked
from taxietl.pictures.coverage_words import (
    LOOKS,
    MONTHS,
    Look,
    absent_text,
    folded,
    folded_text,
    origin_text,
    reason_text,
    summary_text,
    sync_line,
)
from taxietl.terminal import one_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_NOTHING = (MonthState.MISSING, MonthState.NOT_PUBLISHED)
_TOLD = 12
"""So many months of a state are told of one by one."""


def as_lines(months: Sequence[tuple[TableCoverage, CoveredMonth]]) -> str:
    """A line a month, for grep and awk."""
    rows = [
        {
            "month": str(month.trip_file),
            "state": str(month.state).replace(" ", "-"),
            "rows": "-" if month.rows is None else f"{month.rows:,}",
            "loaded": (
                f"{month.record.loaded_at.astimezone():%Y-%m-%d}"
                if month.is_there and month.record
                else "-"
            ),
            "table": table.table,
            "run": month.record.run_name if month.is_there and month.record else "-",
            "reason": reason_text(month),
        }
        for table, month in months
    ]
    return plain_table(("month", "state", "rows", "loaded", "table", "run", "reason"), rows)


def listed_months(found: Coverage, *, every: bool) -> Sequence[tuple[TableCoverage, CoveredMonth]]:
    """The months to be told of, or only those from a table's first known one to its last."""
    return [
        (table, month)
        for table in found.tables
        for month in (table.months if every else _known(table))
    ]


def _known(table: TableCoverage) -> Sequence[CoveredMonth]:
    known = [index for index, each in enumerate(table.months) if each.state not in _NOTHING]
    return table.months[known[0] : known[-1] + 1] if known else ()


def as_picture(found: Coverage) -> str:
    """The grids, in colour on a terminal that shows it."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, markup=False, emoji=False)
    with console.capture() as shown:
        console.print(one_line(masked(origin_text(found))), style="dim", soft_wrap=True)
        for table in found.tables:
            console.print()
            heading = Text(table.color, style="bold")
            console.print(heading, Text(f"  {summary_text(table)}"), sep="")
            _print_grid(console, table)
        _print_told(console, found)
        console.print()
        if found.tables:
            for line in _legend(found, console.width):
                console.print(line)
        if command := sync_line(found):
            console.print(f"Load what is new or restated: {command}")
        if found.absent:
            console.print(absent_text(found), style="dim")
    lines = (line.rstrip() for line in shown.get().splitlines())
    return "\n".join(lines) + "\n"


def _print_grid(console: Console, table: TableCoverage) -> None:
    from rich.text import Text

    console.print(Text("      " + " ".join(MONTHS) + "          rows  loaded", style="dim"))
    for years in folded(table):
        if len(years) > 1:
            console.print(Text(folded_text(years), style="dim"))
        else:
            console.print(_row(*years[0]))


def _row(year: int, months: Sequence[CoveredMonth]) -> Text:
    from rich.text import Text

    by_number = {each.trip_file.month: each for each in months}
    row = Text(f"{year}  ")
    for number in range(1, 13):
        month = by_number.get(number)
        look = LOOKS[month.state] if month else Look(" ", "", "")
        row.append(f" {look.letter} ", style=look.style)
        row.append(" ")
    if there := [each for each in months if each.is_there]:
        rows = sum(each.rows or 0 for each in there)
        latest = max(each.record.loaded_at for each in there if each.record)
        row.append(f" {rows:>12,}  {latest.astimezone():%Y-%m-%d}")
    return row


def _print_told(console: Console, found: Coverage) -> None:
    """The months that ask for attention, one by one."""
    from rich.text import Text

    is_first = True
    for state, look in LOOKS.items():
        months = [each for table in found.tables for each in table.months if each.state is state]
        if not (look.is_told and months):
            continue
        if is_first:
            console.print()
            is_first = False
        for each in months[:_TOLD]:
            line = Text(f"{each.trip_file}  ")
            line.append(str(state), style=look.style)
            line.append(f"  {reason_text(each)}")
            console.print(line, no_wrap=True, overflow="ellipsis")
        if len(months) > _TOLD:
            console.print(f"and {len(months) - _TOLD:,} more {state}; --json lists all")


def _legend(found: Coverage, width: int) -> Iterator[Text]:
    """The states there are, in lines that break between them."""
    from rich.text import Text

    used = {each.state for table in found.tables for each in table.months}
    line = Text()
    for state, look in LOOKS.items():
        if state not in used:
            continue
        entry = Text.assemble((f" {look.letter} ", look.style), f" {look.means}")
        if line and len(line) + 2 + len(entry) > width:
            yield line
            line = Text()
        line = Text.assemble(line, "  " if line else "", entry)
    yield line
