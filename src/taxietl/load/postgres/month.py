"""A month's statements in a PostgreSQL transaction: built aside, then swapped in.

Until the swap nothing that others use is locked: the new partition is a table of its own, and what
is there is looked up in the catalogs. The swap comes last, in a savepoint, under a lock time-out.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from itertools import chain

import pyarrow as pa  # noqa: TID253  imported only where a PostgreSQL database is used
from psycopg2.extras import execute_values  # noqa: TID253

from taxietl.load import ledger
from taxietl.load.arrow_stats import PassingStats
from taxietl.load.postgres.connection import Session
from taxietl.load.postgres.copy.encode import encode
from taxietl.load.postgres.copy.stream import copy_rows
from taxietl.load.postgres.locks import SWAP_PATIENCE_SECONDS, Locks
from taxietl.load.postgres.order import Widening, outside_last, with_values
from taxietl.load.postgres.partition import Partition, partition_of
from taxietl.load.postgres.staging import Staging
from taxietl.load.postgres.tables import Tables, contract_columns
from taxietl.load.table_names import table_name
from taxietl.steps.protocols import Batches
from taxietl.steps.values import ColumnStats, Entry, LoadReport, Note
from taxietl.tlc.arrow import arrow_schema
from taxietl.tlc.trip_file import TripFile

# Values reach SQL as parameters; what stands in it is a name of ours, or is quoted.
# ruff: noqa: S608


class PostgresMonth:
    """One month of one table; the caller has begun the transaction."""

    def __init__(
        self,
        session: Session,
        schema: str,
        trip_file: TripFile,
        table: str,
        target: str,
        *,
        check: Callable[[], None] = lambda: None,
        swap_patience_seconds: float = SWAP_PATIENCE_SECONDS,
        staging: Staging | None = None,
    ) -> None:
        """A month, whose rows may be sent over further connections.

        Args:
            check: called while waiting; it raises when the run is to stop.
            staging: the further connections; None for this one.
        """
        self._staging = staging
        self._session = session
        self._schema = schema
        self._trip_file = trip_file
        self._name = table_name(table, schema)
        self._table = str(self._name)
        self._target = target
        self._check = check
        self._locks = Locks(
            *(session, schema, trip_file, self._name, target),
            check=check,
            swap_patience_seconds=swap_patience_seconds,
        )
        self._tables = Tables(session, schema, target)
        self._trips = Tables(session, self._name.schema, target)
        self._loads = self._tables.name_of(ledger.LOADS).replace("%", "%%")
        self._new: Partition | None = None
        self._passing = PassingStats(trip_file.dataset.columns)

    def take(self) -> None:
        """Hold the month until the transaction ends.

        Raises:
            TryLaterError: another load holds it.
        """
        self._locks.take_month()

    def entry(self) -> Entry | None:
        """The month's current row in the ledger, and how many of its rows the table holds.

        Leaves no lock on the table: other loads' swaps would wait for this transaction's end.

        Raises:
            NotOursError: a table of that name was made by something else.
            ConfigError: it is a table of ours, for something else.
        """
        with self._session.savepoint(keep=False):
            has_trips = self._trips.has_trips(self._name.name, self._trip_file.dataset)
            if not self._tables.has_ledger():
                return None
            found = self._session.run(
                f"SELECT {', '.join(ledger.COLUMNS)} FROM {self._loads} WHERE {_CURRENT}",
                self._identity,
            )
            if not found:
                return None
            row = dict(zip(ledger.COLUMNS, found[0], strict=True))
            ledger.check_alone(row["load_id"], len(found), target=self._target)
            present = self._rows_present() if has_trips else None
            return Entry(ledger.report_of(row, target=self._target), present)

    def loaded_from(self, sha256: str) -> str | None:
        """Another month of the table, `2021-01`, that was loaded from these bytes."""
        if not self._tables.has_ledger():
            return None
        table, color, month = self._identity
        ((found,),) = self._session.run(
            f"SELECT min(source_month)::text FROM {self._loads} WHERE superseded_at IS NULL "
            "AND table_name = %s AND color = %s AND source_month <> %s AND source_sha256 = %s",
            [table, color, month, sha256],
        )
        return found[:7] if found else None

    def write(self, batches: Batches, load_id: str) -> None:
        """Build the new partition from the stream: its rows, its indexes, its statistics."""
        rows = iter(batches)
        try:
            self._check()
            # The first batch tells the file's own new columns, and a broken file before a table.
            first = next(rows, None)
            schema = first.schema if first else arrow_schema(self._trip_file.dataset)
            of = self._trip_file.dataset
            self._passing = PassingStats(of.columns_with(schema.names))
            wanted = contract_columns(of, schema.names)
            self._trips.check_kinds(self._name.name, wanted)
            new = Partition(self._session, self._name.schema, self._name.name, self._trip_file)
            self._new = new
            # A stream that has ended is not to be asked again.
            passing = self._passing.over(chain([first], rows) if first is not None else ())
            in_order = outside_last(passing, self._trip_file)
            if self._staging is None:
                new.make(load_id, wanted, filled=with_values(first) if first else ())
                self._send(self._session, in_order, self._check)
            else:

                def make(session: Session) -> str:
                    new.make(load_id, wanted, session=session)
                    return new.name

                self._staging.make(self._locks.month, make)
                self._staging.fill(in_order, self._send)
        finally:
            if isinstance(rows, Generator):
                rows.close()
        self._check()
        self._new.finish()

    def _send(
        self, session: Session, batches: Iterable[pa.RecordBatch], check: Callable[[], None]
    ) -> None:
        """Send rows by COPY, one for each set of columns that have had values."""
        always = (self._trip_file.dataset.started_at, *self._built.defaulted)
        for schema, part in Widening(batches, always=always).parts():
            self._built.widen(schema.names)
            with session.cursor() as cursor:
                blocks = encode(part, schema)
                copy_rows(cursor, self._built.copy(schema.names), blocks, check=check)

    def counted(self) -> tuple[int, dict[str, ColumnStats]]:
        """The new partition's rows, and each column's nulls and sum.

        The server counted the rows; the rest was counted as they passed, see `arrow_stats`.
        """
        return self._built.rows, self._passing.stats()

    def record(self, report: LoadReport, notes: Sequence[Note]) -> None:
        """Write the load's ledger row and rejects; the row before it is superseded.

        Raises:
            TryLaterError: somebody kept the ledger locked for longer than its patience.
        """
        self._locks.patiently(lambda: self._record(report, notes), ledger.LOADS)

    def _record(self, report: LoadReport, notes: Sequence[Note]) -> None:
        self._make_ledger()
        row = ledger.row_of(report)
        self._session.run(
            f"UPDATE {self._loads} SET superseded_at = %s WHERE {_CURRENT}",
            [row["loaded_at"], *self._identity],
        )
        self._session.run(
            f"INSERT INTO {self._loads} ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})",
            [_storable(each) for each in row.values()],
        )
        if notes:
            rejects = [ledger.reject_of(report.load_id, each) for each in notes]
            table = self._tables.name_of(ledger.REJECTS).replace("%", "%%")
            with self._session.cursor() as cursor:
                execute_values(
                    cursor,
                    f"INSERT INTO {table} ({', '.join(ledger.REJECT_COLUMNS)}) VALUES %s",
                    [tuple(_storable(each) for each in row.values()) for row in rejects],
                    page_size=1000,
                )

    def swap(self) -> None:
        """Put the new partition in the place of the old one; readers wait until the commit.

        Raises:
            TryLaterError: somebody kept the table locked for longer than its patience.
        """
        self._locks.patiently(self._swap, self._name.name, self._name.schema)

    def drop(self) -> Entry | None:
        """Drop the month's partition and supersede its ledger row; None if it is not loaded.

        Raises:
            NotOursError: the partition is somebody else's.
            TryLaterError: somebody kept the table locked for longer than its patience.
        """
        entry = self.entry()
        if entry is None:
            return None
        if entry.rows_present is not None:
            partition = Partition(
                self._session, self._name.schema, self._name.name, self._trip_file
            )
            self._locks.patiently(partition.drop_attached, self._name.name, self._name.schema)
        self._locks.patiently(self._supersede, ledger.LOADS)
        return entry

    def _supersede(self) -> None:
        self._session.run(
            f"UPDATE {self._loads} SET superseded_at = now() WHERE {_CURRENT}", self._identity
        )

    def analyze_table(self) -> None:
        """Have the parent's own statistics anew, once the months in it have changed enough."""
        self._built.analyze_parent()

    def _swap(self) -> None:
        self._locks.take_setup()
        of = self._trip_file.dataset
        self._trips.make_schema()
        self._trips.make_trips(self._name.name, of)
        self._built.swap_in()
        if self._table == of.table:
            self._tables.make_view(of.color)

    def _make_ledger(self) -> None:
        if not self._tables.is_ledger_whole():
            self._locks.take_setup()
            self._tables.make_ledger()

    def _rows_present(self) -> int:
        partition = partition_of(self._session, self._name.schema, self._name.name, self._trip_file)
        if partition is None:
            return 0
        # Of the parent: those who only read have rights there, and none in the partitions' schema.
        found = self._session.run(
            f"SELECT count(*) FROM {self._trips.name_of(self._name.name)} "
            f"WHERE source_month = DATE '{self._trip_file.source_month}'"
        )
        return int(found[0][0])

    @property
    def _identity(self) -> tuple[str, str, str]:
        month = self._trip_file.source_month.isoformat()
        return self._table, self._trip_file.color, month

    @property
    def _built(self) -> Partition:
        assert self._new is not None, "`write` comes first"
        return self._new


_CURRENT = "table_name = %s AND color = %s AND source_month = %s AND superseded_at IS NULL"


def _storable(value: object) -> object:
    """Text as PostgreSQL can hold it: without NUL, and without halves of characters."""
    if not isinstance(value, str):
        return value
    return value.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()
