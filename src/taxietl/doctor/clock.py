"""How far off a clock may be, and how that is said."""

from __future__ import annotations

from datetime import timedelta

CLOCK = "clock"

MOST_OFF = timedelta(minutes=5)
"""Google refuses tokens of a clock that is further off; certificates seem expired or to come."""

CLOCK_HINT = "Have it set by the network: timedatectl set-ntp true"


def span(time: timedelta) -> str:
    """A length of time in its largest unit."""
    seconds = abs(time.total_seconds())
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:,.0f} seconds"
