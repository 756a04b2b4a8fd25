"""The tables and views that taxietl keeps in a DuckDB file: which are ours, and making them.

Each says in its COMMENT what it is. What bears no such mark is never touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb  # noqa: TID253  imported only where a DuckDB file is used

from taxietl.errors import ConfigError
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
from taxietl.load.sql import defined, quoted
from taxietl.load.views import VIEWS, view_select
from taxietl.tlc.datasets import Dataset, dataset

SCHEMA = "main"
"""Where the ledger, the views and, unless another is named, the trips lie."""

_DATABASES = ("system", "temp")
"""Those that DuckDB has beside the file."""


class Tables:
    """What lies in a schema of the file; the caller has begun the transaction."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, target: str, schema: str = SCHEMA
    ) -> None:
        self._connection = connection
        self._target = target
        self._schema = schema

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
            ConfigError: another table of ours does, the ledger or another colour's.
        """
        check_name(table)
        return self._is_ours(table, trips_role(of))

    def make_trips(self, table: str, of: Dataset, names: Sequence[str]) -> None:
        """Have the colour's table, with every column of the contract and all that come in."""
        columns = {each.name: each.kind.sql_type for each in of.columns}
        if not self.has_trips(table, of):
            self._make_schema()
            self._make(table, columns | {"source_month": "DATE NOT NULL"}, trips_role(of))
        columns |= {name: "TEXT" for name in names if name not in columns}
        present = self._columns(table)
        for name, kind in columns.items():
            if name.lower() not in present:
                self._connection.execute(
                    f"ALTER TABLE {self._named(table)} ADD COLUMN {quoted(name)} {kind}"
                )

    def make_ledger(self) -> None:
        """Have the ledger, the rejects and the view of the current months."""
        if not self.has_ledger():
            self._make(ledger.LOADS, ledger.COLUMNS, LEDGER_ROLES[ledger.LOADS])
        if not self._is_ours(ledger.REJECTS, LEDGER_ROLES[ledger.REJECTS]):
            self._make(ledger.REJECTS, ledger.REJECT_COLUMNS, LEDGER_ROLES[ledger.REJECTS])
        if not self._is_ours(ledger.MONTHS, LEDGER_ROLES[ledger.MONTHS]):
            self._connection.execute(
                f"CREATE VIEW {ledger.MONTHS} AS SELECT {', '.join(ledger.COLUMNS)} "  # noqa: S608
                f"FROM {ledger.LOADS} WHERE superseded_at IS NULL"
            )
            self._mark("VIEW", ledger.MONTHS, LEDGER_ROLES[ledger.MONTHS])

    def _make_schema(self) -> None:
        """Have the schema.

        Raises:
            ConfigError: it is called like a database: DuckDB would not know which is meant.
        """
        if self._schema == SCHEMA:
            return
        ((database,),) = self._connection.execute("SELECT current_database()").fetchall()
        itself = self._schema.lower() == str(database).lower()
        if itself or self._schema.lower() in _DATABASES:
            which = f"the database itself, {self._target}" if itself else "one of DuckDB's own"
            raise ConfigError(
                f"The schema {self._schema} is called like {which}.",
                hint="Name another one: --table SCHEMA.NAME.",
            )
        self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(self._schema)}")

    def _named(self, name: str) -> str:
        """A name as an SQL identifier, with its schema where that has to be said."""
        own = quoted(name)
        return own if self._schema == SCHEMA else f"{quoted(self._schema)}.{own}"

    def _make(self, table: str, columns: Mapping[str, str], role: str) -> None:
        self._connection.execute(f"CREATE TABLE {self._named(table)} ({defined(columns)})")
        self._mark("TABLE", table, role)

    def make_view(self, view: str) -> None:
        """Show the colours that are there; a table or view of the user's own of that name stays."""
        found = self._comment(view)
        if found is not None and not bears(found, VIEW_ROLE):
            return
        present = {}
        for color in VIEWS[view]:
            of = dataset(color)
            if bears(self._comment(of.table), trips_role(of)):
                present[color] = self._columns(of.table)
        self._connection.execute(f"CREATE OR REPLACE VIEW {view} AS {view_select(view, present)}")
        self._mark("VIEW", view, VIEW_ROLE)

    def _mark(self, kind: str, name: str, role: str) -> None:
        self._connection.execute(f"COMMENT ON {kind} {self._named(name)} IS '{comment_of(role)}'")

    def _is_ours(self, name: str, role: str) -> bool:
        """Whether it is there in that role.

        Raises:
            NotOursError: something of that name is there that taxietl did not make.
            ConfigError: something is that taxietl made for something else.
        """
        return is_ours(self._comment(name), name, role, target=self._target)

    def _comment(self, name: str) -> str | None:
        """What the table or view says of itself; empty if nothing, None if there is none."""
        row = self._connection.execute(
            "SELECT comment FROM duckdb_tables() WHERE lower(schema_name) = lower($2) "
            "AND database_name = current_database() AND lower(table_name) = lower($1) "
            "UNION ALL SELECT comment FROM duckdb_views() WHERE lower(schema_name) = lower($2) "
            "AND database_name = current_database() AND lower(view_name) = lower($1)",
            [name, self._schema],
        ).fetchone()
        return None if row is None else str(row[0] or "")

    def _columns(self, table: str) -> frozenset[str]:
        """A table's columns, in lower case: DuckDB does not tell `Fare` from `fare`."""
        rows = self._connection.execute(
            "SELECT lower(column_name) FROM duckdb_columns() WHERE lower(schema_name) = lower($2) "
            "AND database_name = current_database() AND lower(table_name) = lower($1)",
            [table, self._schema],
        ).fetchall()
        return frozenset(str(name) for (name,) in rows)
