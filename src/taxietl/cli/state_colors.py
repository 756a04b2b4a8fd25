"""The states of runs and task runs in colour, on terminals that have some."""

from __future__ import annotations

import os
import re
import sys

_COLORS = {
    "32": ("Completed", "Cached"),
    "31": ("Failed", "TimedOut", "Crashed", "Lost"),
    "33": ("Cancelled", "AwaitingRetry", "Retrying"),
    "34": ("Running",),
}
"""By the number of the colour: what reads well on black and on white."""
_STATE = re.compile(
    r"(?<![\w'-])(?:"
    + "|".join(f"({'|'.join(names)})" for names in _COLORS.values())
    + r")(?![\w'-])"
)


def with_colors(text: str) -> str:
    """A text for people, each state in its colour where it goes to a terminal."""
    if not has_colors():
        return text
    numbers = tuple(_COLORS)
    return _STATE.sub(lambda found: f"\x1b[{numbers[found.lastindex - 1]}m{found[0]}\x1b[0m", text)  # type: ignore[operator]


def has_colors() -> bool:
    """Whether results go to a terminal, and nobody said that colours are unwanted."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and sys.stdout.isatty()
