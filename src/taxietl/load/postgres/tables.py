"""The tables and views that taxietl keeps in a PostgreSQL schema: which are ours, and making them.

Each says in its COMMENT what it is. What bears no such mark is never touched. Catalogs are read
rather than tables opened: a lock on the parent, held all through a load, would keep every other
load from its swap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from taxietl.errors import ConfigError, NotOursError, SchemaError, TargetError
from taxietl.load import ledger
from taxietl.load.ownership import (
    LEDGER_ROLES,
    VIEW_ROLE,
    bears,
    check_name,
    comment_of,
    is_ours,
    trips_role,
)
from taxietl.load.postgres.connection import Session
from taxietl.load.sql import defined, quoted
from taxietl.load.views import VIEWS, view_columns, view_select
from taxietl.tlc.datasets import Dataset, dataset

# Values reach SQL as parameters; what stands in it is a name of ours, or is quoted.
# ruff: noqa: S608

NAME_BYTES = 63
"""PostgreSQL cuts longer names short."""

_OF_THE_SERVER = frozenset({"tableoid", "ctid", "xmin", "xmax", "cmin", "cmax"})
"""Columns that every table has. Source: PostgreSQL, "System Columns"."""

_SPELT = {"TIMESTAMP": "timestamp without time zone"}


@dataclass(frozen=True)
class Definition:
    """One column of a table, as the server has it."""

    name: str
    kind: str
    rest: str = ""
    """DEFAULT, GENERATED, NOT NULL."""

    is_identity: bool = False
    """Numbered by the parent's sequence, as `rest` says, too: no table to be attached may have an
    identity of its own."""

    @property
    def sql(self) -> str:
        """As CREATE and ALTER TABLE take it."""
        return f"{quoted(self.name)} {self.kind}{self.rest}"


MONTH = Definition("source_month", "DATE", " NOT NULL")
"""By which the table is partitioned."""


@dataclass(frozen=True)
class _Found:
    """What bears a name in the schema."""

    kind: str
    comment: str


class Tables:
    """What lies in a schema."""

    def __init__(self, session: Session, schema: str, target: str) -> None:
        self._session = session
        self._schema = schema
        self._target = target

    def name_of(self, table: str) -> str:
        """The table's name with its schema, quoted."""
        return f"{quoted(self._schema)}.{quoted(table)}"

    def has_ledger(self) -> bool:
        """Whether the ledger is there.

        Raises:
            NotOursError: something else bears its name.
        """
        return self._is_ours(ledger.LOADS, LEDGER_ROLES[ledger.LOADS])

    def has_trips(self, table: str, of: Dataset) -> bool:
        """Whether the colour's table is there.

        Raises:
            NotOursError: something else bears its name.
            ConfigError: another table of ours does, the ledger or another colour's; or the name
                is too long.
        """
        check_name(table)
        for what, name in (("table", table), ("schema", self._schema)):
            if len(name.encode()) > NAME_BYTES:
                raise ConfigError(
                    f"The {what}'s name is longer than PostgreSQL's {NAME_BYTES} bytes: {name}.",
                    hint="Name another with --table.",
                )
        if not self._is_ours(table, trips_role(of)):
            return False
        found = self._found(table)
        if found is not None and found.kind != "p":
            raise NotOursError(
                f"{table} in {self._target} is no longer partitioned: somebody made it anew.",
                hint="It is left alone. Rename it, or load into another table with --table NAME.",
            )
        return True

    def is_ledger_whole(self) -> bool:
        """Whether none of the ledger is still to be made."""
        return all(self._is_ours(name, role) for name, role in LEDGER_ROLES.items())

    def make_ledger(self) -> None:
        """Have the ledger, the rejects and the view of the current months."""
        if not self.has_ledger():
            # A server that publishes all tables lets rows be changed only in those with a key.
            columns = f"{defined(ledger.COLUMNS)}, PRIMARY KEY (load_id)"
            self._make(ledger.LOADS, columns, LEDGER_ROLES[ledger.LOADS])
        if not self._is_ours(ledger.REJECTS, LEDGER_ROLES[ledger.REJECTS]):
            columns = defined(ledger.REJECT_COLUMNS)
            self._make(ledger.REJECTS, columns, LEDGER_ROLES[ledger.REJECTS])
        if not self._is_ours(ledger.MONTHS, LEDGER_ROLES[ledger.MONTHS]):
            self._session.run(
                f"CREATE VIEW {self.name_of(ledger.MONTHS)} AS SELECT {', '.join(ledger.COLUMNS)} "
                f"FROM {self.name_of(ledger.LOADS)} WHERE superseded_at IS NULL"
            )
            self._mark("VIEW", ledger.MONTHS, LEDGER_ROLES[ledger.MONTHS])

    def make_schema(self) -> None:
        """Have the schema; who may not make one can still load into one that is there."""
        found = self._session.run("SELECT 1 FROM pg_namespace WHERE nspname = %s", [self._schema])
        if not found:
            self._session.run(f"CREATE SCHEMA {quoted(self._schema)}")

    def make_trips(self, table: str, of: Dataset) -> None:
        """Have the colour's table; without partitions at first."""
        if not self.has_trips(table, of):
            listed = ", ".join(each.sql for each in contract_columns(of, ()))
            # Without partitions it has no room of its own, and may not name the database's default.
            self._session.run("SET LOCAL default_tablespace = ''")
            self._make(table, listed, trips_role(of), " PARTITION BY LIST (source_month)")

    def columns(self, table: str) -> list[Definition]:
        """The columns of a table of the schema, in their order; none if there is no table."""
        return columns_of(self._session, self._schema, table)

    def check_kinds(self, table: str, wanted: Sequence[Definition]) -> None:
        """Demand that columns that are there have the contract's types, which COPY sends.

        Raises:
            TargetError: one has another.
        """
        present = {each.name: each.kind for each in self.columns(table)}
        for each in wanted:
            kind = _SPELT.get(each.kind, each.kind.lower())
            if present.get(each.name, kind) != kind:
                raise TargetError(
                    f"Column {each.name} of {table} in {self._target} has become "
                    f"{present[each.name]}; the contract says {kind}.",
                    hint="Put its type back, or load into another table with --table NAME.",
                )

    def make_view(self, color: str) -> None:
        """Show the colours that are there; a table or view of the user's own of that name stays."""
        view = dataset(color).view
        found = self._found(view)
        if found is not None and not bears(found.comment, VIEW_ROLE):
            return
        present = {}
        for each in VIEWS[view]:
            of = dataset(each)
            table = self._found(of.table)
            if table is not None and bears(table.comment, trips_role(of)):
                present[each] = sorted(column.name.lower() for column in self.columns(of.table))
        select = view_select(view, present, schema=self._schema)
        columns = [each.name for each in self.columns(view)]
        if found is None:
            self._session.run(f"CREATE VIEW {self.name_of(view)} AS {select}")
            self._mark("VIEW", view, VIEW_ROLE)
        elif self._shows(view) != sorted(present) or set(columns) != set(view_columns(view)):
            # Its columns stay where they were: views of the user's own may stand on it.
            names = [*columns, *(each for each in view_columns(view) if each not in columns)]
            listed = ", ".join(quoted(name) for name in names)
            self._session.run(
                f"CREATE OR REPLACE VIEW {self.name_of(view)} AS "
                f"SELECT {listed} FROM ({select}) AS t"
            )

    def _shows(self, view: str) -> list[str]:
        """The colours whose tables the view reads."""
        rows = self._session.run(
            "SELECT DISTINCT t.relname FROM pg_rewrite r JOIN pg_depend d ON d.objid = r.oid "
            "JOIN pg_class t ON t.oid = d.refobjid AND t.relkind = 'p' "
            "JOIN pg_class v ON v.oid = r.ev_class JOIN pg_namespace n ON n.oid = v.relnamespace "
            "WHERE n.nspname = %s AND v.relname = %s",
            [self._schema, view],
        )
        tables = {name for (name,) in rows}
        return sorted(color for color in VIEWS[view] if dataset(color).table in tables)

    def _make(self, table: str, columns: str, role: str, rest: str = "") -> None:
        self._session.run(f"CREATE TABLE {self.name_of(table)} ({columns}){rest}")
        self._mark("TABLE", table, role)

    def _mark(self, kind: str, name: str, role: str) -> None:
        self._session.run(f"COMMENT ON {kind} {self.name_of(name)} IS '{comment_of(role)}'")

    def _is_ours(self, name: str, role: str) -> bool:
        """See `ownership.is_ours`."""
        found = self._found(name)
        return is_ours(None if found is None else found.comment, name, role, target=self._target)

    def _found(self, name: str) -> _Found | None:
        rows = self._session.run(
            "SELECT c.relkind, coalesce(obj_description(c.oid, 'pg_class'), '') FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s",
            [self._schema, name],
        )
        return _Found(*rows[0]) if rows else None


