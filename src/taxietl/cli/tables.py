"""Plain columns of text, for people and for `awk`: a row is a line, whatever its cells hold.

On a terminal a table is as wide as that: what does not fit ends in `…`, from the widest column on,
then states, and names, numbers and times last. Elsewhere nothing is left out.
"""

from __future__ import annotations

import os
import re
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from taxietl.cli.state_colors import marked
from taxietl.terminal import one_line

GAP = "  "
LEAST_WIDTH = 8
"""No column is made narrower."""
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d")


def table(
    headings: Sequence[str], rows: Sequence[Mapping[str, Any]], *, state: str | None = None
) -> str:
    """Rows under their headings, numbers to the right; a missing value is empty.

    Args:
        headings: the names of the columns, in order.
        rows: what each has in them.
        state: the column whose cells are states, or begin with one.
    """
    cells = [[row.get(name) for name in headings] for row in rows]
    return grid(headings, cells, width=terminal_width(), state=state)


def grid(
    headings: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    width: int | None = None,
    state: str | None = None,
) -> str:
    """The same of rows whose values stand in the order of the headings, in that width."""
    cells = [[_text(value) for value in row] for row in rows]
    columns = range(len(headings))
    numeric = [
        bool(rows) and all(isinstance(row[index], int | float | None) for row in rows)
        for index in columns
    ]
    widths = [max([len(headings[index]), *(len(row[index]) for row in cells)]) for index in columns]
    if width is not None:
        kept = [index == 0 or numeric[index] or _are_times(cells, index) for index in columns]
        texts = [index for index in columns if not kept[index] and headings[index] != state]
        states = [index for index in columns if headings[index] == state]
        widths = _fitted(widths, (texts, states, columns), width)
    lines: list[str] = []
    for row in [list(headings), *cells]:
        padded = [
            _cut(cell, wide).rjust(wide) if right else _cut(cell, wide).ljust(wide)
            for cell, wide, right in zip(row, widths, numeric, strict=True)
        ]
        if lines:  # below the headings
            padded = [
                marked(text.rstrip(), wide) if name == state and text.strip() else text
                for name, text, wide in zip(headings, padded, widths, strict=True)
            ]
        lines.append(GAP.join(padded).rstrip())
    return "\n".join(lines) + "\n"


def fitting(line: str) -> str:
    """A line of a text, broken between words where the terminal ends; below it, indented more."""
    width = terminal_width()
    if width is None or len(line) <= width:
        return line
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    return textwrap.fill(
        line,
        width,
        subsequent_indent=indent,
        drop_whitespace=True,
        break_long_words=False,
        break_on_hyphens=False,
    )


def terminal_width() -> int | None:
    """How wide the terminal is that results go to; None where they go elsewhere."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else None
    except (OSError, ValueError):
        return None


def _fitted(widths: Sequence[int], order: Sequence[Sequence[int]], width: int) -> list[int]:
    """The widths, the widest made narrower until all fit: of the first columns, of the next, …"""
    found = list(widths)
    for may_be_cut in order:
        while may_be_cut and sum(found) + len(GAP) * (len(found) - 1) > width:
            widest = max(may_be_cut, key=lambda index: found[index])
            if found[widest] <= LEAST_WIDTH:
                break
            found[widest] -= 1
    return found


def _are_times(cells: Sequence[Sequence[str]], index: int) -> bool:
    filled = [row[index] for row in cells if row[index]]
    return bool(filled) and all(map(_TIME.match, filled))


def _cut(cell: str, width: int) -> str:
    return cell if len(cell) <= width else f"{cell[: width - 1]}…"


def _text(value: Any) -> str:
    if value is None:
        return ""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return f"{value:,}" if is_number else one_line(str(value))
