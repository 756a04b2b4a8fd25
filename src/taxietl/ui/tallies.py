"""What became of the rows of a load: read, loaded, left out by which rule, rejected, made null.

It is read off the reports that loads return, which the history keeps. Pure.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from taxietl.orchestrator.store.rows import TaskRunRow


@dataclass(frozen=True)
class Share:
    """One part of the rows that were read, from where in the picture, in percent."""

    name: str
    kind: str
    """`loaded`, `dropped` or `rejected`."""
    rows: int
    x: float
    width: float


@dataclass(frozen=True)
class Tally:
    """Of one load, or of several together."""

    loads: int
    read: int
    loaded: int
    dropped: Mapping[str, int]
    """By rule."""
    rejected: int
    nulled: Mapping[str, int]
    """Values that are no values of their column, by column."""

    @property
    def shares(self) -> list[Share]:
        """The rows read, side by side."""
        parts = [("loaded", "loaded", self.loaded)]
        parts += [(rule, "dropped", rows) for rule, rows in self.dropped.items()]
        parts += [("rejected", "rejected", self.rejected)]
        whole = sum(rows for _, _, rows in parts) or 1
        found, x = [], 0.0
        for name, kind, rows in parts:
            if rows:
                width = rows / whole * 100
                found.append(Share(name, kind, rows, x, width))
                x += width
        return found


def tally_of(calls: Iterable[TaskRunRow]) -> Tally | None:
    """What the loads among those calls did together; None if there are none.

    A child run's result is its load's, and counts once.
    """
    reports = {
        str(report["load_id"]): report
        for call in calls
        if call.result and '"load_id"' in call.result
        for report in [_report(call.result)]
        if report and report.get("action") != "nothing to do"
    }
    if not reports:
        return None
    found = reports.values()
    return Tally(
        loads=len(reports),
        read=sum(each["rows_read"] for each in found),
        loaded=sum(each["rows_loaded"] for each in found),
        dropped=_sum(each.get("rows_dropped") for each in found),
        rejected=sum(each.get("rows_rejected") or 0 for each in found),
        nulled=_sum(each.get("values_nulled") for each in found),
    )


def _report(result: str) -> dict[str, Any] | None:
    try:
        value = json.loads(result)
    except ValueError:
        return None
    is_load = isinstance(value, dict) and value.get("load_id")
    counts = [value.get(name) for name in ("rows_read", "rows_loaded")] if is_load else [None]
    return value if all(isinstance(each, int) for each in counts) else None


def _sum(counts: Iterable[Any]) -> dict[str, int]:
    total = Counter[str]()
    for each in counts:
        if isinstance(each, Mapping):
            total.update({str(name): n for name, n in each.items() if isinstance(n, int)})
    return dict(total.most_common())
