"""A coverage as HTML: years by months, each month with a bar as long as it has rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path

from taxietl.flows.coverage import Coverage, CoveredMonth, MonthState, TableCoverage
from taxietl.masking import masked
from taxietl.pictures.coverage_words import (
    LOOKS,
    MONTHS,
    folded,
    folded_text,
    reason_text,
    summary_text,
)
from taxietl.terminal import visible

STYLE = Path(__file__).with_name("coverage.css")

Address = Callable[[TableCoverage, CoveredMonth], str]
"""Where a month leads to."""


def calendar(found: Coverage, *, address: Address | None = None) -> str:
    """The months of every table, what their looks mean, and those that ask for attention.

    Args:
        found: what is where.
        address: makes each month a link.
    """
    parts = [
        f'<p class="meanings">{"".join(_meanings(found))}</p>',
        *(_grid(table, address) for table in found.tables),
        *_told(found, address),
    ]
    return f'<div class="calendar">{"".join(parts)}</div>'


def figures(found: Coverage) -> Iterator[tuple[str, str]]:
    """What the whole comes to: a number, and what it is of."""
    there = sum(len(each.there) for each in found.tables)
    possible = sum(each.possible for each in found.tables)
    yield f"{there:,} of {possible:,}", "months"
    yield f"{sum(each.rows for each in found.tables):,}", "rows"
    if newest := max((str(each.newest)[-7:] for each in found.tables if each.newest), default=""):
        yield newest, "newest month"
    if loaded := max((each.loaded_at for each in found.tables if each.loaded_at), default=None):
        yield f"{loaded.astimezone():%Y-%m-%d}", "last load"


def short(rows: int) -> str:
    """A count in four characters: 980, 76k, 1.3M, 14M."""
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if rows >= size * 0.9995:
            scaled = rows / size
            return f"{scaled:.1f}{unit}" if scaled < 9.95 and unit != "k" else f"{scaled:.0f}{unit}"
    return str(rows)


def _meanings(found: Coverage) -> Iterator[str]:
    used = {each.state for table in found.tables for each in table.months}
    for state, look in LOOKS.items():
        if state in used:
            letter = "" if state is MonthState.LOADED else escape(_letter(state))
            means = look.means if letter else "loaded; the longer the bar, the more rows"
            bar = "" if letter else _bar(1, 2)
            yield f'<span><i class="{_class(state)}">{letter}{bar}</i>{escape(means)}</span>'


def _grid(table: TableCoverage, address: Address | None) -> str:
    most = max((each.rows or 0 for each in table.months), default=0)
    heads = "".join(f'<th scope="col">{each}</th>' for each in MONTHS)
    years = "".join(
        f'<tr><td class="folded" colspan="14">{folded_text(some)}</td></tr>'
        if len(some) > 1
        else _year(table, *some[0], most, address)
        for some in folded(table)
    )
    name = f"{_text(table.color)} {_text(table.table)}"
    return (
        f'<section class="card {_text(table.color)}"><h2>{_text(table.color)} '
        f"<small>{_text(summary_text(table))}</small></h2>"
        f'<div class="sideways" tabindex="0" role="group" aria-label="Months of {name}">'
        f'<table class="grid"><thead><tr><th scope="col">year</th>{heads}'
        f'<th scope="col" class="n">rows</th></tr></thead><tbody>{years}</tbody></table></div>'
        "</section>"
    )


def _year(
    table: TableCoverage,
    year: int,
    months: Sequence[CoveredMonth],
    most: int,
    address: Address | None,
) -> str:
    by_number = {each.trip_file.month: each for each in months}
    cells = "".join(
        _cell(by_number[number], most, address and address(table, by_number[number]))
        if number in by_number
        else "<td></td>"
        for number in range(1, 13)
    )
    rows = sum(each.rows or 0 for each in months)
    total = f'<td class="n" title="{rows:,} rows">{short(rows) if rows else ""}</td>'
    return f'<tr><th scope="row">{year}</th>{cells}{total}</tr>'


def _cell(month: CoveredMonth, most: int, address: str | None) -> str:
    said = f"{month.trip_file}: {month.state}"
    bar = ""
    if month.state is MonthState.LOADED and month.record:
        rows = month.record.rows
        said += f" {month.record.loaded_at.astimezone():%Y-%m-%d}"
        said += "" if rows is None else f", {rows:,} rows"
        shown = "·" if rows is None else short(rows)
        bar = "" if rows is None else _bar(rows, most)
    else:
        shown = _letter(month.state)
        if month.rows is not None:
            shown += f" {short(month.rows)}"
        said += f", {why}" if (why := reason_text(month)) else ""
    start = f'<td class="month {_class(month.state)}" title="{_text(said)}"'
    if address is None:
        return f'{start} aria-label="{_text(said)}">{escape(shown)}{bar}</td>'
    link = f'<a href="{escape(address)}" aria-label="{_text(said)}">{escape(shown)}{bar}</a>'
    return f"{start}>{link}</td>"


def _bar(rows: int, most: int) -> str:
    """A part of a line; of what is there at all, something is seen."""
    width = max(100 * rows / max(most, 1), 2 if rows else 0)
    return (
        '<svg class="rows" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" '
        f'focusable="false"><rect width="{width:.0f}" height="4"/></svg>'
    )


def _told(found: Coverage, address: Address | None) -> Iterator[str]:
    """The months that ask for attention, with the reason."""
    rows = "".join(
        f"<tr><td>{_named(table, each, address)}</td><td><i "
        f'class="{_class(each.state)}">{escape(LOOKS[each.state].letter)}</i>'
        f'{escape(str(each.state))}</td><td class="why">{_text(reason_text(each))}</td></tr>'
        for table in found.tables
        for each in table.months
        if LOOKS[each.state].is_told
    )
    if rows:
        yield (
            '<section class="card"><h2>To look at</h2><div class="sideways" tabindex="0" '
            'role="group" aria-label="Months to look at">'
            f'<table class="told"><tbody>{rows}</tbody></table></div></section>'
        )


def _named(table: TableCoverage, month: CoveredMonth, address: Address | None) -> str:
    name = escape(str(month.trip_file))
    return f'<a href="{escape(address(table, month))}">{name}</a>' if address else name


def _letter(state: MonthState) -> str:
    return "·" if state is MonthState.MISSING else LOOKS[state].letter


def _class(state: MonthState) -> str:
    return str(state).replace(" ", "-")


def _text(text: str) -> str:
    return escape(masked(visible(text)))
