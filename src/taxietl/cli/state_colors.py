"""States in colour on a terminal: of runs and task runs, of schedules' last runs, of slots.

A state is marked where it is written, and coloured where the text leaves for stdout. In between the
text is made harmless, escapes of colours included, and a word in somebody's message stays as it is.
"""

from __future__ import annotations

import os
import re
import sys

_COLORS = {
    32: ("Completed", "Cached", "done", "holds", "ok"),
    31: ("Failed", "TimedOut", "Crashed", "Lost", "failed", "crashed", "problem"),
    33: ("Cancelled", "AwaitingRetry", "Retrying", "interrupted", "try later", "waits", "warning"),
    34: ("Running", "running"),
}
"""By the number of the colour: what reads well on black and on white."""
_BEGIN, _END = "\ufdd0", "\ufdd1"
"""Unicode gives no character to these, and keeps them for uses like this one."""


def marked(text: str, width: int = 0) -> str:
    """A state, or a text that begins with one, to be coloured by `with_colors`; padded to width."""
    return f"{_BEGIN}{text}{_END}{' ' * (width - len(text))}"


def with_colors(text: str) -> str:
    """A text for people, each marked state in its colour where it goes to a terminal."""
    if _BEGIN not in text:
        return text
    shown = _colored if has_colors() else _bare
    return re.sub(f"{_BEGIN}(.*?){_END}", shown, text)


def has_colors() -> bool:
    """Whether results go to a terminal, and nobody said that colours are unwanted."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and sys.stdout.isatty()


def _colored(found: re.Match[str]) -> str:
    for number, words in _COLORS.items():
        if found[1].startswith(words):
            return f"\x1b[{number}m{found[1]}\x1b[0m"
    return found[1]


def _bare(found: re.Match[str]) -> str:
    return found[1]
