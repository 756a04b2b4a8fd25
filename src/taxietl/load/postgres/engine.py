"""Open the database that a `postgres` profile describes, for flows of one's own and notebooks.

The loader opens its own connections from `libpq_parameters()`. Errors say which profile, and hold
neither password nor DSN.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from taxietl.errors import ConfigError

if TYPE_CHECKING:
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

    from taxietl.load.postgres.errors import meant, target_of

    try:
        return psycopg2.connect(make_dsn(**parameters))
    except psycopg2.OperationalError as error:
        refused = meant(error, target_of(parameters))
        raise type(refused)(f"Profile {name!r}: {refused.message}", hint=refused.hint) from error
