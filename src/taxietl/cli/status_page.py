"""A coverage as a web page: years by months, each month as dark as it has rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from taxietl.cli.pages import document, tile
from taxietl.cli.status_text import (
    LOOKS,
    MONTHS,
    folded,
    folded_text,
    origin_text,
    reason_text,
    summary_text,
)
from taxietl.flows.coverage import Coverage, CoveredMonth, MonthState, TableCoverage

_FAINTEST = 0.22
"""Of a month with next to no rows: what is there at all is seen."""

_COLORS = {"yellow": "#f5b800", "green": "#5cb848", "fhv": "#7fa6cf", "fhvhv": "#b494e6"}
_DARK_CARD = "#1e2226"
"""What they are mixed with on a dark page; `pages` has it as `--card`."""

_LIGHT = 0.18
"""The luminance from which on black letters are read better than white ones. Source: WCAG 2.2,
"contrast ratio": (L + 0.05) / 0.05 and 1.05 / (L + 0.05) are the same there."""


def page(found: Coverage) -> str:
    """The whole document."""
    when = f"{found.at:%Y-%m-%d %H:%M %Z}".strip()
    body = "\n".join(
        [
            f"<header><h1>NYC taxi trips</h1><p>{escape(origin_text(found))} · {escape(when)}</p>"
            "</header>",
            f'<section class="tiles">{"".join(_tiles(found))}</section>',
            f'<p class="legend">{"".join(_legend(found))}</p>',
            *(_grid(table) for table in found.tables),
            *_told(found),
        ]
    )
    return document("NYC taxi trips: what is loaded", body, style=_STYLE)


def short(rows: int) -> str:
    """A count in four characters: 980, 76k, 1.3M, 14M."""
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if rows >= size * 0.9995:
            scaled = rows / size
            return f"{scaled:.1f}{unit}" if scaled < 9.95 and unit != "k" else f"{scaled:.0f}{unit}"
    return str(rows)


def _tiles(found: Coverage) -> Iterator[str]:
    there = sum(len(each.there) for each in found.tables)
    possible = sum(each.possible for each in found.tables)
    yield tile(f"{there:,} of {possible:,}", "months")
    yield tile(f"{sum(each.rows for each in found.tables):,}", "rows")
    if newest := max((each.newest for each in found.tables if each.newest), key=_age, default=None):
        yield tile(str(newest)[-7:], "newest month")
    if loaded := max((each.loaded_at for each in found.tables if each.loaded_at), default=None):
        yield tile(f"{loaded.astimezone():%Y-%m-%d}", "last load")


def _age(trip_file: object) -> str:
    return str(trip_file)[-7:]


def _legend(found: Coverage) -> Iterator[str]:
    used = {each.state for table in found.tables for each in table.months}
    for state, look in LOOKS.items():
        if state in used:
            letter = "" if state is MonthState.LOADED else escape(_letter(state))
            means = look.means if letter else "loaded; the stronger the colour, the more rows"
            yield f'<span><i class="{_class(state)}">{letter}</i>{escape(means)}</span>'


def _grid(table: TableCoverage) -> str:
    most = max((each.rows or 0 for each in table.months), default=0)
    heads = "".join(f'<th scope="col">{each}</th>' for each in MONTHS)
    years = "".join(
        f'<tr><td class="folded" colspan="14">{folded_text(some)}</td></tr>'
        if len(some) > 1
        else _year(*some[0], most)
        for some in folded(table)
    )
    return (
        f'<section class="card {escape(table.color)}"><h2>{escape(table.color)} '
        f"<small>{escape(summary_text(table))}</small></h2>"
        f'<table class="grid"><thead><tr><th scope="col">year</th>{heads}'
        f'<th scope="col" class="n">rows</th></tr></thead><tbody>{years}</tbody></table></section>'
    )


def _year(year: int, months: Sequence[CoveredMonth], most: int) -> str:
    by_number = {each.trip_file.month: each for each in months}
    cells = "".join(
        _cell(by_number[number], most) if number in by_number else "<td></td>"
        for number in range(1, 13)
    )
    rows = sum(each.rows or 0 for each in months)
    total = f'<td class="n" title="{rows:,} rows">{short(rows) if rows else ""}</td>'
    return f'<tr><th scope="row">{year}</th>{cells}{total}</tr>'


def _cell(month: CoveredMonth, most: int) -> str:
    said = f"{month.trip_file}: {month.state}"
    if month.state is MonthState.LOADED and month.record:
        rows = month.record.rows
        shade = 1.0 if rows is None else _FAINTEST + (1 - _FAINTEST) * rows / max(most, 1)
        counted = "" if rows is None else f", {rows:,} rows"
        said += f" {month.record.loaded_at.astimezone():%Y-%m-%d}{counted}"
        shown, style = "" if rows is None else short(rows), f' style="--s:{100 * shade:.0f}%"'
        name = "loaded" if _is_light(month.trip_file.color, shade) else "loaded deep"
    else:
        shown, style, name = _letter(month.state), "", _class(month.state)
        if month.rows is not None:
            shown += f" {short(month.rows)}"
        said += f", {why}" if (why := reason_text(month)) else ""
    return (
        f'<td class="month {name}"{style} title="{escape(said)}" aria-label="{escape(said)}">'
        f"{escape(shown)}</td>"
    )


def _is_light(color: str, shade: float) -> bool:
    """Whether a cell of that shade is light on a dark page."""
    luminance = 0.0
    for place, weight in ((1, 0.2126), (3, 0.7152), (5, 0.0722)):
        full, card = (int(each[place : place + 2], 16) for each in (_COLORS[color], _DARK_CARD))
        part = (shade * full + (1 - shade) * card) / 255
        luminance += weight * (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4)
    return luminance >= _LIGHT


def _told(found: Coverage) -> Iterator[str]:
    """The months that ask for attention, with the reason."""
    rows = [
        f'<tr><td>{escape(str(each.trip_file))}</td><td><i class="{_class(each.state)}">'
        f"{escape(LOOKS[each.state].letter)}</i>{escape(str(each.state))}</td>"
        f'<td class="why">{escape(reason_text(each))}</td></tr>'
        for table in found.tables
        for each in table.months
        if LOOKS[each.state].is_told
    ]
    if rows:
        yield (
            f'<section class="card"><h2>To look at</h2><table class="told">{"".join(rows)}</table>'
            "</section>"
        )


def _letter(state: MonthState) -> str:
    return "·" if state is MonthState.MISSING else LOOKS[state].letter


def _class(state: MonthState) -> str:
    return str(state).replace(" ", "-")


_STYLE = (
    "".join(f"\n.{color} {{ --taxi: {code}; }}" for color, code in _COLORS.items())
    + """
