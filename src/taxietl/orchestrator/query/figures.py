"""Figures of a home for whoever watches over it: of each flow, and of the cache."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from taxietl.orchestrator.query.browsing import flow_names
from taxietl.orchestrator.store.rows import RunRow
from taxietl.orchestrator.store.states import StateName

if TYPE_CHECKING:
    from taxietl.orchestrator.store.history import History


@dataclass(frozen=True)
class FlowFigures:
    """How a flow's runs went."""

    flow: str
    last: RunRow
    """The run that began last."""
    succeeded_at: datetime | None
    """When a run last completed."""


def figures_of_flows(history: History) -> list[FlowFigures]:
    """Those of every flow that ever ran, by name."""
    found = []
    for flow in flow_names(history):
        where = "SELECT * FROM runs WHERE flow = ? ORDER BY rowid DESC LIMIT 1"
        last = RunRow.of(history.database.rows(where, (flow,))[0])
        succeeded = history.database.rows(
            "SELECT ended_at FROM runs WHERE flow = ? AND state = ? ORDER BY rowid DESC LIMIT 1",
            (flow, StateName.COMPLETED),
        )
        at = datetime.fromisoformat(succeeded[0]["ended_at"]) if succeeded else None
        found.append(FlowFigures(flow, last, at))
    return found


def kept_results(history: History) -> tuple[int, int]:
    """How many results the cache keeps, and their bytes with those of their files."""
    row = history.database.rows("SELECT COUNT(*) AS n, COALESCE(SUM(bytes), 0) AS b FROM cache")[0]
    return int(row["n"]), int(row["b"])
