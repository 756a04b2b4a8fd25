"""The ledger's columns, the same in every warehouse, and the way between a row and our values.

`taxietl_loads` is append-only: one row a load, written with the rows it tells of, never changed
but for `superseded_at`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from typing import Any, TypeVar

from taxietl.errors import TargetError
from taxietl.steps.values import ColumnStats, Entry, LoadReport, Note, Transform
from taxietl.tlc.trip_file import TripFile

Read = TypeVar("Read")

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


class BrokenLedgerError(TargetError):
    """A row of the ledger is not as taxietl wrote it."""

    def __init__(self, load_id: str, target: str, why: str) -> None:
        super().__init__(
            f"Row {load_id} of {LOADS} in {target} is not as taxietl wrote it: {why}.",
            hint="Load its month again with --force, which writes a new row; or correct that one.",
        )


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

    Raises:
        BrokenLedgerError: it is not as taxietl wrote it.
    """
    month: date = row["source_month"]
    with taken_for_whole(row["load_id"], target):
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
            rows_dropped=counts_of("rows_dropped", row["rows_dropped"]),
            rows_rejected=row["rows_rejected"],
            values_nulled=counts_of("values_nulled", row["values_nulled"]),
            column_stats=column_stats_of(row["column_stats"]),
            transforms=transforms_of(row["transforms"]),
            new_columns=new_columns_of(row["new_columns"]),
            run_id=row["run_id"],
            run_name=row["run_name"],
            taxietl_version=row["taxietl_version"],
            loaded_at=row["loaded_at"],
        )


def repairable(entry: Callable[[], Entry | None], *, force: bool) -> Entry | None:
    """The month's entry; where its row is broken None, if the load that writes another is forced.

    Raises:
        BrokenLedgerError: the row is broken, and nobody said --force.
    """
    try:
        return entry()
    except BrokenLedgerError:
        if not force:
            raise
        return None


def check_alone(load_id: str, current: int, *, target: str) -> None:
    """Demand that a month has one current row.

    Raises:
        BrokenLedgerError: somebody has made it more.
    """
    if current > 1:
        raise BrokenLedgerError(load_id, target, f"its month has {current} rows not superseded")


@contextmanager
def taken_for_whole(load_id: str, target: str) -> Iterator[None]:
    """Read a row in the block; what somebody made of it by hand comes out as an error of ours."""
    try:
        yield
    except ValueError as error:
        raise BrokenLedgerError(load_id, target, str(error)) from error


def counts_of(name: str, cell: Any) -> dict[str, int]:
    """The counts in the JSON cell of that column, by name; to be read in `taken_for_whole`.

    Raises:
        ValueError: it holds something else.
    """
    return _read(name, cell, lambda value: {key: _whole(each) for key, each in value.items()})


def column_stats_of(cell: Any) -> dict[str, ColumnStats]:
    """The cell of `column_stats`, likewise."""

    def stats(each: Mapping[str, Any]) -> ColumnStats:
        total = each["sum"]
        return ColumnStats(_whole(each["nulls"]), None if total is None else _whole(total))

    return _read(
        "column_stats", cell, lambda value: {key: stats(each) for key, each in value.items()}
    )


def new_columns_of(cell: Any) -> tuple[str, ...]:
    """The cell of `new_columns`, likewise."""
    return _read("new_columns", cell, lambda value: tuple("" + each for each in value))


def transforms_of(cell: Any) -> tuple[Transform, ...]:
    """The cell of `transforms`, likewise."""
    return _read("transforms", cell, lambda value: tuple(Transform(**each) for each in value))


def _read(name: str, cell: Any, read: Callable[[Any], Read]) -> Read:
    try:
        return read(json.loads(cell) if isinstance(cell, str) else cell)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{name} is {str(cell)[:60]!r}") from error


def _whole(number: Any) -> int:
    if not isinstance(number, int):
        raise TypeError
    return number
