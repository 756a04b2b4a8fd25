"""What users have put on a trip table, indexes and constraints, made on a month before its swap.

ATTACH demands the table's CHECKs of a month, and builds the indexes it has not while readers wait.
Made aside they keep nobody waiting, and a month that breaks one is refused in words that help.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg2  # noqa: TID253  imported only where a PostgreSQL database is used

from taxietl.errors import TargetError
from taxietl.load.postgres.connection import Session
from taxietl.load.sql import quoted
from taxietl.tlc.trip_file import TripFile

# Values reach SQL as parameters; what stands in it is a name of ours, or is quoted.
# ruff: noqa: S608


@dataclass(frozen=True)
class Rule:
    """An index or a constraint of the table's."""

    said: str
    """What it is and its name, in words."""
    making: str
    """The statement that makes it on the month."""
    dropping: str
    """The statement that drops it from the table."""
    condition: str = ""
    """A CHECK's."""
    columns: Sequence[str] = ()
    """That the condition is about."""


def make_rules(session: Session, schema: str, table: str, month: str, trip_file: TripFile) -> None:
    """Have the table's rules on the month; ATTACH then finds them.

    Args:
        session: the load's; what the month holds is whole.
        schema: the table's.
        table: the table.
        month: the month's own table, quoted.
        trip_file: the month in words.

    Raises:
        TargetError: the month breaks one.
    """
    rules = [
        *_constraints(session, schema, table, month),
        *_indexes(session, schema, table, month),
    ]
    for rule in rules:
        try:
            with session.savepoint():
                session.run(rule.making)
        except psycopg2.IntegrityError as error:
            what = _breach(session, rule, month) or error.diag.message_detail or str(error)
            raise TargetError(
                f"{trip_file} breaks {rule.said} of {table}: {what.strip().rstrip('.')}.",
                hint="Nothing was changed there. Leave such trips out with a transform, or do "
                f"without: {rule.dropping};",
            ) from error


def _breach(session: Session, rule: Rule, month: str) -> str:
    """A trip that the condition does not hold for; empty where the server names one itself."""
    if not rule.condition or not rule.columns:
        return ""
    listed = ", ".join(quoted(each) for each in rule.columns)
    rows = session.run(f"SELECT {listed} FROM {month} WHERE NOT ({rule.condition}) LIMIT 1")
    values = zip(rule.columns, rows[0], strict=True) if rows else ()
    return ", ".join(f"{name} = {value}" for name, value in values)


def _constraints(session: Session, schema: str, table: str, month: str) -> list[Rule]:
    """CHECKs, under their own names, by which ATTACH knows them; PRIMARY KEY, UNIQUE, EXCLUDE."""
    rows = session.run(
        "SELECT k.conname, k.contype = 'c', pg_get_constraintdef(k.oid), "
        "coalesce(pg_get_expr(k.conbin, k.conrelid), ''), ARRAY(SELECT a.attname::text FROM "
        "pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY(k.conkey) ORDER BY a.attnum) "
        "FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s "
        "AND k.contype IN ('c', 'p', 'u', 'x') ORDER BY k.conname",
        [schema, table],
    )
    parent = f"{quoted(schema)}.{quoted(table)}"
    return [
        Rule(
            said=f"constraint {name}, {definition},",
            # NOT VALID spares the rows of before; those that come have to be checked.
            making=f"ALTER TABLE {month} ADD {f'CONSTRAINT {quoted(name)} ' if is_check else ''}"
            + definition.removesuffix(" NOT VALID"),
            dropping=f"ALTER TABLE {parent} DROP CONSTRAINT {quoted(name)}",
            condition=condition,
            columns=columns,
        )
        for name, is_check, definition, condition, columns in rows
    ]


def _indexes(session: Session, schema: str, table: str, month: str) -> list[Rule]:
    """Indexes that no constraint stands on."""
    rows = session.run(
        "SELECT x.relname, pg_get_indexdef(i.indexrelid), format('INDEX %%I ON ONLY %%I.%%I ', "
        "x.relname, n.nspname, c.relname) FROM pg_index i "
        "JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relname = %s AND NOT EXISTS (SELECT 1 FROM pg_constraint k "
        "WHERE k.conindid = i.indexrelid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x')) "
        "ORDER BY x.relname",
        [schema, table],
    )
    return [
        Rule(
            said=f"index {name}",
            making=definition.replace(parents, f"INDEX ON {month} ", 1),
            dropping=f"DROP INDEX {quoted(schema)}.{quoted(name)}",
        )
        for name, definition, parents in rows
    ]
