"""A coverage as a web page of its own."""

from __future__ import annotations

from html import escape

from taxietl.cli.pages import document, tile
from taxietl.flows.coverage import Coverage
from taxietl.pictures.coverage import STYLE, calendar, figures
from taxietl.pictures.coverage_words import origin_text


def page(found: Coverage) -> str:
    """The whole document."""
    when = f"{found.at:%Y-%m-%d %H:%M %Z}".strip()
    tiles = "".join(tile(value, label) for value, label in figures(found))
    body = "\n".join(
        [
            f"<header><h1>NYC taxi trips</h1><p>{escape(origin_text(found))} · {escape(when)}</p>"
            "</header>",
            f'<section class="tiles">{tiles}</section>',
            calendar(found),
        ]
    )
    style = STYLE.read_text(encoding="utf-8") + _PRINT
    return document("NYC taxi trips: what is loaded", body, style=style)


_PRINT = """
@media print { :root { color-scheme: light; --back: #fff; --card: #fff; --ink: #1d2125;
  --soft: #667079; --line: #d5d8d3; } body { padding: 0; max-width: none; } }
"""
