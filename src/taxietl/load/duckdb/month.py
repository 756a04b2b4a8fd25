"""A month's statements on an open DuckDB connection; the caller has begun the transaction."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import duckdb  # noqa: TID253  imported only where a DuckDB file is used
import pyarrow as pa  # noqa: TID253

from taxietl.load import ledger
from taxietl.load.duckdb.tables import SCHEMA, Tables
from taxietl.load.sql import quoted, stats_of, stats_select
from taxietl.load.table_names import table_name
from taxietl.steps.protocols import Batches
from taxietl.steps.values import ColumnStats, Entry, LoadReport, Note
from taxietl.tlc.arrow import arrow_schema
from taxietl.tlc.trip_file import TripFile

# Values reach SQL as parameters; what stands in it is a name of ours, or is quoted.
# ruff: noqa: S608

# DuckDB 1.5 reads ahead without a bound until a statement ends: 1.5 GB for 14 million rows. There
# it is fed in parts; 2.0 reads when it writes.
ROWS_A_STATEMENT = 500_000 if duckdb.__version__.startswith("1.") else sys.maxsize

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INCOMING, _NOTED = "taxietl_incoming", "taxietl_noted"


class DuckDBMonth:
    """One month of one table in one DuckDB file."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        trip_file: TripFile,
        table: str,
        target: str,
        *,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """`check` is called before each batch; it raises when the run is to stop."""
        self._check = check
        self._connection = connection
        self._trip_file = trip_file
        self._name = table_name(table, SCHEMA)
        self._table = str(self._name)
        self._target = target
        self._tables = Tables(connection, target)
        self._trips = Tables(connection, target, self._name.schema)
        self._columns = trip_file.dataset.columns
        self._date = f"DATE '{trip_file.source_month}'"
        # DuckDB does not tell `Trips` from `trips`, so neither may the ledger.
        self._current = (
            f"lower(table_name) = lower(?) AND color = ? AND source_month = {self._date} "
            "AND superseded_at IS NULL"
        )

    def entry(self) -> Entry | None:
        """The month's current row in the ledger, and how many of its rows the table holds.

        Raises:
            NotOursError: a table of that name was made by something else.
            ConfigError: it is a table of ours, for something else.
        """
        has_trips = self._trips.has_trips(self._name.name, self._trip_file.dataset)
        if not self._tables.has_ledger():
            return None
        # Times with a zone come back as whole numbers: as values they would need another package.
        names = [
            f"epoch_us({name}) AS {name}" if "TIME ZONE" in kind else name
            for name, kind in ledger.COLUMNS.items()
        ]
        found = self._connection.execute(
            f"SELECT {', '.join(names)} FROM {ledger.LOADS} WHERE {self._current}",
            [self._table, self._trip_file.color],
        ).fetchall()
        if not found:
            return None
        row = dict(zip(ledger.COLUMNS, found[0], strict=True))
        ledger.check_alone(row["load_id"], len(found), target=self._target)
        row["loaded_at"] = _EPOCH + timedelta(microseconds=row["loaded_at"])
        present = self._of_month("count(*)")[0] if has_trips else None
        return Entry(ledger.report_of(row, target=self._target), present)

    def loaded_from(self, sha256: str) -> str | None:
        """Another month of the table, `2021-01`, that was loaded from these bytes."""
        if not self._tables.has_ledger():
            return None
        found = self._connection.execute(
            f"SELECT min(source_month)::TEXT FROM {ledger.LOADS} WHERE superseded_at IS NULL "
            f"AND lower(table_name) = lower(?) AND color = ? AND source_month <> {self._date} "
            "AND source_sha256 = ?",
            [self._table, self._trip_file.color, sha256],
        ).fetchone()
        return found[0][:7] if found and found[0] else None

    def write(self, batches: Batches, load_id: str) -> None:  # noqa: ARG002
        """Put the stream's rows in place of the month's; its own error comes out as itself."""
        incoming = _Incoming(batches, self._trip_file, self._check)
        names = incoming.schema.names
        self._columns = self._trip_file.dataset.columns_with(names)
        of, table = self._trip_file.dataset, self._name.sql
        self._tables.make_ledger()
        self._trips.make_trips(self._name.name, of, names)
        if self._table == of.table:
            self._tables.make_view(of.view)
        self._connection.execute(f"DELETE FROM {table} WHERE source_month = {self._date}")
        listed = ", ".join(quoted(name) for name in names)
        insert = (
            f"INSERT INTO {table} ({listed}, source_month) "
            f"SELECT {listed}, {self._date} FROM {_INCOMING}"
        )
        try:
            for reader in incoming.readers():
                self._connection.register(_INCOMING, reader)
                self._connection.execute(insert)
                self._connection.unregister(_INCOMING)
        except duckdb.Error:
            if incoming.failure is not None:
                raise incoming.failure from None
            raise
        finally:
            incoming.close()

    def counted(self) -> tuple[int, dict[str, ColumnStats]]:
        """The month's rows and each column's nulls and sum, as the table holds them now."""
        counted = stats_select(self._columns)
        rows, *values = self._of_month(f"count(*), {counted}")
        return rows, stats_of(self._columns, values)

    def record(self, report: LoadReport, notes: Sequence[Note]) -> None:
        """Write the load's ledger row and rejects; the row before it is superseded."""
        row = ledger.row_of(report)
        self._connection.execute(
            f"UPDATE {ledger.LOADS} SET superseded_at = ? WHERE {self._current}",
            [row["loaded_at"], self._table, self._trip_file.color],
        )
        self._connection.execute(
            f"INSERT INTO {ledger.LOADS} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
            list(row.values()),
        )
        if notes:
            rejects = [ledger.reject_of(report.load_id, each) for each in notes]
            self._connection.register(_NOTED, pa.Table.from_pylist(rejects))
            self._connection.execute(f"INSERT INTO {ledger.REJECTS} BY NAME FROM {_NOTED}")
            self._connection.unregister(_NOTED)

    def drop(self) -> Entry | None:
        """Delete the month's rows and supersede its ledger row; None if it is not loaded."""
        entry = self.entry()
        if entry is None:
            return None
        if entry.rows_present is not None:
            self._connection.execute(
                f"DELETE FROM {self._name.sql} WHERE source_month = {self._date}"
            )
        self._connection.execute(
            f"UPDATE {ledger.LOADS} SET superseded_at = ? WHERE {self._current}",
            [datetime.now(UTC).isoformat(), self._table, self._trip_file.color],
        )
        return entry

    def _of_month(self, aggregates: str) -> tuple[int, ...]:
        row = self._connection.execute(
            f"SELECT {aggregates} FROM {self._name.sql} WHERE source_month = {self._date}"
        ).fetchone()
        return row or ()