:root { --taxi: #5cb848; --bad: #c62f2f; --refused: #a12f8f; --now: #1a7ba2;
  --changed: #b8560b; }
section.card { margin: 1rem 0; padding: 1rem 1.2rem; }
.card h2 { margin: 0 0 .6rem; display: flex; flex-wrap: wrap; align-items: baseline; gap: .5rem; }
.card.yellow h2::before, .card.green h2::before, .card.fhv h2::before, .card.fhvhv h2::before {
  content: ""; width: .8rem; height: .8rem; border-radius: 3px; background: var(--taxi); }
.card h2 small { color: var(--soft); font-weight: 400; font-size: .85rem; }
.grid { border-collapse: separate; border-spacing: 3px; width: 100%; min-width: 640px;
  table-layout: fixed; font-variant-numeric: tabular-nums; }
.grid th { color: var(--soft); font-weight: 500; font-size: .78rem; text-align: center; }
.grid th:first-child { width: 3rem; text-align: left; } .grid th.n { width: 4rem; }
.folded { color: var(--soft); font-size: .78rem; padding: .2rem 0; }
.n, .grid th.n { text-align: right; } .grid td.n { color: var(--soft); font-size: .8rem; }
.month, i { font-style: normal; text-align: center; border-radius: 5px; font-size: .74rem; }
.month { height: 1.75rem; padding: 0; }
i { display: inline-block; min-width: 1.5rem; height: 1.25rem; line-height: 1.25rem;
  margin-right: .45rem; font-weight: 700; }
.loaded { color: #1b1b16; background: var(--taxi);
  background: color-mix(in srgb, var(--taxi) var(--s, 85%), var(--card)); }
.missing { color: var(--soft); box-shadow: inset 0 0 0 1px var(--line); }
.not-published, .unknown { color: var(--soft); }
.failed, .broken { background: var(--bad); color: #fff; font-weight: 700; }
.refused { background: var(--refused); color: #fff; font-weight: 700; }
.loading { background: var(--now); color: #fff; font-weight: 700; }
.restated, .changed, .withdrawn, .overdue { background: var(--changed); color: #fff;
  font-weight: 700; }
.new { color: var(--now); box-shadow: inset 0 0 0 2px var(--now); font-weight: 700; }
.dropped { color: var(--soft); box-shadow: inset 0 0 0 1px var(--soft); }
.legend span { display: flex; align-items: center; }
.legend { display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; margin: 0; color: var(--soft);
  font-size: .85rem; }
.told { border-collapse: collapse; font-size: .9rem; } .told td { padding: .25rem 1rem .25rem 0;
  vertical-align: top; white-space: nowrap; }
.told td.why { white-space: normal; overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) { .loaded { color: #000; }
  .month.deep { color: #fff; } .new { color: #6cc6ec; } }
@media print { :root { color-scheme: light; --back: #fff; --card: #fff; --ink: #1d2125;
  --soft: #667079; --line: #d5d8d3; } body { padding: 0; max-width: none; }
  .month.loaded { color: #1b1b16; } .card { break-inside: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
)
