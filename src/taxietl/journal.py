"""Lines for systemd's journal: each begins with the priority that `journalctl -p` chooses by.

The journal takes `<4>` off a line again. Whatever else reads stderr gets none: systemd says in
JOURNAL_STREAM which file the journal is, and a child of the service may write to another one.

Source: systemd.exec(5), `JOURNAL_STREAM` and `SyslogLevelPrefix=`; sd-daemon(3).
"""

from __future__ import annotations

import os
from typing import TextIO

_PRIORITIES = {"CRITICAL": 2, "ERROR": 3, "WARNING": 4, "INFO": 6, "DEBUG": 7}


def is_journal(stream: TextIO) -> bool:
    """Whether what is written there goes to the journal."""
    named = os.environ.get("JOURNAL_STREAM")
    if not named:
        return False
    try:
        found = os.fstat(stream.fileno())
    except (AttributeError, OSError, ValueError):  # closed, or no file at all
        return False
    return named == f"{found.st_dev}:{found.st_ino}"


def with_priority(text: str, level: str) -> str:
    """The text with the priority of that level before each of its lines.

    Args:
        level: as `logging` names it; another one counts as INFO.
    """
    prefix = f"<{_PRIORITIES.get(level, _PRIORITIES['INFO'])}>"
    return prefix + text.replace("\n", f"\n{prefix}")
