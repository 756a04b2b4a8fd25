"""Which months a sync asks the source for. Pure: the date comes by argument.

The TLC publishes a month some two months after its end, and replaces months without notice, most
often young ones. So the last months are always asked for, and with them every month that is
missing since the first that is loaded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date

from taxietl.tlc.datasets import dataset
from taxietl.tlc.month_texts import Month
from taxietl.tlc.trip_file import TripFile

LATEST = 8
"""So many of the latest months are always asked for; the current one has yet to end."""

OVERDUE_DAYS = 180
"""A month that is not published so long after its end is overdue: the TLC needs about 60."""


def months_to_ask(
    color: str,
    today: date,
    *,
    loaded: Collection[TripFile],
    dropped: Collection[TripFile] = (),
    since: Month | None = None,
    every: bool = False,
) -> list[TripFile]:
    """The months of a colour to ask the source for, oldest first; none that has yet to end.

    Args:
        color: the colour.
        today: the day on which it is asked.
        loaded: the colour's months that the target has; any missing since the first is a gap.
        dropped: those that were taken out of it: they stay out.
        since: ask for every month from this one on.
        every: ask for every loaded month, too.
    """
    last = _number((today.year, today.month)) - 1
    first = _number(dataset(color).first_month)
    wanted = set(_months(color, max(first, last - LATEST + 1), last))
    if since is not None:
        wanted |= set(_months(color, max(first, _number(since)), last))
    if loaded:
        oldest = min(loaded)
        known = _months(color, max(first, _number((oldest.year, oldest.month))), last)
        wanted |= set(known) - set(loaded)
    if every:
        wanted |= set(loaded)
    return sorted(wanted - set(dropped))


def is_overdue(trip_file: TripFile, today: date) -> bool:
    """Whether a month that is not published should have been long ago."""
    return (today - trip_file.next_month).days >= OVERDUE_DAYS


def _months(color: str, first: int, last: int) -> Iterator[TripFile]:
    return (TripFile(color, each // 12, each % 12 + 1) for each in range(first, last + 1))


def _number(month: Month) -> int:
    year, of_year = month
    return 12 * year + of_year - 1
