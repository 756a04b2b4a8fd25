"""Replace a month in a SQLite file: rows, ledger row and rejects in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from taxietl.errors import NoWarehouseError
from taxietl.load.dialect import Dialect
from taxietl.load.replacement import replace_month
from taxietl.load.sql_warehouse import SqlWarehouse
from taxietl.steps.protocols import NEVER, Batches, Cancellation
from taxietl.steps.values import Entry, LoadReport, LoadRequest, SourceFile
from taxietl.tlc.trip_file import TripFile
from taxietl_sqlite.file import answer, opened
from taxietl_sqlite.month import SqliteMonth
from taxietl_sqlite.profile import SqliteProfile

SQLITE = Dialect(
    tables="SELECT name FROM sqlite_master WHERE type = 'table'",
    seconds="unixepoch(substr({}, 1, 19))",
    minute="CAST(strftime('%M', {}) AS INTEGER)",
    hour="CAST(strftime('%H', {}) AS INTEGER)",
    day="date({})",
    date="'{}'",
    time="'{}'",
)


class SqliteLoader(SqlWarehouse):
    """The loader for profiles of type `sqlite`."""

    dialect = SQLITE
    schema = "main"
    takes_connections = False

    def __init__(self, profile: SqliteProfile) -> None:
        self._path = Path(profile.path)
        self.target = str(self._path)

    @contextmanager
    def query(self, statement: str) -> Iterator[pa.RecordBatchReader]:
        """See `taxietl.steps.protocols.Loader`."""
        with opened(self._path, read_only=True) as connection:
            yield answer(connection, statement)

    def entry(self, trip_file: TripFile, table: str) -> Entry | None:
        """See `Loader`."""
        try:
            with opened(self._path, read_only=True) as connection:
                return SqliteMonth(connection, trip_file, table, self.target).entry()
        except NoWarehouseError:
            return None

    def load(
        self, file: SourceFile, batches: Batches, request: LoadRequest, cancellation: Cancellation
    ) -> LoadReport:
        """See `Loader`."""
        with self._transaction(cancellation) as connection:
            month = SqliteMonth(
                *(connection, request.trip_file, request.table, self.target),
                check=cancellation.check,
            )
            return replace_month(month, file, batches, request, target=self.target)

    def drop(
        self, trip_file: TripFile, table: str, *, run_name: str, cancellation: Cancellation = NEVER
    ) -> Entry | None:
        """See `taxietl.steps.protocols.Dropper`."""
        if not self._path.exists():
            return None
        with self._transaction(cancellation) as connection:
            return SqliteMonth(connection, trip_file, table, self.target).drop()

    @contextmanager
    def _transaction(self, cancellation: Cancellation) -> Iterator[sqlite3.Connection]:
        """The file's write lock is every month's; it is undone unless the block ends well."""
        with (
            opened(self._path, read_only=False) as connection,
            cancellation.on_cancel(connection.interrupt),
        ):
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                cancellation.check()
                connection.execute("COMMIT")
            except sqlite3.OperationalError:
                cancellation.check()  # an interrupted statement fails; this says why
                raise
