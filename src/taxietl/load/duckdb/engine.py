"""Open the file that a `duckdb` profile describes, for flows of one's own and notebooks.

The loader opens its own connections from `path`. Errors say which profile.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from taxietl.errors import NoWarehouseError, TargetError, TryLaterError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from sqlalchemy import Engine


def connect_duckdb(path: Path, memory_limit: str | None, name: str) -> DuckDBPyConnection:
    """A DuckDB connection; the file and its folder are made if they are not there.

    Raises:
        TryLaterError: another process holds the file.
        TargetError: it cannot be opened.
    """
    from taxietl.load.duckdb.new_file import make_file

    with _meaning(path, name):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            make_file(path)
        connection = _duckdb_connection(path, memory_limit)
    _tell_how_frames_go_in(name)
    return connection


def duckdb_engine(path: Path, memory_limit: str | None, name: str) -> Engine:
    """A SQLAlchemy engine that only reads; it has the file open only while a statement runs.

    Raises:
        NoWarehouseError: from its `connect`: there is no such file yet.
        TryLaterError: likewise, or from a statement; another process holds the file, or this one
            has it open to write.
        TargetError: likewise; it cannot be opened.
    """
    import sqlalchemy
    from sqlalchemy.pool import NullPool

    from taxietl.load.duckdb import dialect

    def opened() -> DuckDBPyConnection:
        if not path.exists():
            raise NoWarehouseError(
                f"There is no DuckDB file {path} yet.", hint="The first load makes it."
            )
        with _meaning(path, name):
            return _duckdb_connection(path, memory_limit, read_only=True)

    return sqlalchemy.create_engine(
        dialect.URL,
        creator=functools.partial(dialect.ReadingConnection, opened),
        poolclass=NullPool,
    )


def _duckdb_connection(
    path: Path, memory_limit: str | None, *, read_only: bool = False
) -> DuckDBPyConnection:
    import duckdb

    limit = {"memory_limit": memory_limit} if memory_limit else {}
    return duckdb.connect(str(path), read_only=read_only, config=limit)


@contextmanager
def _meaning(path: Path, name: str) -> Iterator[None]:
    """Say in our words why the file cannot be opened."""
    import duckdb

    try:
        yield
    except (duckdb.Error, OSError) as error:
        if isinstance(error, duckdb.IOException) and "lock" in str(error):
            raise TryLaterError(
                f"Profile {name!r}: another process holds {path}.",
                hint="Try again when it is done: one process at a time can open a DuckDB file.",
            ) from error
        if isinstance(error, duckdb.ConnectionException):
            raise TryLaterError(
                f"Profile {name!r}: this process has {path} open, to read and "
                "write or to read alone.",
                hint="Close that connection first: all of one process open a file in one way.",
            ) from error
        raise TargetError(
            f"Profile {name!r}: cannot open {path}: {error}",
            hint="Check the path, and that this user may write there.",
        ) from error


@functools.cache  # once a process
def _tell_how_frames_go_in(name: str) -> None:
    """To pandas, DuckDB's connection is an unknown database, written to a row at a time."""
    logging.getLogger("taxietl").info(
        "Profile %r is a DuckDB file: instead of frame.to_sql, which writes row by row there, use "
        'connection.register("frame", frame) and INSERT INTO … SELECT * FROM frame.',
        name,
    )
