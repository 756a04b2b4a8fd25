"""Plain columns of text, for people and for `awk`: a row is a line, whatever its cells hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from taxietl.terminal import one_line


def table(headings: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows under their headings, numbers to the right; a missing value is empty."""
    cells = [[_text(row.get(name)) for name in headings] for row in rows]
    numeric = [
        bool(rows) and all(isinstance(row.get(name), int | float | None) for row in rows)
        for name in headings
    ]
    widths = [
        max([len(name), *(len(row[index]) for row in cells)]) for index, name in enumerate(headings)
    ]
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
