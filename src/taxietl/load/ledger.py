"""The ledger's columns, the same in every warehouse, and the way between a row and our values.

`taxietl_loads` is append-only: one row a load, written with the rows it tells of, never changed
but for `superseded_at`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from taxietl.steps.values import ColumnStats, LoadReport, Note, Transform
from taxietl.tlc.trip_file import TripFile

LOADS, REJECTS, MONTHS = "taxietl_loads", "taxietl_rejects", "taxietl_months"

RAW_KEPT = 4096
"""Of a rejected line or an unreadable cell, in characters."""

COLUMNS: Mapping[str, str] = {
    "load_id": "TEXT NOT NULL",
    "table_name": "TEXT NOT NULL",
    "color": "TEXT NOT NULL",
    "source_month": "DATE NOT NULL",
    "source": "TEXT NOT NULL",
    "source_url": "TEXT NOT NULL",
    "source_etag": "TEXT",
    "source_bytes": "BIGINT",
    "source_sha256": "TEXT NOT NULL",
    "era": "TEXT NOT NULL",
    "contract_version": "TEXT NOT NULL",
    "rows_read": "BIGINT NOT NULL",
    "rows_loaded": "BIGINT NOT NULL",
    "rows_dropped": "JSON NOT NULL",
    "rows_rejected": "BIGINT NOT NULL",
    "values_nulled": "JSON NOT NULL",
    "column_stats": "JSON NOT NULL",
    "transforms": "JSON NOT NULL",
    "new_columns": "JSON NOT NULL",
    "run_id": "TEXT NOT NULL",
    "run_name": "TEXT NOT NULL",
    "taxietl_version": "TEXT NOT NULL",
    "loaded_at": "TIMESTAMP WITH TIME ZONE NOT NULL",
    "superseded_at": "TIMESTAMP WITH TIME ZONE",
}
"""Of `taxietl_loads`, with their standard SQL types."""

REJECT_COLUMNS: Mapping[str, str] = {
    "load_id": "TEXT NOT NULL",
    "kind": "TEXT NOT NULL",
    "line": "BIGINT NOT NULL",
    "column_name": "TEXT",
    "reason": "TEXT NOT NULL",
    "raw": "TEXT NOT NULL",
}
"""Of `taxietl_rejects`."""


def row_of(report: LoadReport) -> dict[str, Any]:
    """A report as its ledger row; `superseded_at` is left out."""
    stats = {name: asdict(each) for name, each in report.column_stats.items()}
    return {
        "load_id": report.load_id,
        "table_name": report.table,
        "color": report.trip_file.color,
        "source_month": report.trip_file.source_month.isoformat(),
        "source": report.source,
        "source_url": report.source_url,
        "source_etag": report.source_etag,
        "source_bytes": report.source_bytes,
        "source_sha256": report.source_sha256,
        "era": report.era,
        "contract_version": report.contract_version,
        "rows_read": report.rows_read,
        "rows_loaded": report.rows_loaded,
        "rows_dropped": json.dumps(dict(report.rows_dropped)),
        "rows_rejected": report.rows_rejected,
        "values_nulled": json.dumps(dict(report.values_nulled)),
        "column_stats": json.dumps(stats),
        "transforms": json.dumps([asdict(each) for each in report.transforms]),
        "new_columns": json.dumps(list(report.new_columns)),
        "run_id": report.run_id,
        "run_name": report.run_name,
        "taxietl_version": report.taxietl_version,
        "loaded_at": report.loaded_at.isoformat(),
    }


def reject_of(load_id: str, note: Note) -> dict[str, Any]:
    """A rejected line or an unreadable cell as its row."""
    return {
        "load_id": load_id,
        "kind": note.kind,
        "line": note.line,
        "column_name": note.column,
        "reason": note.reason,
        "raw": note.raw[:RAW_KEPT],
    }


def report_of(row: Mapping[str, Any], *, target: str) -> LoadReport:
    """A ledger row as the report it was made from.

    Args:
        row: the columns by name; JSON ones as text or taken apart, times with their zone.
        target: the warehouse in words.
    """

    def taken_apart(name: str) -> Any:
        return json.loads(row[name]) if isinstance(row[name], str) else row[name]

    month: date = row["source_month"]
    return LoadReport(
        action="loaded",
        reason="",
        load_id=row["load_id"],
        trip_file=TripFile(row["color"], month.year, month.month),
        target=target,
        table=row["table_name"],
        source=row["source"],
        source_url=row["source_url"],
        source_etag=row["source_etag"],
        source_bytes=row["source_bytes"],
        source_sha256=row["source_sha256"],
        era=row["era"],
        contract_version=row["contract_version"],
        rows_read=row["rows_read"],
        rows_loaded=row["rows_loaded"],
        rows_dropped=taken_apart("rows_dropped"),
        rows_rejected=row["rows_rejected"],
        values_nulled=taken_apart("values_nulled"),
        column_stats={
            name: ColumnStats(**each) for name, each in taken_apart("column_stats").items()
        },
        transforms=tuple(Transform(**each) for each in taken_apart("transforms")),
        new_columns=tuple(taken_apart("new_columns")),
        run_id=row["run_id"],
        run_name=row["run_name"],
        taxietl_version=row["taxietl_version"],
        loaded_at=row["loaded_at"],
    )
