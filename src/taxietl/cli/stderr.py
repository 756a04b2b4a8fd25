"""What is said on stderr beside the log: as text, or as JSON lines under `--log-format json`.

Python's own words, too: its warnings, and the errors that no code of ours could catch.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, TextIO

from taxietl.journal import is_journal, with_priority
from taxietl.masking import masked
from taxietl.terminal import visible, visible_json

if TYPE_CHECKING:
    import threading
    from types import TracebackType


class LogFormat(StrEnum):
    """How lines on stderr are written."""

    TEXT = "text"
    JSON = "json"


@dataclass
class _Chosen:
    format: LogFormat = LogFormat.TEXT


_chosen = _Chosen()


def choose_log_format(arguments: Sequence[str]) -> None:
    """Take it from the arguments as they are: they may have a mistake, to be told in it, too."""
    is_json = "--log-format=json" in arguments or ("--log-format", "json") in pairwise(arguments)
    _chosen.format = LogFormat.JSON if is_json else LogFormat.TEXT


def log_format() -> LogFormat:
    """The one that was chosen."""
    return _chosen.format


def say(text: str) -> None:
    """Write a line, or several, to stderr."""
    write_line("INFO", text, text)


def warn(text: str) -> None:
    """Write a warning to stderr, whatever --quiet says."""
    write_line("WARNING", text, f"warning: {text}")


def show_python_warnings() -> None:
    """Write what `warnings.warn` says in this process as a warning, too."""

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,  # noqa: ARG001 - Python gives none of these two
        line: str | None = None,  # noqa: ARG001
    ) -> None:
        warn(f"{category.__name__}: {message} ({filename}:{lineno})")

    warnings.showwarning = show


def show_stray_errors() -> None:
    """Write what is raised where nobody can catch it, in a thread or a destructor, as a warning."""

    def in_thread(stray: threading.ExceptHookArgs) -> None:
        if stray.exc_type is not SystemExit:  # a thread's way to end
            name = stray.thread.name if stray.thread else "?"
            _warn_of(f"Thread {name!r} died", stray.exc_type, stray.exc_value, stray.exc_traceback)

    def anywhere(stray: sys.UnraisableHookArgs) -> None:
        where = stray.err_msg or "Exception ignored in"
        _warn_of(f"{where} {stray.object!r}", stray.exc_type, stray.exc_value, stray.exc_traceback)

    import threading

    threading.excepthook = in_thread
    sys.unraisablehook = anywhere


def _warn_of(
    what: str,
    kind: type[BaseException],
    error: BaseException | None,
    trace: TracebackType | None,
) -> None:
    import traceback

    message = f"{what}: {kind.__name__}: {error}"
    lines = "".join(traceback.format_exception(kind, error, trace)).removesuffix("\n")
    write_line("WARNING", message, f"warning: {message}\n{lines}", traceback=lines)


def say_error(message: str, hint: str, trace: str) -> None:
    """Write what went wrong, and what to type next, to stderr."""
    lines = [f"error: {message}", f"hint: {hint}" if hint else "", trace.removesuffix("\n")]
    more = {"hint": hint} | ({"traceback": trace} if trace else {})
    write_line("ERROR", message, "\n".join(each for each in lines if each), **more)


def write_line(level: str, message: str, text: str, **more: str) -> None:
    """Write to stderr in the format that was chosen.

    Args:
        level: as `logging` names it.
        message: what is said, for JSON.
        text: the same for people; may be several lines.
        more: further fields of the JSON.
    """
    line = visible(masked(text))
    if _chosen.format is LogFormat.JSON:
        at = datetime.now().astimezone().isoformat(timespec="milliseconds")
        texts = {name: masked(each) for name, each in ({"message": message} | more).items()}
        said = {"at": at, "level": level, "logger": "taxietl.cli", **texts}
        line = visible_json(json.dumps(said, ensure_ascii=False))
    if is_journal(sys.stderr):
        line = with_priority(line, level)
    sys.stderr.write(f"{line}\n")