class _Incoming:
    """The stream as DuckDB reads it; keeps the error that ended it, which DuckDB only quotes."""

    def __init__(self, batches: Batches, trip_file: TripFile, check: Callable[[], None]) -> None:
        self._batches = iter(batches)
        self._check = check
        # DuckDB pulls from threads of its own, and one may be at it still when a statement failed.
        self._pulling = threading.Lock()
        self._is_closed = False
        # The first batch tells the file's own new columns, and a broken file before any statement.
        self._next = self._pulled()
        self.schema = self._next.schema if self._next else arrow_schema(trip_file.dataset)
        self.failure: BaseException | None = None

    def readers(self) -> Iterator[pa.RecordBatchReader]:
        """The stream in parts of `ROWS_A_STATEMENT`, each to be read before the next."""
        while self._next is not None:
            yield pa.RecordBatchReader.from_batches(self.schema, self._part())

    def close(self) -> None:
        """Let go of the stream, read to its end or not."""
        with self._pulling:
            self._is_closed = True
            if isinstance(self._batches, Generator):
                self._batches.close()

    def _part(self) -> Iterator[pa.RecordBatch]:
        rows = 0
        try:
            while (batch := self._next) is not None and rows < ROWS_A_STATEMENT:
                rows += batch.num_rows
                yield batch  # Ctrl-C while DuckDB writes is raised here
                self._next = self._pulled()
        except GeneratorExit:  # DuckDB wants no more
            raise
        except BaseException as error:
            self.failure = error
            raise

    def _pulled(self) -> pa.RecordBatch | None:
        with self._pulling:
            if self._is_closed:
                return None
            self._check()
            return next(self._batches, None)
