"""The zone table's own ledger and view, the same in every warehouse. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from taxietl.load.sql import quoted
from taxietl.steps.zones import PreviousZones, ZoneReport, ZoneRequest
from taxietl.tlc.zones import COLUMNS, TABLE, VIEW_COLUMNS
from taxietl.version import __version__

LOADS = "taxietl_zone_loads"

ROLE, LOADS_ROLE, VIEW_ROLE = (
    "taxi zones of the NYC TLC",
    "ledger of the taxi zones, one row a load",
    "plain-named taxi zones",
)

LISTED = ", ".join(quoted(name) for name in COLUMNS)
"""The zone table's columns, as a statement names them."""

HINT = "It is left alone. Rename it, and run again."

LOAD_COLUMNS: Mapping[str, str] = {
    "load_id": "TEXT NOT NULL",
    "source": "TEXT NOT NULL",
    "source_url": "TEXT NOT NULL",
    "source_bytes": "BIGINT NOT NULL",
    "source_sha256": "TEXT NOT NULL",
    "rows_loaded": "BIGINT NOT NULL",
    "run_id": "TEXT NOT NULL",
    "run_name": "TEXT NOT NULL",
    "taxietl_version": "TEXT NOT NULL",
    "loaded_at": "TIMESTAMP WITH TIME ZONE NOT NULL",
    "superseded_at": "TIMESTAMP WITH TIME ZONE",
}
"""Of the ledger; append-only but for `superseded_at`."""


def new_report(
    request: ZoneRequest, action: str, reason: str, *, current: ZoneReport | None, target: str
) -> ZoneReport:
    """The report of a load that puts the request's rows into the table.

    Args:
        current: the table's last load.
    """
    replaced = None
    if action == "replace" and current is not None:
        replaced = PreviousZones(current.source, current.source_sha256, current.rows_loaded)
    return ZoneReport(
        action="replaced" if action == "replace" else "loaded",
        reason=reason,
        load_id=str(uuid.uuid4()),
        target=target,
        table=TABLE,
        source=request.file.source,
        source_url=request.file.url,
        source_bytes=len(request.file.content),
        source_sha256=request.file.sha256,
        rows_loaded=len(request.zones),
        run_id=request.run_id,
        run_name=request.run_name,
        taxietl_version=__version__,
        loaded_at=datetime.now(UTC),
        replaced=replaced,
    )


def row_of(report: ZoneReport) -> dict[str, Any]:
    """A report as its ledger row; `superseded_at` is left out."""
    row = {name: getattr(report, name) for name in LOAD_COLUMNS if name != "superseded_at"}
    return row | {"loaded_at": report.loaded_at.isoformat()}


def report_of(row: Mapping[str, Any], *, target: str) -> ZoneReport:
    """A ledger row as the report it was made from."""
    kept = {name: value for name, value in row.items() if name != "superseded_at"}
    return ZoneReport(action="loaded", reason="", target=target, table=TABLE, **kept)


def view_select(table: str) -> str:
    """The plain-named view's SELECT; `table` is quoted already."""
    listed = ", ".join(f"{quoted(own)} AS {plain}" for plain, own in VIEW_COLUMNS.items())
    return f"SELECT {listed} FROM {table}"  # noqa: S608  every name is of the contract, or quoted
