"""What lies in a DuckDB file, against its ledger; changes nothing, makes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from taxietl.findings import Finding
from taxietl.load.duckdb.check import CHECK_MEMORY, CHECK_PATIENCE_SECONDS
from taxietl.load.duckdb.file import opened
from taxietl.load.duckdb.tables import SCHEMA, Tables
from taxietl.load.ledger import LOADS
from taxietl.load.ledger_contents import MONTHS_SQL, Recorded, compared
from taxietl.load.table_names import table_name

# What stands in these statements is a name of ours, or is quoted.
# ruff: noqa: S608


def contents(path: Path, memory_limit: str | None, profile: str) -> Iterator[Finding]:
    """Count the rows of every month, which DuckDB does by its columns' summaries.

    Raises:
        WarehouseBusyError: another process has the file.
        TargetError: it cannot be read.
    """
    if not path.exists():
        return
    present: dict[tuple[str, str], int | None] = {}
    with opened(
        path,
        read_only=True,
        memory_limit=memory_limit or CHECK_MEMORY,
        patience_seconds=CHECK_PATIENCE_SECONDS,
    ) as connection:
        if not Tables(connection, str(path)).has_ledger():
            return
        rows = connection.execute(MONTHS_SQL.format(LOADS)).fetchall()
        recorded = [Recorded(*row) for row in rows]
        for name in sorted({each.table for each in recorded}):
            table = table_name(name, SCHEMA)
            (found,) = connection.execute(
                "SELECT count(*) FROM duckdb_tables() WHERE lower(schema_name) = lower(?) "
                "AND lower(table_name) = lower(?) AND database_name = current_database()",
                [table.schema, table.name],
            ).fetchone() or (0,)
            if not found:
                continue
            counted = connection.execute(
                f"SELECT CAST(source_month AS VARCHAR), count(*) FROM {table.sql} GROUP BY 1"
            ).fetchall()
            present.update({(name, str(month)): int(count) for month, count in counted})
    yield from compared(profile, recorded, present)
