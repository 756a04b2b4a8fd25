"""Connections to PostgreSQL for loading and asking; every error comes out as one of ours.

Only what works through a pooler in transaction mode is used: what a transaction needs to have
set, it sets itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2  # noqa: TID253  imported only where a PostgreSQL database is used
from psycopg2.extensions import ISOLATION_LEVEL_READ_COMMITTED, make_dsn  # noqa: TID253
from psycopg2.extensions import connection as Connection  # noqa: N812, TID253
from psycopg2.extensions import cursor as Cursor  # noqa: N812, TID253

from taxietl.errors import TargetError
from taxietl.forks import unshare
from taxietl.load.postgres.errors import meant

OLDEST_VERSION, OLDEST_TESTED = 14, 15
"""Of the server; 14 brought the BRIN operators that remember several ranges."""

APPLICATION = "taxietl"

_DEFAULTS = {
    "connect_timeout": "10",
    # A server that went without a word is noticed after a minute, not after the system's two hours.
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}

# Names are written out in full and values are read back as text: neither may depend on what a
# role or a database has set. The time-outs are those of short statements of users' own.
_SETTINGS = (
    "SET LOCAL search_path = pg_catalog",
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL DateStyle = 'ISO'",
    "SET LOCAL IntervalStyle = 'postgres'",
    "SET LOCAL extra_float_digits = 1",
    "SET LOCAL quote_all_identifiers = off",
    "SET LOCAL lock_timeout = '10s'",
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
)


class Session:
    """One connection, and its transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def version(self) -> int:
        """The server's major version."""
        return self._connection.server_version // 10_000

    @property
    def is_pooled(self) -> bool:
        """Whether a pooler such as PgBouncer answers for the server, which has other processes."""
        ((pid,),) = self.run("SELECT pg_backend_pid()")
        return bool(pid != self._connection.info.backend_pid)

    def begin(self, *settings: str) -> None:
        """Begin a transaction with settings of its own, and with these."""
        newer = ("SET LOCAL transaction_timeout = 0",) if self.version >= 17 else ()
        self.run("; ".join([*_SETTINGS, *newer, *settings]))

    def run(self, statement: str, parameters: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """Run a statement; its rows, if it gives any."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def cursor(self) -> Cursor:
        """A cursor, for what `run` cannot do."""
        return self._connection.cursor()

    @contextmanager
    def savepoint(self, *, keep: bool = True) -> Iterator[None]:
        """Undo the block if it fails, or always; with it go the locks it took."""
        self.run("SAVEPOINT taxietl")
        try:
            yield
        except BaseException:
            with suppress(psycopg2.Error):  # a lost connection; the block's own error tells
                self.run("ROLLBACK TO SAVEPOINT taxietl")
            raise
        self.run(f"{'RELEASE' if keep else 'ROLLBACK TO'} SAVEPOINT taxietl")

    def commit(self) -> None:
        """End the transaction, and keep what it did."""
        self._connection.commit()

    def rollback(self) -> None:
        """End the transaction, and undo what it did."""
        self._connection.rollback()

    def cancel(self) -> None:
        """Stop the statement that runs in another thread."""
        self._connection.cancel()


@contextmanager
def opened(
    parameters: Mapping[str, str], *, target: str, run_name: str = "", read_only: bool = False
) -> Iterator[Session]:
    """A connection for the block; closing it rolls back what was not committed.

    Args:
        parameters: libpq's keywords.
        target: the database in words.
        run_name: others that want the same month are told it.
        read_only: refuse to write.

    Raises:
        TargetError: the server cannot be reached, is too old, or refused a statement.
        TryLaterError: it would not have, at another time.
    """
    name = f"{APPLICATION} {run_name}".strip()
    with translated(target):
        given = {**_DEFAULTS, **parameters, "application_name": name, "client_encoding": "UTF8"}
        connection = psycopg2.connect(make_dsn(**given))
        unshare(connection)  # or a forked child would keep the month's lock of a killed parent
        try:
            _check_version(connection.server_version, target)
            # What another load has committed meanwhile has to be seen, whatever the role's default.
            connection.set_session(ISOLATION_LEVEL_READ_COMMITTED, readonly=read_only or None)
            yield Session(connection)
        finally:
            connection.close()


@contextmanager
def translated(target: str) -> Iterator[None]:
    """Turn PostgreSQL's errors into ours, which say what to do."""
    try:
        yield
    except psycopg2.Error as error:
        raise meant(error, target) from error


def _check_version(number: int, target: str) -> None:
    if number < OLDEST_VERSION * 10_000:
        raise TargetError(
            f"{target}: the server is PostgreSQL {number // 10_000}, which is too old.",
            hint=f"{OLDEST_VERSION} is the oldest that works, {OLDEST_TESTED} the oldest tested.",
        )
