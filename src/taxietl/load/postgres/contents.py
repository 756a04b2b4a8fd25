"""What lies in a PostgreSQL database, against its ledger, by the catalog alone; changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from taxietl.findings import Finding
from taxietl.load.ledger import LOADS
from taxietl.load.ledger_contents import LEFTOVERS, MONTHS_SQL, Recorded, compared
from taxietl.load.postgres.connection import Session, opened
from taxietl.load.postgres.errors import target_of
from taxietl.load.postgres.locks import Key
from taxietl.load.postgres.staging import unfinished
from taxietl.load.postgres.tables import Tables
from taxietl.load.sql import quoted
from taxietl.load.table_names import TableName, table_name

_MONTH = re.compile(r"FOR VALUES IN \('(\d{4}-\d{2}-\d{2})'\)")
_TOLERANCE = 0.05
"""The catalog's count is an estimate, of a sample, once a month is larger than that."""


def contents(parameters: Mapping[str, str], schema: str, profile: str) -> Iterator[Finding]:
    """Compare the partitions and the server's counts of their rows with the ledger.

    Args:
        parameters: libpq's keywords.
        schema: where the trip tables lie.
        profile: its name, for the findings.

    Raises:
        TargetError: the server cannot be reached, or refuses.
        NotOursError: something that taxietl did not make bears the ledger's name.
    """
    target = target_of(parameters)
    present: dict[tuple[str, str], int | None] = {}
    recorded: list[Recorded] = []
    with opened(parameters, target=target, read_only=True) as session:
        session.begin()
        if Tables(session, schema, target).has_ledger():
            ledger = f"{quoted(schema)}.{LOADS}"
            recorded = [Recorded(*row) for row in session.run(MONTHS_SQL.format(ledger))]
        for name in sorted({each.table for each in recorded}):
            for month, rows in _partitions(session, table_name(name, schema)):
                present[name, month] = rows
        session.rollback()
        left = [table for table, key in unfinished(session) if _is_free(session, key)]
    yield from compared(profile, recorded, present, tolerance=_TOLERANCE)
    if left:
        tables = "1 table" if len(left) == 1 else f"{len(left)} tables"
        yield Finding.warning(
            LEFTOVERS,
            profile,
            f"{tables} of loads that did not finish: {', '.join(sorted(left))}.",
            hint="The next load drops them; or: "
            + " ".join(f"DROP TABLE {each};" for each in sorted(left)),
        )


def _partitions(session: Session, table: TableName) -> Iterator[tuple[str, int | None]]:
    """The table's months, each with its rows as the server last counted or estimated them."""
    rows = session.run(
        "SELECT pg_get_expr(c.relpartbound, c.oid), c.reltuples::bigint FROM pg_inherits i "
        "JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent "
        "JOIN pg_namespace n ON n.oid = p.relnamespace WHERE n.nspname = %s AND p.relname = %s",
        [table.schema, table.name],
    )
    for bound, count in rows:
        if month := _MONTH.fullmatch(bound or ""):
            yield month[1], count if count >= 0 else None


def _is_free(session: Session, key: Key) -> bool:
    """Whether no load holds that month's lock; it is not taken."""
    rows = session.run(
        "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 "
        "AND classid::bigint = %s AND objid::bigint = %s "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        [key[0] & 0xFFFF_FFFF, key[1] & 0xFFFF_FFFF],
    )
    return not rows
