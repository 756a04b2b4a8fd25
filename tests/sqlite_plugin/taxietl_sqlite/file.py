"""A SQLite file, opened; and its rows as Arrow has them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from taxietl.errors import ConfigError, NoWarehouseError, TargetError, TryLaterError

_PATIENCE_SECONDS = 5.0
_READING = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}


@contextmanager
def opened(path: Path, *, read_only: bool) -> Iterator[sqlite3.Connection]:
    """A connection without a transaction; the file is made if it is not there.

    Raises:
        NoWarehouseError: it is not, and nothing is to be written.
        TryLaterError: another process writes to it.
        TargetError: SQLite refuses.
    """
    if read_only and not path.exists():
        raise NoWarehouseError(
            f"There is no SQLite file {path} yet.", hint="`taxietl ingest` makes it."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    address = f"file:{quote(str(path))}?mode={'ro' if read_only else 'rwc'}"
    try:
        connection = sqlite3.connect(
            address,
            uri=True,
            timeout=_PATIENCE_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            yield connection
        finally:
            connection.close()
    except sqlite3.Error as error:
        if "locked" in str(error):
            raise TryLaterError(
                f"Another process writes to {path}.", hint="Try again when it is done."
            ) from error
        raise TargetError(f"{path}: {error}.", hint="Check the file and the disk.") from error


def answer(connection: sqlite3.Connection, statement: str) -> pa.RecordBatchReader:
    """The rows of one statement that only reads.

    Raises:
        ConfigError: it does more, or is wrong.
    """

    def authorized(action: int, *_: Any) -> int:
        return sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY

    connection.set_authorizer(authorized)
    try:
        cursor = connection.execute(statement)
        rows = cursor.fetchall()
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise ConfigError(f"{error}.", hint="Give one SELECT.") from error
    names = [each[0] for each in cursor.description or ()]
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    table = pa.Table.from_arrays([_array(list(each)) for each in columns], names=names)
    return table.to_reader()


def _array(values: list[Any]) -> pa.Array:
    """A column; SQLite lets each of its cells be of another type, Arrow does not."""
    try:
        return pa.array(values)
    except pa.ArrowException:
        return pa.array([None if each is None else str(each) for each in values])
