"""What is said on stderr beside the log: as text, or as JSON lines under `--log-format json`."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import TextIO

from taxietl.masking import masked
from taxietl.terminal import visible, visible_json


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
    _write("INFO", text, text)


def warn(text: str) -> None:
    """Write a warning to stderr, whatever --quiet says."""
    _write("WARNING", text, f"warning: {text}")


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


def say_error(message: str, hint: str, trace: str) -> None:
    """Write what went wrong, and what to type next, to stderr."""
    lines = [f"error: {message}", f"hint: {hint}" if hint else "", trace.removesuffix("\n")]
    more = {"hint": hint} | ({"traceback": trace} if trace else {})
    _write("ERROR", message, "\n".join(each for each in lines if each), **more)


def _write(level: str, message: str, text: str, **more: str) -> None:
    line = visible(masked(text))
    if _chosen.format is LogFormat.JSON:
        at = datetime.now().astimezone().isoformat(timespec="milliseconds")
        texts = {name: masked(each) for name, each in ({"message": message} | more).items()}
        said = {"at": at, "level": level, "logger": "taxietl.cli", **texts}
        line = visible_json(json.dumps(said, ensure_ascii=False))
    sys.stderr.write(f"{line}\n")
