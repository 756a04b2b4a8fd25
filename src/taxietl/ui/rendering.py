"""Pages from templates, and how times, sizes and texts of others are shown in them.

Every text is escaped, whoever wrote it, and its control characters are shown, not obeyed (see
`terminal.py`): names, log lines and messages come from flows, servers and files.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from taxietl.masking import masked
from taxietl.orchestrator.query.progress import progress_text
from taxietl.terminal import visible

SHORT = 80
"""Characters of JSON that are read as well on one line."""
TEMPLATES = Path(__file__).parent / "templates"


def environment() -> Environment:
    """The templates, with what they call."""
    made = Environment(
        autoescape=True,
        finalize=_shown,
        loader=FileSystemLoader(TEMPLATES),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    made.filters |= {
        "bytes": size,
        "clock": clock,
        "count": count,
        "duration": duration,
        "pretty": pretty,
        "progress": progress_text,
        "readable": readable,
        "short": short,
        "time": time,
    }
    return made


def _shown(value: Any) -> Any:
    """A value as it is shown; what is markup of ours stays so."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, str):
        return masked(visible(value))
    return "" if value is None else value


def _zone() -> ZoneInfo:
    """The taxis' own; a script in the page makes it the reader's."""
    try:
        return ZoneInfo("America/New_York")
    except ZoneInfoNotFoundError:  # a machine without zones
        return ZoneInfo("UTC")


NEW_YORK = _zone()
"""New York, whose zone times are shown in until the page knows its reader's."""


def time(at: datetime | None, form: str = "second") -> Markup:
    """A moment: New York's time by name, the exact one on hover; a script shows the reader's."""
    if at is None:
        return Markup('<span class="quiet">–</span>')
    local = at.astimezone(NEW_YORK)
    exact = at.astimezone(UTC)
    return Markup('<time datetime="{}" title="{}" data-form="{}">{}</time>').format(
        exact.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        f"{exact:%Y-%m-%d %H:%M:%S}.{exact.microsecond // 1000:03d} UTC",
        form,
        f"{local:%b} {local.day}, {local:%H:%M:%S %Z}",
    )


def clock(at: datetime) -> Markup:
    """The same without the day, to the millisecond, for log lines."""
    local, exact = at.astimezone(NEW_YORK), at.astimezone(UTC)
    return Markup('<time datetime="{}" title="{}" data-form="clock">{}</time>').format(
        exact.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        f"{exact:%Y-%m-%d %H:%M:%S}.{exact.microsecond // 1000:03d} UTC",
        f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}",
    )


def duration(seconds: float | None) -> str:
    """`0.04 s`, `12.3 s`, `4 min 05 s`, `2 h 10 min`, `3 d 4 h`."""
    if seconds is None:
        return "–"
    seconds = max(0.0, seconds)
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    return f"{hours // 24} d {hours % 24} h"


def count(number: float) -> str:
    """`1,369,765`."""
    return f"{number:,}"


def size(number: float) -> str:
    """`482 kB`, `1.3 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 999.5:
            return f"{number:.3g} {unit}" if unit != "B" else f"{number:.0f} B"
        number /= 1000
    return f"{number:.3g} TB"


def pretty(value: Any) -> str:
    """JSON as people read it, on one line where it is short; a text as it is."""
    if isinstance(value, str):
        return value
    line = json.dumps(value, ensure_ascii=False, default=str)
    if len(line) <= SHORT:
        return line
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def readable(text: str) -> str:
    """JSON that is kept as text, as people read it; what is none, as it is."""
    try:
        return pretty(json.loads(text))
    except ValueError:
        return text


def short(key: str) -> str:
    """A key of the cache whose digest is cut: enough to name it by."""
    start, slash, digest = key.rpartition("/")
    is_digest = len(digest) == 64 and all(each in "0123456789abcdef" for each in digest)
    return f"{start}{slash}{digest[:12]}" if is_digest else key
