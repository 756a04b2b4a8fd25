"""A month's quality as a web page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from taxietl.cli.charts import bars, meter, spread
from taxietl.cli.inspect_text import origin_text, share_text, value_text
from taxietl.cli.pages import document, tile

if TYPE_CHECKING:
    from taxietl.flows.quality import ColumnQuality, Histogram, Quality

_UNITS = {
    "duration": ("How long trips lasted", "minutes", 60.0),
    "distance": ("How far they went", "miles", 1.0),
    "total": ("What they cost", "dollars", 1.0),
}
"""Of each histogram its heading, its unit, and that unit in the histogram's own."""


def page(found: Quality) -> str:
    """The whole document."""
    name = escape(str(found.trip_file))
    body = "\n".join(
        [
            f"<header><h1>{name}</h1><p>{escape(origin_text(found))}</p></header>",
            f'<section class="tiles">{"".join(_tiles(found))}</section>',
            f'<section class="charts">{"".join(_charts(found))}</section>',
            f"<section><h2>Findings</h2>{_findings(found)}</section>",
            f"<section><h2>Numbers</h2>{_numbers(found)}</section>",
            f'<section><h2>Codes and texts</h2><div class="codes">{"".join(_codes(found))}</div>'
            "</section>",
            f"<section><h2>All columns</h2>{_columns(found)}</section>",
        ]
    )
    sha256 = f" · source SHA-256 <code>{escape(found.load.source_sha256)}</code>"
    return document(str(found.trip_file), body, style=_STYLE, footer=sha256)


def _tiles(found: Quality) -> Iterator[str]:
    counted = {each.name: each.rows for each in found.findings}
    tiles = [("rows", found.rows)]
    tiles += [
        (label, counted[name])
        for name, label in (
            ("duplicates", "duplicates"),
            ("outside_month", "outside the month"),
            ("ends_before_start", "end before they start"),
            ("zero_distance", "of distance 0"),
            ("negative_total", "of a sum below 0"),
        )
        if name in counted
    ]
    for label, rows in tiles:
        yield tile(f"{rows:,}", label)


def _charts(found: Quality) -> Iterator[str]:
    if found.days:
        days = list(found.days)
        names = [str(int(day[8:])) for day in days]
        marks = [place for place, name in enumerate(names) if name in ("1", "8", "15", "22", "29")]
        yield _card("Trips by day of the month", list(found.days.values()), names, marks)
    if found.hours:
        hours = [f"{hour}:00" for hour in range(24)]
        yield _card("Trips by hour of the day", found.hours, hours, [0, 6, 12, 18])
    for each in found.histograms:
        yield _histogram(each)


def _histogram(histogram: Histogram) -> str:
    heading, unit, factor = _UNITS[histogram.name]
    width = histogram.width / factor
    rows = [*histogram.rows, histogram.beyond]
    names = [value_text(width * place) for place in range(len(histogram.rows))]
    names.append(f"over {value_text(width * len(histogram.rows))}")
    below = f"; {histogram.below:,} below 0" if histogram.below else ""
    return _card(f"{heading}, {unit}{below}", rows, names, [0, 10, 20, 30])


def _card(heading: str, rows: Sequence[int], names: Sequence[str], marks: Sequence[int]) -> str:
    chart = bars(rows, names, marks=marks, title=heading)
    return f'<figure class="card"><figcaption>{escape(heading)}</figcaption>{chart}</figure>'


def _findings(found: Quality) -> str:
    rows = "".join(
        f'<tr class="{"" if each.rows else "none"}"><td class="n">{each.rows:,}</td>'
        f'<td class="n">{escape(share_text(each.share))}</td>'
        f"<td>{meter(each.share, title=each.text)}</td><td>{escape(each.text)}</td></tr>"
        for each in found.findings
    )
    return f'<table class="narrow">{_head("rows", "share", "", "what")}{rows}</table>'


def _numbers(found: Quality) -> str:
    rows = "".join(_number(each) for each in found.columns if each.quantiles)
    heads = ("column", "min", "1 %", "median", "99 %", "max", "5 % to 95 %", "below 0")
    return f"<table>{_head(*heads)}{rows}</table>"


