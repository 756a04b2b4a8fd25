"""A month's statements on an open DuckDB connection; the caller has begun the transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import duckdb  # noqa: TID253  imported only where a DuckDB file is used
import pyarrow as pa  # noqa: TID253

from taxietl.errors import NotOursError
from taxietl.load import ledger
from taxietl.steps.protocols import Batches
from taxietl.steps.values import ColumnStats, Entry, LoadReport, Note
from taxietl.tlc.arrow import arrow_schema
from taxietl.tlc.datasets import Column, Kind
from taxietl.tlc.trip_file import TripFile

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Month:
    """One month of one table in one DuckDB file."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        trip_file: TripFile,
        table: str,
        target: str,
    ) -> None:
        self._connection = connection
        self._trip_file = trip_file
        self._table = table
        self._target = target
        self._where = f"source_month = DATE '{trip_file.source_month}'"

    def entry(self) -> Entry | None:
        """The month's current row in the ledger, and how many of its rows the table holds.

        Raises:
            NotOursError: a table of that name was made by something else.
        """
        ours = self._is_ours(self._table)
        if not self._is_ours(ledger.LOADS):
            return None
        # Times with a zone come back as whole numbers: as values they would need a further package.
        names = [
            f"epoch_us({name}) AS {name}" if "TIME ZONE" in kind else name
            for name, kind in ledger.COLUMNS.items()
        ]
        found = self._connection.execute(
            f"SELECT {', '.join(names)} FROM {ledger.LOADS} "
            f"WHERE table_name = ? AND color = ? AND {self._where} AND superseded_at IS NULL",
            [self._table, self._trip_file.color],
        ).fetchone()
        if found is None:
            return None
        row = dict(zip(ledger.COLUMNS, found, strict=True))
        row["loaded_at"] = _EPOCH + timedelta(microseconds=row["loaded_at"])
        present = self._count() if ours else None
        return Entry(ledger.report_of(row, target=self._target), present)

    def write(self, batches: Batches) -> int:
        """Put the stream's rows in place of the month's; returns how many there were."""
        incoming = _Incoming(batches, self._trip_file)
        self._prepare(incoming.schema.names)
        self._connection.execute(f"DELETE FROM {_quoted(self._table)} WHERE {self._where}")
        names = ", ".join(_quoted(name) for name in incoming.schema.names)
        reader = incoming.reader()
        self._connection.register("taxietl_incoming", reader)
        try:
            written = self._connection.execute(
                f"INSERT INTO {_quoted(self._table)} ({names}, source_month) "
                f"SELECT {names}, DATE '{self._trip_file.source_month}' FROM taxietl_incoming"
            ).fetchone()
        except duckdb.Error:
            if incoming.failure is not None:
                raise incoming.failure from None
            raise
        finally:
            self._connection.unregister("taxietl_incoming")
        return int(written[0]) if written else 0

    def stats(self) -> dict[str, ColumnStats]:
        """Each column's nulls and sum, as the table holds the month now."""
        columns = self._trip_file.dataset.columns
        parts = [f"count(*) - count({_quoted(each.name)}), {_sum(each)}" for each in columns]
        row = self._connection.execute(
            f"SELECT {', '.join(parts)} FROM {_quoted(self._table)} WHERE {self._where}"
        ).fetchone()
        values = iter(row or ())
        return {each.name: ColumnStats(next(values), next(values)) for each in columns}

    def record(self, report: LoadReport, notes: Sequence[Note]) -> None:
        """Write the load's ledger row and rejects; the row before it is superseded."""
        row = ledger.row_of(report)
        self._connection.execute(
            f"UPDATE {ledger.LOADS} SET superseded_at = ? "
            f"WHERE table_name = ? AND color = ? AND {self._where} AND superseded_at IS NULL",
            [row["loaded_at"], self._table, self._trip_file.color],
        )
        self._connection.execute(
            f"INSERT INTO {ledger.LOADS} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
            list(row.values()),
        )
        if notes:
            rejects = pa.Table.from_pylist(
                [
                    {
                        "load_id": report.load_id,
                        "kind": each.kind,
                        "line": each.line,
                        "column_name": each.column,
                        "reason": each.reason,
                        "raw": each.raw,
                    }
                    for each in notes
                ]
            )
            self._connection.register("taxietl_noted", rejects)
            self._connection.execute(f"INSERT INTO {ledger.REJECTS} BY NAME FROM taxietl_noted")
            self._connection.unregister("taxietl_noted")

    def _prepare(self, names: Sequence[str]) -> None:
        """Have every table, with every column that the incoming rows have."""
        execute = self._connection.execute
        if not self._is_ours(ledger.LOADS):
            self._create(ledger.LOADS, ledger.ddl(ledger.COLUMNS), "ledger, one row a load")
            execute(
                f"CREATE VIEW {ledger.MONTHS} AS SELECT * FROM {ledger.LOADS} "
                "WHERE superseded_at IS NULL"
            )
        if not self._is_ours(ledger.REJECTS):
            self._create(ledger.REJECTS, ledger.ddl(ledger.REJECT_COLUMNS), "what was not loaded")
        dataset = self._trip_file.dataset
        if not self._is_ours(self._table):
            columns = [f"{_quoted(each.name)} {each.kind.sql_type}" for each in dataset.columns]
            ddl = ", ".join([*columns, "source_month DATE NOT NULL"])
            self._create(self._table, ddl, f"{dataset.color} trips of the NYC TLC")
        present = {name.lower() for name in self._columns()}
        kinds = {each.name: each.kind.sql_type for each in dataset.columns}
        for name in names:
            if name.lower() not in present:
                execute(
                    f"ALTER TABLE {_quoted(self._table)} "
                    f"ADD COLUMN {_quoted(name)} {kinds.get(name, 'TEXT')}"
                )

    def _create(self, table: str, columns: str, comment: str) -> None:
        self._connection.execute(f"CREATE TABLE {_quoted(table)} ({columns})")
        self._connection.execute(
            f"COMMENT ON TABLE {_quoted(table)} IS '{ledger.MARKER}: {comment}'"
        )

    def _is_ours(self, table: str) -> bool:
        """Whether the table is there and ours.

        Raises:
            NotOursError: it is there, and is not.
        """
        found = self._connection.execute(
            "SELECT comment FROM duckdb_tables() WHERE schema_name = 'main' "
            "AND database_name = current_database() AND lower(table_name) = lower(?) "
            "UNION ALL SELECT 'a view' FROM duckdb_views() WHERE schema_name = 'main' "
            "AND database_name = current_database() AND lower(view_name) = lower(?)",
            [table, table],
        ).fetchone()
        if found is None:
            return False
        if not str(found[0] or "").startswith(f"{ledger.MARKER}:"):
            raise NotOursError(
                f"{self._target} has a table {table} that taxietl did not make.",
                hint="It is left alone. Load into another table with --table NAME, or rename that one.",
            )
        return True

    def _columns(self) -> list[str]:
        rows = self._connection.execute(
            "SELECT column_name FROM duckdb_columns() WHERE schema_name = 'main' "
            "AND database_name = current_database() AND lower(table_name) = lower(?)",
            [self._table],
        ).fetchall()
        return [str(name) for (name,) in rows]

    def _count(self) -> int:
        row = self._connection.execute(
            f"SELECT count(*) FROM {_quoted(self._table)} WHERE {self._where}"
        ).fetchone()
        return int(row[0]) if row else 0


