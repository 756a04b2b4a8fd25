"""The zone table in a PostgreSQL schema; the caller has begun the transaction."""

from __future__ import annotations

from dataclasses import replace

from psycopg2.extras import execute_values  # noqa: TID253  only where PostgreSQL is used

from taxietl.load.ownership import bears, is_ours
from taxietl.load.postgres.tables import Tables
from taxietl.load.sql import defined
from taxietl.load.zone_ledger import (
    HINT,
    LISTED,
    LOAD_COLUMNS,
    LOADS,
    LOADS_ROLE,
    ROLE,
    VIEW_ROLE,
    new_report,
    report_of,
    row_of,
    view_select,
)
from taxietl.steps.zones import Zone, ZoneReport, ZoneRequest, decide
from taxietl.tlc.zones import COLUMNS, TABLE, VIEW

# Values reach SQL as parameters; what stands in it is a name of ours, or is quoted.
# ruff: noqa: S608


class ZoneTables(Tables):
    """The table, its ledger and its view."""

    def replace(self, request: ZoneRequest) -> ZoneReport:
        """Have the request's rows in the table, and the load in the ledger.

        Those who read meanwhile see the rows of before: they are deleted, not truncated.

        Raises:
            NotOursError: something bears a name of theirs that taxietl did not make.
        """
        self._session.run(
            "SELECT pg_advisory_xact_lock(hashtext('taxietl zones'), hashtext(%s))", [self._schema]
        )
        has_table = self._is_zones(TABLE, ROLE)
        current, action, reason = self._decided(request, has_table)
        if action == "nothing" and current is not None:
            return replace(current, action="nothing to do", reason=reason)
        self._make_ready(has_table)
        report = new_report(request, action, reason, current=current, target=self._target)
        table, loads = self._sql_name(TABLE), self._sql_name(LOADS)
        self._session.run(f"DELETE FROM {self.name_of(TABLE)}")
        with self._session.cursor() as cursor:
            execute_values(cursor, f"INSERT INTO {table} ({LISTED}) VALUES %s", request.zones)
        row = row_of(report)
        self._session.run(
            f"UPDATE {loads} SET superseded_at = %s WHERE superseded_at IS NULL",
            [row["loaded_at"]],
        )
        self._session.run(
            f"INSERT INTO {loads} ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})",
            list(row.values()),
        )
        return report

    def plan(self, request: ZoneRequest) -> tuple[str, str]:
        """What `replace` would do, and why; changes nothing."""
        _, action, reason = self._decided(request, self._is_zones(TABLE, ROLE))
        return action, reason

    def _decided(self, request: ZoneRequest, has_table: bool) -> tuple[ZoneReport | None, str, str]:
        """The current load, and what to do about it."""
        current = self._current() if self._is_zones(LOADS, LOADS_ROLE) else None
        return current, *decide(request, current, self._rows() if has_table else None)

    def _make_ready(self, has_table: bool) -> None:
        if not has_table:
            self._make(TABLE, defined(COLUMNS), ROLE)
            # As the ledger has a key: where all tables are published, rows could not be deleted.
            self._session.run(f"ALTER TABLE {self.name_of(TABLE)} REPLICA IDENTITY FULL")
        if not self._is_zones(LOADS, LOADS_ROLE):
            columns = f"{defined(LOAD_COLUMNS)}, PRIMARY KEY (load_id)"
            self._make(LOADS, columns, LOADS_ROLE)
        found = self._found(VIEW)
        if found is None or bears(found.comment, VIEW_ROLE):
            select = view_select(self.name_of(TABLE))
            self._session.run(f"CREATE OR REPLACE VIEW {self.name_of(VIEW)} AS {select}")
            self._mark("VIEW", VIEW, VIEW_ROLE)

    def _current(self) -> ZoneReport | None:
        names = list(LOAD_COLUMNS)[:-1]
        found = self._session.run(
            f"SELECT {', '.join(names)} FROM {self.name_of(LOADS)} WHERE superseded_at IS NULL"
        )
        if not found:
            return None
        return report_of(dict(zip(names, found[0], strict=True)), target=self._target)

    def _rows(self) -> list[Zone]:
        found = self._session.run(f"SELECT {LISTED} FROM {self.name_of(TABLE)}")
        return [Zone(*each) for each in found]

    def _sql_name(self, table: str) -> str:
        """The table's name in a statement with parameters."""
        return self.name_of(table).replace("%", "%%")

    def _is_zones(self, name: str, role: str) -> bool:
        found = self._found(name)
        comment = None if found is None else found.comment
        return is_ours(comment, name, role, target=self._target, hint=HINT)
