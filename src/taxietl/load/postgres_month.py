"""A month's statements in a PostgreSQL transaction: built aside, then swapped in.

Until the swap nothing that others use is locked: the new partition is a table of its own, and what
is there is looked up in the catalogs. The swap comes last, in a savepoint, under a lock time-out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import chain
from zlib import crc32

import psycopg2  # noqa: TID253  imported only where a PostgreSQL database is used
import pyarrow as pa  # noqa: TID253
from psycopg2.extras import execute_values  # noqa: TID253

from taxietl.errors import TryLaterError
from taxietl.load import ledger
from taxietl.load.arrow_stats import PassingStats
from taxietl.load.pgcopy import encode
from taxietl.load.pgcopy_stream import copy_rows
from taxietl.load.postgres_connection import APPLICATION, Session
from taxietl.load.postgres_order import Widening, outside_last, with_values
from taxietl.load.postgres_partition import Partition, partition_of
from taxietl.load.postgres_staging import Key, Staging
from taxietl.load.postgres_tables import Tables, contract_columns
from taxietl.steps.protocols import Batches
from taxietl.steps.values import ColumnStats, Entry, LoadReport, Note
from taxietl.tlc.arrow import arrow_schema
from taxietl.tlc.trip_file import TripFile

# Values reach SQL as parameters; what stands in it is a name of ours, or is quoted.
# ruff: noqa: S608

MONTH_PATIENCE_SECONDS = 2.0
"""Waited for a month that another load holds: a killed one's server may not know of it yet."""

SWAP_PATIENCE_SECONDS = 300.0
"""Tried for; then the load gives up."""

SWAP_LOCK_MS = 200
"""A swap waits so long at most for those who read, since new readers queue behind it."""

SWAP_EVERY = 5
"""Of the tries one in so many waits longer than deadlock_timeout: before that, autovacuum does not
yield."""

_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.0)
_STEP_SECONDS = 0.05