class _Incoming:
    """The stream as DuckDB reads it; keeps the error that ended it, which DuckDB only quotes."""

    def __init__(self, batches: Batches, trip_file: TripFile) -> None:
        self._batches = iter(batches)
        # The first batch tells the file's own new columns, and a broken file before any statement.
        self._first = next(self._batches, None)
        self.schema = self._first.schema if self._first else arrow_schema(trip_file.dataset)
        self.failure: BaseException | None = None

    def reader(self) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(self.schema, self._pulled())

    def _pulled(self) -> Iterator[pa.RecordBatch]:
        try:
            if self._first is not None:
                yield self._first
                self._first = None
            yield from self._batches
        except BaseException as error:
            self.failure = error
            raise


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _sum(column: Column) -> str:
    """SQL for a column's sum as a whole number; see `ColumnStats.sum`.

    Databases add floats in any order, so each is rounded, half up, before it is added.
    """
    name = _quoted(column.name)
    match column.kind:
        case Kind.TEXT:
            return "NULL"
        case Kind.TIME:
            return f"sum(epoch_us({name}))"
        case Kind.MONEY:
            return f"sum(TRY_CAST(floor({name} * 100 + 0.5) AS HUGEINT))"
        case Kind.MILES | Kind.DEGREES:
            return f"sum(TRY_CAST(floor({name} * 1000000 + 0.5) AS HUGEINT))"
        case _:
            return f"sum({name})"
