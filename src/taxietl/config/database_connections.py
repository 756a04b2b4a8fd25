"""Open the database that a profile describes. Client libraries are imported where they are used.

For flows of one's own and for notebooks; the loaders open their own connections from
`libpq_parameters()` and `path`. Errors say which profile, and hold neither password nor DSN.
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxietl.errors import ConfigError, NoWarehouseError, TargetError, TryLaterError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from sqlalchemy import Connection, Engine


def parse_postgres_url(url: str, owner: str) -> dict[str, str]:
    """libpq's keywords out of a `postgresql://` address; SQLAlchemy's `+driver` is left out.

    Raises:
        ConfigError: it is none. libpq's own message can repeat the password, so it is not shown.
    """
    import psycopg2
    from psycopg2.extensions import parse_dsn

    parameters: dict[str, str] | None
    plain, is_url = re.subn(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url.strip())
    try:
        parameters = parse_dsn(plain) if is_url else None
    except psycopg2.ProgrammingError:
        parameters = None
    # An unescaped / in a password ends the host part early: its rest lands in port and dbname,
    # and from there in the server's error messages.
    if (
        parameters is None
        or not parameters.get("port", "0").replace(",", "").isdigit()
        or "@" in parameters.get("dbname", "") + parameters.get("host", "")
    ):
        raise ConfigError(
            f"{owner} is not an address of the form postgresql://USER:PASSWORD@HOST:PORT/DATABASE.",
            hint="In a password, write @ as %40, : as %3A and / as %2F; after a ? only libpq's own "
            "keywords are known.",
        )
    return parameters


def postgres_engine(
    parameters: dict[str, str], name: str, *, read_only_in: str | None = None
) -> Engine:
    """A SQLAlchemy engine without a pool behind it; it raises our errors when it connects.

    Args:
        parameters: libpq's keywords.
        name: the profile's, for messages.
        read_only_in: its transactions change nothing, and find the tables of this schema without
            its name.

    Raises:
        TargetError: from its `connect`: the server cannot be reached, or refuses.
        TryLaterError: likewise; it would not, at another time.
    """
    import sqlalchemy
    from sqlalchemy.pool import NullPool

    # A creator, so that the engine's URL, which errors and logs may show, holds nothing.
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg2://",
        creator=functools.partial(_postgres_connection, parameters, name),
        poolclass=NullPool,
        execution_options={} if read_only_in is None else {"postgresql_readonly": True},
    )
    if read_only_in not in (None, "public"):
        schema = str(read_only_in).replace('"', '""')

        @sqlalchemy.event.listens_for(engine, "begin")
        def find_tables(connection: Connection) -> None:
            # Of this transaction alone: a session's would stay behind in a server-side pool.
            connection.exec_driver_sql(f'SET LOCAL search_path = "{schema}", public')

    return engine


def _postgres_connection(parameters: dict[str, str], name: str) -> Any:
    """psycopg2's own, for the profile of that name."""
    import psycopg2
    from psycopg2.extensions import make_dsn

    from taxietl.config.postgres_errors import meant, target_of

    try:
        return psycopg2.connect(make_dsn(**parameters))
    except psycopg2.OperationalError as error:
        refused = meant(error, target_of(parameters))
        raise type(refused)(f"Profile {name!r}: {refused.message}", hint=refused.hint) from error


def connect_duckdb(path: Path, memory_limit: str | None, name: str) -> DuckDBPyConnection:
    """A DuckDB connection; the file and its folder are made if they are not there.

    Raises:
        TryLaterError: another process holds the file.
        TargetError: it cannot be opened.
    """
    from taxietl.config.duckdb_new import make_file

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

    from taxietl.config import duckdb_dialect

    def opened() -> DuckDBPyConnection:
        if not path.exists():
            raise NoWarehouseError(
                f"There is no DuckDB file {path} yet.", hint="The first load makes it."
            )
        with _meaning(path, name):
            return _duckdb_connection(path, memory_limit, read_only=True)

    return sqlalchemy.create_engine(
        duckdb_dialect.URL,
        creator=functools.partial(duckdb_dialect.ReadingConnection, opened),
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
