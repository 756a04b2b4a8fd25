"""Fill a month's table over several connections at once, and sweep what such loads left behind.

All of them have to see the table, so it is made and filled in transactions of their own, beside the
one that holds the month and swaps the table in. Nobody reads it before that; but a load that is
killed leaves it, with a COMMENT that names the month's lock. Whoever gets that lock may drop it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, suppress

import psycopg2  # noqa: TID253  imported only where a PostgreSQL database is used
import pyarrow as pa  # noqa: TID253

from taxietl.load.ownership import comment_of
from taxietl.load.postgres.connection import Session
from taxietl.load.postgres.locks import Key
from taxietl.load.table_names import PARTS
from taxietl.steps.protocols import Cancellation

# Values reach SQL as parameters; what stands in it is a name of ours, or is quoted.

Send = Callable[[Session, Iterable[pa.RecordBatch], Callable[[], None]], None]
"""Sends batches over a session; calls the function between blocks, which raises to stop."""

_ROLE = "unfinished, lock {} {}"
_COMMENT = re.compile(re.escape(comment_of("")) + r"unfinished, lock (-?\d+) (\d+):")


class Staging:
    """One load's further connections."""

    def __init__(
        self,
        connect: Callable[[], AbstractContextManager[Session]],
        connections: int,
        cancellation: Cancellation,
    ) -> None:
        self._connect = connect
        self._connections = connections
        self._cancellation = cancellation
        self._made: tuple[str, Key] | None = None

    def make(self, key: Key, make: Callable[[Session], str]) -> None:
        """Have the table made, and committed.

        Args:
            key: the month's lock, which the caller holds until its transaction ends.
            make: makes it in a session; gives its name.
        """
        with self._connect() as session:
            session.begin()
            name = make(session)
            role = _ROLE.format(*key)
            said = f"{comment_of(role)}: {name}".replace("'", "''")
            session.run(f"COMMENT ON TABLE {name} IS '{said}'")
            session.commit()
            self._made = name, key

    def fill(self, batches: Iterable[pa.RecordBatch], send: Send) -> None:
        """Send the batches, each over the connection that is free; the first error ends all."""
        shared = _Shared(batches)
        failed = threading.Event()

        def check() -> None:
            self._cancellation.check()
            if failed.is_set():
                raise _OtherFailedError

        def fill() -> None:
            with self._connect() as session, self._cancellation.on_cancel(session.cancel):
                session.begin()
                send(session, shared, check)
                session.commit()

        with ThreadPoolExecutor(self._connections, "taxietl-send") as pool:
            sending = [pool.submit(fill) for _ in range(self._connections)]
            wait(sending, return_when=FIRST_EXCEPTION)
            if any(each.done() and each.exception() for each in sending):
                failed.set()
        errors = [error for each in sending if (error := each.exception())]
        self._cancellation.check()  # a cancelled statement fails; this says why
        for error in sorted(errors, key=lambda each: isinstance(each, _OtherFailedError)):
            raise error

    def drop(self) -> None:
        """Undo it, once the caller's transaction has ended; what cannot be is swept later."""
        with suppress(Exception), self._connect() as session:
            if self._made is not None:
                drop_unfinished(session, *self._made)


def sweep(session: Session) -> None:
    """Drop the tables of loads that did not live to swap them in; begins and ends transactions."""
    for table, key in unfinished(session):
        # Somebody else's table may not be dropped, or be in use: it harms nobody.
        with suppress(psycopg2.Error):
            drop_unfinished(session, table, key)
        session.rollback()


def unfinished(session: Session) -> list[tuple[str, Key]]:
    """The tables, quoted, that wait for their swap or will never have one; their months' locks."""
    session.begin()
    found = session.run(
        "SELECT format('%%I.%%I', n.nspname, c.relname), obj_description(c.oid, 'pg_class') "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s "
        "AND c.relkind = 'r' AND NOT c.relispartition",
        [PARTS],
    )
    session.rollback()
    keys = [(table, _COMMENT.match(comment or "")) for table, comment in found]
    return [(table, (int(key[1]), int(key[2]))) for table, key in keys if key]


def drop_unfinished(session: Session, table: str, key: Key) -> None:
    """Drop it if its load has ended without a swap; in a transaction of its own."""
    session.begin()
    # Looked at again under the lock: it may be a month by now, also for a load whose connection
    # was lost at the commit.
    if session.run("SELECT pg_try_advisory_xact_lock(%s, %s)", key)[0][0] and session.run(
        "SELECT 1 FROM pg_class WHERE oid = to_regclass(%s) AND NOT relispartition "
        "AND obj_description(oid, 'pg_class') LIKE %s",
        [table, f"{comment_of(_ROLE.format(*key))}:%"],
    ):
        session.run(f"DROP TABLE {table}")
    session.commit()


class _Shared:
    """An iterator that several threads read, each item one of them."""

    def __init__(self, batches: Iterable[pa.RecordBatch]) -> None:
        self._batches = iter(batches)
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return self

    def __next__(self) -> pa.RecordBatch:
        with self._lock:
            return next(self._batches)


class _OtherFailedError(Exception):
    """Another connection met an error, which is the one to tell."""
