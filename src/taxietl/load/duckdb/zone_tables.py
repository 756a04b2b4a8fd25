"""The zone table in a DuckDB file; the caller has begun the transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from taxietl.load.duckdb.tables import Tables
from taxietl.load.ownership import bears, is_ours
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

# Values reach SQL as parameters; what stands in it is a name of ours.
# ruff: noqa: S608

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ZoneTables(Tables):
    """The table, its ledger and its view."""

    def replace(self, request: ZoneRequest) -> ZoneReport:
        """Have the request's rows in the table, and the load in the ledger.

        Raises:
            NotOursError: something bears a name of theirs that taxietl did not make.
        """
        has_table = self._is_zones(TABLE, ROLE)
        current, action, reason = self._decided(request, has_table)
        if action == "nothing" and current is not None:
            return replace(current, action="nothing to do", reason=reason)
        self._make_ready(has_table)
        report = new_report(request, action, reason, current=current, target=self._target)
        self._connection.execute(f"DELETE FROM {TABLE}")
        self._connection.executemany(
            f"INSERT INTO {TABLE} ({LISTED}) VALUES (?, ?, ?, ?)",
            [list(each) for each in request.zones],
        )
        row = row_of(report)
        self._connection.execute(
            f"UPDATE {LOADS} SET superseded_at = ? WHERE superseded_at IS NULL", [row["loaded_at"]]
        )
        self._connection.execute(
            f"INSERT INTO {LOADS} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
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
            self._make(TABLE, COLUMNS, ROLE)
        if not self._is_zones(LOADS, LOADS_ROLE):
            self._make(LOADS, LOAD_COLUMNS, LOADS_ROLE)
        found = self._comment(VIEW)
        if found is None or bears(found, VIEW_ROLE):
            self._connection.execute(f"CREATE OR REPLACE VIEW {VIEW} AS {view_select(TABLE)}")
            self._mark("VIEW", VIEW, VIEW_ROLE)

    def _current(self) -> ZoneReport | None:
        names = list(LOAD_COLUMNS)[:-1]
        # Times with a zone come back as whole numbers: as values they would need another package.
        listed = ", ".join(names).replace("loaded_at", "epoch_us(loaded_at)")
        found = self._connection.execute(
            f"SELECT {listed} FROM {LOADS} WHERE superseded_at IS NULL"
        ).fetchone()
        if found is None:
            return None
        row = dict(zip(names, found, strict=True))
        row["loaded_at"] = _EPOCH + timedelta(microseconds=row["loaded_at"])
        return report_of(row, target=self._target)

    def _rows(self) -> list[Zone]:
        found = self._connection.execute(f"SELECT {LISTED} FROM {TABLE}").fetchall()
        return [Zone(*each) for each in found]

    def _is_zones(self, name: str, role: str) -> bool:
        return is_ours(self._comment(name), name, role, target=self._target, hint=HINT)
