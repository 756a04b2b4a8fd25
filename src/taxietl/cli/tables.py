"""Plain columns of text, for people and for `awk`: a row is a line, whatever its cells hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from taxietl.terminal import one_line


def table(headings: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows under their headings, numbers to the right; a missing value is empty."""
    return grid(headings, [[row.get(name) for name in headings] for row in rows])


def grid(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """The same of rows whose values stand in the order of the headings."""
    cells = [[_text(value) for value in row] for row in rows]
    columns = range(len(headings))
    numeric = [
        bool(rows) and all(isinstance(row[index], int | float | None) for row in rows)
        for index in columns
    ]
    widths = [max([len(headings[index]), *(len(row[index]) for row in cells)]) for index in columns]
    lines = []
    for row in [list(headings), *cells]:
        padded = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines) + "\n"


def _text(value: Any) -> str:
    if value is None:
        return ""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return f"{value:,}" if is_number else one_line(str(value))
