"""Ask a PostgreSQL server who it is and whether months can be loaded there; changes nothing."""

from __future__ import annotations

from collections.abc import Mapping

from taxietl.errors import TargetError
from taxietl.load.ownership import LEDGER_ROLES
from taxietl.load.postgres.connection import Session, opened
from taxietl.load.postgres.errors import address_of, target_of
from taxietl.load.postgres.tables import Tables
from taxietl.load.sql import quoted
from taxietl.load.table_names import PARTS
from taxietl.tlc.datasets import DATASETS


def check(parameters: Mapping[str, str], schema: str) -> str:
    """Connect and look; returns which server, database and user it is.

    Args:
        parameters: libpq's keywords.
        schema: where the trip tables go.

    Raises:
        ConfigError: a colour's table holds another's trips.
        TargetError: the server cannot be reached, refuses, is too old, or would refuse a load.
        NotOursError: something that taxietl did not make bears a name that it needs.
        TryLaterError: it does not take connections now.
    """
    target = target_of(parameters)
    with opened(parameters, target=target, read_only=True) as session:
        session.begin()
        ((version, database, user, address, is_read_only),) = session.run(
            "SELECT split_part(current_setting('server_version'), ' ', 1), current_database(), "
            "current_user, host(inet_server_addr()) || ':' || inet_server_port(), "
            "pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean"
        )
        # Behind a container's or a tunnel's port another server may answer than the one meant.
        service = parameters.get("service")
        where = f"by service {service}" if service else f"at {address_of(parameters)}"
        found = (
            f"PostgreSQL {version}, database {database} as user {user} {where} "
            f"({f'it calls itself {address}' if address else 'by its socket'})"
        )
        if session.is_pooled:
            found += " through a pooler such as PgBouncer"
        if is_read_only:
            raise TargetError(
                f"{found}: it is read-only.",
                hint="Is it a standby, or default_transaction_read_only set? "
                "Name the primary server.",
            )
        _check_rights(session, schema, database, user, found)
        tables = _tables_of_ours(session, schema, target)
        _check_owners(session, schema, user, found)
    held = f"trips lie in {', '.join(tables)}" if tables else "no trips yet"
    return f"{found}, schema {schema}: {held}."


def _check_rights(session: Session, schema: str, database: str, user: str, found: str) -> None:
    """Demand what a first load needs: to create in both schemas, or the second one itself."""
    if (own := _rights_in(session, schema)) is None:
        raise TargetError(
            f"{found}: there is no schema {schema}.",
            hint=f"Make it with CREATE SCHEMA {quoted(schema)}, or name another `schema` "
            "in the profile.",
        )
    missing = []
    if not own:
        missing.append(f"CREATE, USAGE ON SCHEMA {quoted(schema)}")
    parts = _rights_in(session, PARTS)
    if parts is None:
        ((may_create,),) = session.run(
            "SELECT has_database_privilege(current_database(), 'CREATE')"
        )
        if not may_create:
            missing.append(f"CREATE ON DATABASE {quoted(database)}")
    elif not parts:
        missing.append(f"CREATE, USAGE ON SCHEMA {PARTS}")
    if missing:
        grants = " ".join(f"GRANT {each} TO {quoted(user)};" for each in missing)
        places = " and ".join(each.split(" ON ", 1)[1].lower() for each in missing)
        raise TargetError(
            f"{found}: the user may not create what a load makes in {places}.",
            hint=f"The owner can allow it: {grants}",
        )


def _tables_of_ours(session: Session, schema: str, target: str) -> list[str]:
    """The colours' tables that are there; like the ledger, they have to be taxietl's."""
    tables = Tables(session, schema, target)
    tables.is_ledger_whole()
    return [each.table for each in DATASETS.values() if tables.has_trips(each.table, each)]


def _check_owners(session: Session, schema: str, user: str, found: str) -> None:
    """Demand that tables and partitions that are there are the user's: a load changes them."""
    rows = session.run(
        "SELECT pg_get_userbyid(c.relowner), string_agg(DISTINCT coalesce(p.relname, c.relname), "
        "', ' ORDER BY coalesce(p.relname, c.relname)) FROM pg_class c "
        "LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent "
        "JOIN pg_namespace n ON n.oid = coalesce(p.relnamespace, c.relnamespace) "
        "WHERE n.nspname = %s AND coalesce(p.relname, c.relname) = ANY(%s) "
        "AND NOT pg_has_role(c.relowner, 'USAGE') GROUP BY 1 ORDER BY 1",
        [schema, [*LEDGER_ROLES, *(each.table for each in DATASETS.values())]],
    )
    if rows:
        owner, tables = rows[0]
        raise TargetError(
            f"{found}: {tables} or months in it belong to {owner}, and only an owner can replace "
            "months.",
            hint=f"Load as {owner}, or have it share its rights: "
            f"GRANT {quoted(owner)} TO {quoted(user)};",
        )


def _rights_in(session: Session, schema: str) -> bool | None:
    """Whether the user may create in the schema; None where there is none."""
    rows = session.run(
        "SELECT has_schema_privilege(oid, 'CREATE') AND has_schema_privilege(oid, 'USAGE') "
        "FROM pg_namespace WHERE nspname = %s",
        [schema],
    )
    return bool(rows[0][0]) if rows else None
