"""A schedule's lines in a crontab: put in, found again and taken out; all other bytes stay.

# BEGIN taxietl schedule nightly
# taxietl schedule nightly: `taxietl schedule rm nightly` removes this. sha256:5f…
# ingest --color green --year 2021 --month all
17 5 * * * /opt/taxietl/bin/taxietl --home /srv/taxi schedule exec nightly
# END taxietl schedule nightly
"""

from __future__ import annotations

import re
import shlex

from taxietl.errors import ConfigError
from taxietl.masking import masked
from taxietl.schedule.definition import Schedule
from taxietl.schedule.stamps import stamped
from taxietl.terminal import one_line

_LONGEST = 990
"""Debian's cron takes commands of under 1000 characters."""


def block(schedule: Schedule) -> str:
    """The lines of a schedule.

    Raises:
        ConfigError: its paths are too long for cron, or hold what no crontab can.
    """
    command = shlex.join((*schedule.line, "schedule", "exec", schedule.name)).replace("%", "\\%")
    if len(command) > _LONGEST or "\n" in command:
        raise ConfigError(
            "The paths of taxietl, its home or its configuration do not fit into a crontab.",
            hint="Choose shorter ones, without line breaks: --home, --config.",
        )
    says = one_line(masked(shlex.join(schedule.command)))
    text = stamped(schedule.name, f"# {says}\n{schedule.when.cron} {command}\n")
    return f"{_begin(schedule.name)}\n{text}{_end(schedule.name)}\n"


def find(crontab: bytes, name: str) -> str | None:
    """The lines of a schedule between its marks, or None if there are none."""
    match = _pattern(name).search(crontab)
    return match["text"].decode("utf-8", "surrogateescape") if match else None


def without(crontab: bytes, name: str) -> bytes:
    """The crontab without the schedule's lines."""
    return _pattern(name).sub(b"", crontab)


def with_block(crontab: bytes, schedule: Schedule) -> bytes:
    """The crontab with the schedule's lines, in the place of earlier ones, or at its end."""
    lines = block(schedule).encode("utf-8", "surrogateescape")
    if find(crontab, schedule.name) is not None:
        return _pattern(schedule.name).sub(lambda _: lines, crontab)
    gap = b"" if not crontab or crontab.endswith(b"\n") else b"\n"
    return crontab + gap + lines


def _pattern(name: str) -> re.Pattern[bytes]:
    begin, end = re.escape(_begin(name).encode()), re.escape(_end(name).encode())
    return re.compile(rb"(?ms)^%s\n(?P<text>.*?)^%s(?:\n|\Z)" % (begin, end))


def _begin(name: str) -> str:
    return f"# BEGIN taxietl schedule {name}"


def _end(name: str) -> str:
    return f"# END taxietl schedule {name}"
