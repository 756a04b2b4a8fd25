"""The locks that a load in PostgreSQL takes: its month's, and its table's for the swap.

A month's lock is an advisory one, and is waited for shortly: who holds it loads that month. A
table's is tried for again and again, each time so shortly that those who read hardly notice.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from zlib import crc32

import psycopg2  # noqa: TID253  imported only where a PostgreSQL database is used

from taxietl.errors import TryLaterError
from taxietl.load.postgres.connection import APPLICATION, Session
from taxietl.load.table_names import TableName
from taxietl.tlc.trip_file import TripFile

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


Key = tuple[int, int]
"""A month's advisory lock."""


class Locks:
    """The locks of one month's load; the server lets go of them with the transaction."""

    def __init__(
        self,
        session: Session,
        schema: str,
        trip_file: TripFile,
        table: TableName,
        target: str,
        *,
        check: Callable[[], None],
        swap_patience_seconds: float,
    ) -> None:
        """`check` is called while waiting; it raises when the run is to stop."""
        self._session = session
        self._schema = schema
        self._trip_file = trip_file
        self._table = table
        self._target = target
        self._check = check
        self._swap_patience_seconds = swap_patience_seconds

    @property
    def month(self) -> Key:
        """The month's advisory lock."""
        month = self._trip_file.year * 100 + self._trip_file.month
        return _key(f"{self._table.schema}.{self._table.name}"), month

    def take_month(self) -> None:
        """Hold the month until the transaction ends.

        Raises:
            TryLaterError: another load holds it.
        """
        key = self.month
        end = time.monotonic() + MONTH_PATIENCE_SECONDS
        while not self._session.run("SELECT pg_try_advisory_xact_lock(%s, %s)", key)[0][0]:
            if time.monotonic() > end:
                raise TryLaterError(
                    f"{self._trip_file} in {self._table} is being loaded by {self._holder(key)}.",
                    hint="Nothing was changed. Try again when it is done.",
                )
            self._pause(0.1)

    def take_setup(self) -> None:
        """Be the one who makes tables or swaps in the schemas: two would only wait for another."""
        for key in sorted({_key(self._schema), _key(self._table.schema)}):
            self._session.run("SELECT pg_advisory_xact_lock(%s, 0)", [key])

    def patiently(self, work: Callable[[], None], table: str, schema: str | None = None) -> None:
        """Do it in a savepoint; where a lock is not to be had, again and again.

        Args:
            work: what needs the lock.
            table: that others may have locked.
            schema: where it lies, if not where the ledger does.

        Raises:
            TryLaterError: somebody kept the table locked for longer than the patience.
        """
        ((deadlock_ms,),) = self._session.run(
            "SELECT 1000 * extract(epoch FROM current_setting('deadlock_timeout')::interval)"
        )
        end = time.monotonic() + self._swap_patience_seconds
        for attempt in count():
            is_long = attempt % SWAP_EVERY == SWAP_EVERY - 1
            wait_ms = int(deadlock_ms) + SWAP_LOCK_MS if is_long else SWAP_LOCK_MS
            self._session.run(f"SET LOCAL lock_timeout = {wait_ms}")
            try:
                with self._session.savepoint():
                    work()
            except (psycopg2.errors.LockNotAvailable, psycopg2.errors.DeadlockDetected) as error:
                if time.monotonic() > end:
                    user = self._user(table, schema or self._schema)
                    raise TryLaterError(
                        f"{table} in {self._target} was in use for "
                        f"{self._swap_patience_seconds:.0f} seconds, {user}.",
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

    def _holder(self, key: Key) -> str:
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

    def _user(self, table: str, schema: str) -> str:
        """Who has the table locked longest, in words."""
        found = self._session.run(
            "SELECT a.pid, a.application_name, a.usename FROM pg_locks l "
            "JOIN pg_stat_activity a USING (pid) JOIN pg_class c ON c.oid = l.relation "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE l.granted "
            "AND a.pid <> pg_backend_pid() AND n.nspname = %s AND c.relname = %s "
            "ORDER BY a.xact_start LIMIT 1",
            [schema, table],
        )
        if not found:
            return "by somebody who has just left"
        pid, name, user = found[0]
        return f"now by server process {pid} ({name or 'no name'}, user {user})"


def _key(name: str) -> int:
    """An advisory lock's first half, a signed 32-bit number."""
    number = crc32(f"{APPLICATION} {name}".encode())
    return number - (1 << 32) if number >= 1 << 31 else number