class Month:
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
    ) -> None:
        """`check` is called while waiting; it raises when the run is to stop."""
        self._swap_patience_seconds = swap_patience_seconds
        self._session = session
        self._schema = schema
        self._trip_file = trip_file
        self._table = table
        self._target = target
        self._check = check
        self._tables = Tables(session, schema, target)
        self._loads = self._tables.name_of(ledger.LOADS).replace("%", "%%")
        self._new: Partition | None = None
        self._passing = PassingStats(trip_file.dataset.columns)

    def take(self) -> None:
        """Hold the month until the transaction ends.

        Raises:
            TryLaterError: another load holds it.
        """
        key = self._lock
        end = time.monotonic() + MONTH_PATIENCE_SECONDS
        while not self._session.run("SELECT pg_try_advisory_xact_lock(%s, %s)", key)[0][0]:
            if time.monotonic() > end:
                raise TryLaterError(
                    f"{self._trip_file} in {self._table} is being loaded by {self._holder(key)}.",
                    hint="Nothing was changed. Try again when it is done.",
                )
            self._pause(0.1)

    def entry(self) -> Entry | None:
        """The month's current row in the ledger, and how many of its rows the table holds.

        Leaves no lock on the table: other loads' swaps would wait for this transaction's end.

        Raises:
            NotOursError: a table of that name was made by something else.
            ConfigError: it is a table of ours, for something else.
        """
        with self._session.savepoint(keep=False):
            has_trips = self._tables.has_trips(self._table, self._trip_file.dataset)
            if not self._tables.has_ledger():
                return None
            found = self._session.run(
                f"SELECT {', '.join(ledger.COLUMNS)} FROM {self._loads} WHERE {_CURRENT}",
                self._identity,
            )
            if not found:
                return None
            row = dict(zip(ledger.COLUMNS, found[0], strict=True))
            present = self._rows_present() if has_trips else None
            return Entry(ledger.report_of(row, target=self._target), present)

    def write(self, batches: Batches, load_id: str, staging: Staging | None = None) -> None:
        """Build the new partition from the stream: its rows, its indexes, its statistics.

        Args:
            batches: the month.
            load_id: the load's.
            staging: further connections to fill it over; None for this one.
        """
        rows = iter(batches)
        try:
            self._check()
            # The first batch tells the file's own new columns, and a broken file before a table.
            first = next(rows, None)
            schema = first.schema if first else arrow_schema(self._trip_file.dataset)
            wanted = contract_columns(self._trip_file.dataset, schema.names)
            self._tables.check_kinds(self._table, wanted)
            new = Partition(self._session, self._schema, self._table, self._trip_file)
            self._new = new
            # A stream that has ended is not to be asked again.
            passing = self._passing.over(chain([first], rows) if first is not None else ())
            in_order = outside_last(passing, self._trip_file)
            if staging is None:
                new.make(load_id, wanted, filled=with_values(first) if first else ())
                self._send(self._session, in_order, self._check)
            else:

                def make(session: Session) -> str:
                    new.make(load_id, wanted, session=session)
                    return new.name

                staging.make(self._lock, make)
                staging.fill(in_order, self._send)
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
        sent = 0
        for schema, part in Widening(batches, always=always).parts():
            self._built.widen(schema.names)
            with session.cursor() as cursor:
                blocks = encode(part, schema, rows_before=sent)
                copy_rows(cursor, self._built.copy(schema.names), blocks, check=check)
                sent += cursor.rowcount

    def counted(self) -> tuple[int, dict[str, ColumnStats]]:
        """The new partition's rows, and each column's nulls and sum.

        The server counted the rows; the rest was counted as they passed, see `arrow_stats`.
        """
        return self._built.rows, self._passing.stats()

    def record(self, report: LoadReport, notes: Sequence[Note]) -> None:
        """Write the load's ledger row and rejects; the row before it is superseded."""
        self._patiently(lambda: self._make_ledger())
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
        self._patiently(self._swap)

    def analyze_table(self) -> None:
        """Have the parent's own statistics anew, once the months in it have changed enough."""
        self._built.analyze_parent()

    def _swap(self) -> None:
        self._hold_setup()
        of = self._trip_file.dataset
        self._tables.make_trips(self._table, of)
        self._built.swap_in()
        if self._table == of.table:
            self._tables.make_view(of.color)

    def _make_ledger(self) -> None:
        if not self._tables.is_ledger_whole():
            self._hold_setup()
            self._tables.make_ledger()

    def _hold_setup(self) -> None:
        """One at a time makes tables and swaps, in a schema: they would only wait for another."""
        self._session.run("SELECT pg_advisory_xact_lock(%s, 0)", [_key(self._schema)])

    def _rows_present(self) -> int:
        partition = partition_of(self._session, self._schema, self._table, self._trip_file)
        if partition is None:
            return 0
        # Of the parent: those who only read have rights there, and none in the partitions' schema.
        found = self._session.run(
            f"SELECT count(*) FROM {self._tables.name_of(self._table)} "
            f"WHERE source_month = DATE '{self._trip_file.source_month}'"
        )
        return int(found[0][0])

    def _patiently(self, work: Callable[[], None]) -> None:
        """Do it in a savepoint; where a lock is not to be had, again and again."""
        ((deadlock_ms,),) = self._session.run(
            "SELECT 1000 * extract(epoch FROM current_setting('deadlock_timeout')::interval)"
        )
        end = time.monotonic() + self._swap_patience_seconds
        for attempt in _forever():
            is_long = attempt % SWAP_EVERY == SWAP_EVERY - 1
            wait_ms = int(deadlock_ms) + SWAP_LOCK_MS if is_long else SWAP_LOCK_MS
            self._session.run(f"SET LOCAL lock_timeout = {wait_ms}")
            try:
                with self._session.savepoint():
                    work()
            except (psycopg2.errors.LockNotAvailable, psycopg2.errors.DeadlockDetected) as error:
                if time.monotonic() > end:
                    raise TryLaterError(
                        f"{self._table} in {self._target} was in use for "
                        f"{self._swap_patience_seconds:.0f} seconds, {self._user()}.",
                        hint="Nothing was changed. Try again when that has ended.",
                    ) from error
                self._pause(_PAUSES[min(attempt, len(_PAUSES) - 1)])
            else:
                return

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._check()
            time.sleep(min(left, _STEP_SECONDS))

    def _holder(self, key: tuple[int, int]) -> str:
        """Who holds the month's lock, in words."""
        found = self._session.run(
            "SELECT a.application_name, a.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
            "WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 "
            "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            "AND (l.classid, l.objid) = (%s::bigint & 4294967295, %s)",
            key,
        )
        if not found:
            return "another load"
        name, pid = found[0]
        run = name.removeprefix(APPLICATION).strip()
        return f"run {run!r} (server process {pid})" if run else f"server process {pid}"

    def _user(self) -> str:
        """Who has the table locked longest, in words."""
        found = self._session.run(
            "SELECT a.pid, a.application_name, a.usename FROM pg_locks l "
            "JOIN pg_stat_activity a USING (pid) JOIN pg_class c ON c.oid = l.relation "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE l.granted "
            "AND a.pid <> pg_backend_pid() AND n.nspname = %s AND c.relname = %s "
            "ORDER BY a.xact_start LIMIT 1",
            [self._schema, self._table],
        )
        if not found:
            return "by somebody who has just left"
        pid, name, user = found[0]
        return f"now by server process {pid} ({name or 'no name'}, user {user})"

    @property
    def _lock(self) -> Key:
        month = self._trip_file.year * 100 + self._trip_file.month
        return _key(f"{self._schema}.{self._table}"), month

    @property
    def _identity(self) -> tuple[str, str, str]:
        month = self._trip_file.source_month.isoformat()
        return self._table, self._trip_file.color, month

    @property
    def _built(self) -> Partition:
        assert self._new is not None, "`write` comes first"
        return self._new


_CURRENT = "table_name = %s AND color = %s AND source_month = %s AND superseded_at IS NULL"


def _forever() -> Iterator[int]:
    attempt = 0
    while True:
        yield attempt
        attempt += 1


def _key(name: str) -> int:
    """An advisory lock's first half, a signed 32-bit number."""
    number = crc32(f"{APPLICATION} {name}".encode())
    return number - (1 << 32) if number >= 1 << 31 else number


def _storable(value: object) -> object:
    """Text as PostgreSQL can hold it: without NUL, and without halves of characters."""
    if not isinstance(value, str):
        return value
    return value.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()
