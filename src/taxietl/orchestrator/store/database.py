"""A SQLite file of the home: opening it, transactions, and errors in plain words.

The history is one (`HISTORY`); the queue for slots (`tickets.py`) another.

One connection a process, behind one lock. WAL lets other processes read while one writes;
`synchronous=NORMAL` survives any kill of the process, and a power cut may lose the last states.
Every write is a `BEGIN IMMEDIATE`: a transaction that starts by reading and then writes cannot
wait for the writer before it, and fails with "database is locked" at once.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taxietl.errors import ConfigError, TargetError, TaxietlError, TryLaterError
from taxietl.filelock import waiting_lock
from taxietl.orchestrator.store.schema import STEPS, bring_up, version_of

BUSY_SECONDS = 30
NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "sshfs", "fuse.sshfs"})
"""WAL needs memory shared by all processes that use the file; across hosts there is none.
(9p is let through: WSL and containers of one host use it.) https://sqlite.org/wal.html"""


@dataclass(frozen=True)
class Layout:
    """What a file is called, in the home and in messages, and what is in it."""

    file_name: str
    what: str
    steps: tuple[str, ...]
    """See `schema.py`."""

    @property
    def version(self) -> int:
        """How many steps there are."""
        return len(self.steps)


HISTORY = Layout("history.db", "history", STEPS)


class Database:
    """The one connection of this process to a file of the home."""

    def __init__(
        self, home: Path, layout: Layout = HISTORY, *, busy_seconds: float = BUSY_SECONDS
    ) -> None:
        self.home = home
        self._layout = layout
        self._busy_seconds = busy_seconds
        self.path = home / layout.file_name
        self.lock = threading.Lock()
        """Held during every transaction."""
        self._connection: sqlite3.Connection | None = None
        self._inherited: sqlite3.Connection | None = None
        self._process = 0
        with self._translated():
            _prepare_home(home)
            self.connection()

    def connection(self) -> sqlite3.Connection:
        """The connection; a forked child gets its own, as SQLite demands."""
        if self._connection is None or self._process != os.getpid():
            self._inherited = self._connection  # closing a parent's connection would harm it
            self._connection = _connect(self.path, self._layout, self._busy_seconds)
            self._process = os.getpid()
            # Python 3.13 warns of a connection that nobody closed, as the default engine's.
            weakref.finalize(self, _close_own, self._connection, self._process)
        return self._connection

    def close(self) -> None:
        """Close the connection; a later use opens it again."""
        with self.lock:
            if self._connection is not None:
                _close_own(self._connection, self._process)
            self._connection = None

    def rows(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self.lock, self._translated():
            return self.connection().execute(sql, parameters).fetchall()

    def each_row(self, sql: str, parameters: tuple[Any, ...] = ()) -> Iterator[sqlite3.Row]:
        """The rows of a query, read while they are used: on a connection of its own."""
        with self._translated(), closing(sqlite3.connect(self.path)) as connection:
            connection.row_factory = sqlite3.Row
            yield from connection.execute(sql, parameters)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """BEGIN IMMEDIATE … COMMIT, or ROLLBACK on any exception; holds the lock."""
        with self.lock, self._translated():
            connection = self.connection()
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            finally:
                # SQLite itself has rolled back after some errors, a full disk among them.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def _translated(self) -> AbstractContextManager[None]:
        return translated(self.path, self._layout.what)


@contextmanager
def translated(path: Path, what: str = HISTORY.what) -> Iterator[None]:
    """Turn SQLite's and the system's errors about that file into ours."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise plain_error(error, path, what) from error


def plain_error(error: sqlite3.Error | OSError, path: Path, what: str) -> TaxietlError:
    """The error to raise instead: what happened to which file, and what to do."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    number = error.errno if isinstance(error, OSError) else 0
    cause = f"({error})"
    if isinstance(error, TimeoutError) or code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return TryLaterError(
            f"The {what} {path} was locked by another process for over {BUSY_SECONDS} s.",
            hint="Try again; `lsof` on that file names its holder.",
        )
    if code == sqlite3.SQLITE_FULL or number in (errno.ENOSPC, errno.EDQUOT):
        return TargetError(
            f"The disk is full: the {what} {path} cannot be written {cause}.",
            hint="Free some space there, or choose another folder with --home DIR.",
        )
    if number or code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return ConfigError(
            f"The folder {path.parent} cannot be used for the {what} {cause}.",
            hint="Choose a folder you may write to with --home DIR (or TAXIETL_HOME).",
        )
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return damaged(path, what, str(error))
    return TargetError(f"The {what} {path} cannot be used {cause}.")


def network_file_system(path: Path, mounts: str) -> str | None:
    """The type of the network file system that path lies on, by a text like /proc/mounts."""
    best, found = -1, ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        # Spaces in mount points are written as octal escapes.
        point = Path(fields[1].replace("\\040", " "))
        if path.is_relative_to(point) and len(point.parts) >= best:
            best, found = len(point.parts), fields[2]
    return found if found in NETWORK_FILE_SYSTEMS else None


def refuse_network_file_system(home: Path) -> None:
    """ConfigError if that folder, or the place where it would be, is none of a local disk."""
    if sys.platform != "linux":
        return
    mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
    if kind := network_file_system(home.resolve(), mounts):
        raise ConfigError(
            f"The folder {home} is on a network file system ({kind}), where a history shared"
            " by several processes would be damaged.",
            hint="Choose a folder on a local disk with --home DIR (or TAXIETL_HOME).",
        )


def refuse_newer(path: Path, layout: Layout, version: int) -> None:
    """ConfigError if a file of that many steps has taken some that are not known here."""
    if version > layout.version:
        raise ConfigError(
            f"The {layout.what} {path} was written by a newer taxietl (schema {version}; this one"
            f" knows {layout.version}).",
            hint="Upgrade taxietl, or choose another folder with --home DIR.",
        )


def damaged(path: Path, what: str, cause: str) -> TargetError:
    """The error to raise of a file that is no SQLite file any more, or not a whole one."""
    return TargetError(
        f"The {what} {path} is damaged ({cause}).",
        hint="Move the file away to begin a new one; what is loaded stays loaded.",
    )


def _prepare_home(home: Path) -> None:
    """Make the folders; refuse a place where SQLite cannot keep its promises."""
    refuse_network_file_system(home)
    (home / "runs").mkdir(parents=True, exist_ok=True)


def _connect(path: Path, layout: Layout, busy_seconds: float) -> sqlite3.Connection:
    """Open the file, bring it to this schema, and refuse one of a later version."""
    connection = sqlite3.connect(
        path, timeout=busy_seconds, isolation_level=None, check_same_thread=False
    )
    try:
        connection.row_factory = sqlite3.Row
        if version_of(connection) < layout.version:
            # Switching to WAL does not wait its turn: two processes that both begin a file
            # would meet "database is locked" without a lock around it.
            with waiting_lock(path.with_suffix(".lock"), seconds=BUSY_SECONDS):
                bring_up(connection, layout.steps)
        refuse_newer(path, layout, version_of(connection))
        connection.execute("PRAGMA synchronous = NORMAL")
        # A home that cannot be written is found out here, and not in the middle of a run.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except BaseException:
        connection.close()
        raise
    return connection


def _close_own(connection: sqlite3.Connection, process: int) -> None:
    """Close a connection in the process that opened it; a forked child leaves it alone."""
    if process == os.getpid():
        connection.close()