def _number(column: ColumnQuality) -> str:
    at = column.quantiles or {}
    middle = [at[share] for share in ("0.05", "0.25", "0.5", "0.75", "0.95")]
    told = ", ".join(
        f"{label} {value_text(each)}"
        for label, each in zip(("5 %", "25 %", "median", "75 %", "95 %"), middle, strict=True)
    )
    drawn = spread(at["0.01"], middle, at["0.99"], title=f"{column.name}: {told}")
    cells = [value_text(at[share]) for share in ("0", "0.01", "0.5", "0.99", "1")]
    listed = "".join(f'<td class="n">{escape(each)}</td>' for each in cells)
    negative = "" if column.negative is None else f"{column.negative:,}"
    return (
        f'<tr><td>{escape(column.name)}</td>{listed}<td>{drawn}</td><td class="n">{negative}</td>'
        "</tr>"
    )


def _codes(found: Quality) -> Iterator[str]:
    for column in found.columns:
        if not column.values:
            continue
        most = max(rows for _, rows in column.values)
        lines = "".join(
            f"<tr><td>{escape(value)}</td><td>{meter(rows / most, title=value)}</td>"
            f'<td class="n">{rows:,}</td></tr>'
            for value, rows in column.values
        )
        more = (column.distinct or 0) - len(column.values)
        rest = f"<p>and {more:,} more</p>" if more > 0 else ""
        yield f'<div class="card"><h3>{escape(column.name)}</h3><table>{lines}</table>{rest}</div>'


def _columns(found: Quality) -> str:
    rows = "".join(
        f'<tr class="{"none" if each.nulls == found.rows else ""}"><td>{escape(each.name)}</td>'
        f'<td>{escape(each.kind)}</td><td class="n">{each.nulls:,}</td>'
        f"<td>{meter(each.null_share, title=f'{each.name} missing')}</td>"
        f'<td class="n">{escape(share_text(each.null_share))}</td>'
        f'<td class="n">{escape(value_text(each.min))}</td>'
        f'<td class="n">{escape(value_text(each.max))}</td></tr>'
        for each in found.columns
    )
    return (
        f"<table>{_head('column', 'kind', 'nulls', '', 'share', 'least', 'greatest')}{rows}</table>"
    )


def _head(*names: str) -> str:
    cells = (
        f'<th class="{"n" if name in _TO_THE_RIGHT else ""}">{escape(name)}</th>'
        if name
        else "<td></td>"
        for name in names
    )
    return f"<tr>{''.join(cells)}</tr>"


_TO_THE_RIGHT = {
    *("rows", "share", "nulls", "least", "greatest"),
    *("min", "1 %", "median", "99 %", "max", "below 0"),
}
"""Headings of columns of numbers."""


_STYLE = """
h3 { font-size: .95rem; margin: 0 0 .4rem; } .card p { color: var(--soft); }
.charts, .codes { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fill,
  minmax(min(100%, 340px), 1fr)); }
.codes { align-items: start; grid-template-columns: repeat(auto-fill,
  minmax(min(100%, 260px), 1fr)); }
figure { margin: 0; } figcaption { font-weight: 600; font-size: .95rem; margin-bottom: .4rem; }
svg { display: block; width: 100%; } .bar { fill: var(--bar); } .median { fill: var(--median); }
.hit { fill: transparent; } g:hover .hit { fill: var(--line); } g:hover .bar { opacity: .75; }
.axis { fill: var(--soft); font-size: 11px; } .base { stroke: var(--soft); stroke-width: 1; }
.track { fill: var(--line); } .meter { width: 110px; height: 8px; }
.spread { width: 180px; height: 12px; } .codes .meter { width: 80px; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
table.narrow { width: auto; }
th { text-align: left; color: var(--soft); font-weight: 500; }
th.n { text-align: right; }
th, td { padding: .25rem 1rem .25rem 0; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
.n { text-align: right; font-variant-numeric: tabular-nums; } .none { color: var(--soft); }
"""
