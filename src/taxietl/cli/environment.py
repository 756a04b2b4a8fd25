"""What a command is given from outside, checked before it runs: arguments, variables, folder.

Names of files go into the history, into JSON, databases and addresses, all of which are UTF-8; a
time is shown in the zone that TZ names.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from taxietl.errors import ConfigError

_VARIABLES = ("HOME", "TMPDIR", "TZ")
_PREFIXES = ("TAXIETL_", "XDG_")


def check_environment(arguments: Sequence[str]) -> None:
    """Refuse what no command could use.

    Raises:
        ConfigError: a text holds a byte that is not UTF-8, or TZ is no time zone.
    """
    for what, text in _texts(arguments):
        if not _is_utf8(text):
            shown = os.fsencode(text).decode("utf-8", "backslashreplace")
            raise ConfigError(
                f"{what} is not UTF-8: {shown}.",
                hint="Rename the file or folder (mv OLD NEW), or reach it by another name "
                "(ln -s OLD NEW), and give that one.",
            )
    try:
        datetime.now().astimezone()
    except (ValueError, OverflowError) as error:
        raise ConfigError(
            f"The environment variable TZ is {os.environ.get('TZ', '')!r}, which is no time zone.",
            hint="Name one of the time zone database, TZ=America/New_York for instance, or "
            "leave it out: unset TZ.",
        ) from error


def _texts(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What each is called in a message, and the text."""
    for argument in arguments:
        yield "An argument of the command", argument
    for name, value in os.environ.items():
        if name in _VARIABLES or name.startswith(_PREFIXES):
            yield f"The environment variable {name}", value
    try:
        yield "The name of the current folder", str(Path.cwd())
    except OSError:
        return  # it was removed; a command that needs it says so


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