def columns_of(session: Session, schema: str, table: str) -> list[Definition]:
    """A table's or view's columns, in their order; none if there is no such table."""
    rows = session.run(
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod), "
        "concat(' COLLATE ' || (SELECT format('%%I.%%I', cn.nspname, co.collname) FROM "
        "pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace WHERE "
        "co.oid = a.attcollation AND co.collname <> 'default'), "
        "CASE WHEN a.attidentity <> '' THEN ' DEFAULT nextval(' || quote_literal("
        "pg_get_serial_sequence(format('%%I.%%I', n.nspname, c.relname), a.attname)) || "
        "'::regclass)' WHEN a.attgenerated <> '' THEN ' GENERATED ALWAYS AS (' || "
        "pg_get_expr(d.adbin, d.adrelid) || ') ' || "
        "CASE a.attgenerated WHEN 's' THEN 'STORED' ELSE 'VIRTUAL' END "
        "ELSE ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END, "
        "CASE WHEN a.attnotnull THEN ' NOT NULL' END), a.attidentity <> '' "
        "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum) "
        "WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped "
        "ORDER BY a.attnum",
        [schema, table],
    )
    return [Definition(*row) for row in rows]


def contract_columns(of: Dataset, names: Sequence[str]) -> list[Definition]:
    """The columns that the contract and the incoming names demand, then the month.

    Raises:
        SchemaError: a name is longer than PostgreSQL's may be, or one that it keeps for itself.
    """
    columns = [Definition(each.name, each.kind.sql_type) for each in of.columns]
    for name in names:
        is_long = len(name.encode()) > NAME_BYTES
        if is_long or name in _OF_THE_SERVER:
            why = f"longer than PostgreSQL's {NAME_BYTES} bytes" if is_long else "PostgreSQL's own"
            raise SchemaError(
                f"The file has a column whose name is {why}: {name}.",
                hint="Nothing was loaded. Rename the column in the file, or leave it out with "
                "--new-columns ignore.",
            )
        if not of.has(name):
            columns.append(Definition(name, "TEXT"))
    return [*columns, MONTH]
