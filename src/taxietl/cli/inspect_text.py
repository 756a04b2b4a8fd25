"""A month's quality as tables for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from taxietl.masking import masked
from taxietl.terminal import one_line

if TYPE_CHECKING:
    from rich.table import Table

    from taxietl.flows.quality import ColumnQuality, Quality

_WIDTH = 118
"""Where there is no terminal to ask."""


def as_text(found: Quality) -> str:
    """The report, in colour on a terminal that shows it."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, markup=False, emoji=False)  # a value may look like a style
    if not console.is_terminal:
        console.width = _WIDTH
    with console.capture() as shown:
        console.print(Text(str(found.trip_file), style="bold"), f" {found.rows:,} rows")
        console.print(one_line(masked(origin_text(found))), soft_wrap=True)
        console.print(_findings(found))
        for each in _columns(found):
            console.print(each)
    lines = (line.rstrip() for line in shown.get().splitlines())
    return "\n".join(lines) + "\n"


def share_text(share: float) -> str:
    """A share in percent; what is there at all is not shown as 0."""
    if not share:
        return ""
    return "< 0.01 %" if share < 0.0001 else f"{100 * share:.2f} %"


def value_text(value: float | int | str | None) -> str:
    """A value as a person writes it."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".") if math.isfinite(value) else str(value)
    return f"{value:,}" if isinstance(value, int) else value


def origin_text(found: Quality) -> str:
    """Where the rows lie and how they came there."""
    load = found.load
    if found.table:
        return (
            f"table {found.table} of {found.target}, loaded by run {load.run_name!r} "
            f"at {load.loaded_at:%Y-%m-%d %H:%M} UTC from {load.source_url}"
        )
    rejected = f"; {load.rows_rejected:,} lines could not be read" if load.rows_rejected else ""
    return f"file {load.source_url}, era {load.era}{rejected}"


def _table(title: str, *columns: tuple[str, Any]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for heading, justify in columns:
        table.add_column(heading, justify=justify, no_wrap=True, overflow="ellipsis")
    return table


def _findings(found: Quality) -> Table:
    table = _table("Findings", ("rows", "right"), ("share", "right"), ("what", "left"))
    for each in found.findings:
        style = "" if each.rows else "dim"
        table.add_row(f"{each.rows:,}", share_text(each.share), one_line(each.text), style=style)
    return table


def _columns(found: Quality) -> Iterator[Table | str]:
    """Times, numbers and codes apart, each with what can be said of it; the empty by name only."""
    full = [each for each in found.columns if each.nulls < found.rows]
    yield _times([each for each in full if each.kind == "time"])
    yield _numbers(found, [each for each in full if each.quantiles])
    yield _codes([each for each in full if each.values])
    if empty := [each.name for each in found.columns if each.nulls == found.rows]:
        yield one_line(f"Empty: {', '.join(empty)}")


def _times(columns: list[ColumnQuality]) -> Table:
    table = _table("Times", *_HEAD, ("earliest", "left"), ("latest", "left"))
    for each in columns:
        table.add_row(*_named(each), one_line(value_text(each.min)), one_line(value_text(each.max)))
    return table


def _numbers(found: Quality, columns: list[ColumnQuality]) -> Table:
    headings = [(name, "right") for name in ("min", "1 %", "median", "99 %", "max", "below 0")]
    table = _table("Numbers", *_HEAD, *headings)
    for each in columns:
        table.add_row(*_named(each), *_shown(each.quantiles or {}), value_text(each.negative))
    if found.duration_seconds:
        minutes = {share: value / 60 for share, value in found.duration_seconds.items()}
        table.add_row("duration, minutes", "", *_shown(minutes), "", style="italic")
    return table


def _codes(columns: list[ColumnQuality]) -> Table:
    table = _table("Codes and texts", *_HEAD, ("values", "right"), ("most frequent", "left"))
    for each in columns:
        frequent = ", ".join(f"{value} ({rows:,})" for value, rows in (each.values or ())[:4])
        table.add_row(*_named(each), value_text(each.distinct), one_line(frequent))
    return table


_HEAD = (("column", "left"), ("nulls", "right"))


def _named(column: ColumnQuality) -> tuple[str, str]:
    return one_line(column.name), share_text(column.null_share)


def _shown(quantiles: Mapping[str, float | int]) -> list[str]:
    return [value_text(quantiles.get(share)) for share in ("0", "0.01", "0.5", "0.99", "1")]
