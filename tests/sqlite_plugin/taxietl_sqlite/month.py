"""A month's statements on an open connection; the caller has begun the transaction."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from taxietl.load import ledger
from taxietl.load.ownership import LEDGER_ROLES, check_name, comment_of, is_ours, trips_role
from taxietl.load.sql import defined, quoted, stats_of, stats_select
from taxietl.load.table_names import table_name
from taxietl.steps.protocols import Batches
from taxietl.steps.values import ColumnStats, Entry, LoadReport, Note
from taxietl.tlc.trip_file import TripFile

_MARK = re.compile(r"/\* (.*?) \*/")


class SqliteMonth:
    """One month of one table; see `taxietl.load.replacement.Month`."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        trip_file: TripFile,
        table: str,
        target: str,
        *,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """`check` raises when the run is to stop."""
        self._connection = connection
        self._trip_file, self._target, self._check = trip_file, target, check
        self._columns = trip_file.dataset.columns
        self._table = table_name(table, "main")
        self._day = trip_file.source_month.isoformat()
        self._of_ledger = (str(self._table), trip_file.color, self._day)

    def entry(self) -> Entry | None:
        """The month's current row in the ledger, and how many of its rows are there."""
        has_trips = self._has_trips()
        if not self._is_ours(ledger.LOADS, LEDGER_ROLES[ledger.LOADS]):
            return None
        rows = self._connection.execute(
            f"SELECT {', '.join(ledger.COLUMNS)} FROM {ledger.MONTHS} WHERE {_CURRENT}",
            self._of_ledger,
        ).fetchall()
        if not rows:
            return None
        row = dict(zip(ledger.COLUMNS, rows[0], strict=True))
        ledger.check_alone(row["load_id"], len(rows), target=self._target)
        row["source_month"] = date.fromisoformat(row["source_month"])
        row["loaded_at"] = datetime.fromisoformat(row["loaded_at"])
        present = self._rows("count(*)")[0] if has_trips else None
        return Entry(ledger.report_of(row, target=self._target), present)

    def loaded_from(self, sha256: str) -> str | None:
        """Another month of the table that was loaded from these bytes."""
        if not self._is_ours(ledger.LOADS, LEDGER_ROLES[ledger.LOADS]):
            return None
        ((day,),) = self._connection.execute(
            f"SELECT min(source_month) FROM {ledger.MONTHS} WHERE table_name = ? AND color = ? "
            "AND source_month <> ? AND source_sha256 = ?",
            (*self._of_ledger, sha256),
        )
        return day[:7] if day else None

    def write(self, batches: Batches, load_id: str) -> None:
        """Put the stream's rows in place of the month's."""
        self._make_ledger()
        is_first = True
        for batch in batches:
            self._check()
            if is_first:
                self._begin(batch.schema.names)
                is_first = False
            names = ", ".join(map(quoted, batch.schema.names))
            marks = ", ".join("?" * (batch.num_columns + 1))
            columns = [_values(each) for each in batch.columns]
            days = [self._day] * batch.num_rows
            self._connection.executemany(
                f"INSERT INTO {self._table.sql} ({names}, source_month) VALUES ({marks})",
                zip(*columns, days, strict=True),
            )
        if is_first:
            self._begin(())

    def counted(self) -> tuple[int, Mapping[str, ColumnStats]]:
        """The month's rows, and each column's nulls and sum."""
        from taxietl_sqlite.loader import SQLITE

        rows, *values = self._rows(f"count(*), {stats_select(self._columns, SQLITE)}")
        return rows, stats_of(self._columns, values)

    def record(self, report: LoadReport, notes: Sequence[Note]) -> None:
        """Write the load's ledger row and rejects; the row before it is superseded."""
        row = ledger.row_of(report)
        self._supersede(row["loaded_at"])
        self._insert(ledger.LOADS, row)
        for note in notes:
            self._insert(ledger.REJECTS, ledger.reject_of(report.load_id, note))

    def drop(self) -> Entry | None:
        """Delete the month's rows, and supersede its ledger row."""
        entry = self.entry()
        if entry is None:
            return None
        if entry.rows_present is not None:
            self._delete()
        self._supersede(datetime.now(UTC).isoformat())
        return entry

    def _begin(self, names: Sequence[str]) -> None:
        """Have the table, with all columns that come in, and none of the month's rows."""
        of = self._trip_file.dataset
        self._columns = of.columns_with(names)
        columns = {each.name: each.kind.sql_type for each in of.columns}
        if not self._has_trips():
            self._make(self._table.name, columns | {"source_month": "DATE"}, trips_role(of))
        columns |= {name: "TEXT" for name in names if name not in columns}
        present = self._connection.execute(
            "SELECT lower(name) FROM pragma_table_info(?)", [self._table.name]
        ).fetchall()
        for name, kind in columns.items():
            if (name.lower(),) not in present:
                self._connection.execute(
                    f"ALTER TABLE {self._table.sql} ADD COLUMN {quoted(name)} {kind}"
                )
        self._delete()

    def _make_ledger(self) -> None:
        for name, columns in (
            (ledger.LOADS, ledger.COLUMNS),
            (ledger.REJECTS, ledger.REJECT_COLUMNS),
        ):
            if not self._is_ours(name, LEDGER_ROLES[name]):
                self._make(name, columns, LEDGER_ROLES[name])
        if not self._is_ours(ledger.MONTHS, LEDGER_ROLES[ledger.MONTHS]):
            self._connection.execute(
                f"CREATE VIEW {ledger.MONTHS} AS SELECT {', '.join(ledger.COLUMNS)} "
                f"/* {comment_of(LEDGER_ROLES[ledger.MONTHS])} */ "
                f"FROM {ledger.LOADS} WHERE superseded_at IS NULL"
            )

    def _make(self, table: str, columns: Mapping[str, str], role: str) -> None:
        """SQLite has no COMMENT, but keeps the text of what made a table."""
        self._connection.execute(
            f"CREATE TABLE {quoted(table)} (/* {comment_of(role)} */ {defined(columns)})"
        )

    def _has_trips(self) -> bool:
        check_name(self._table.name)
        return self._is_ours(self._table.name, trips_role(self._trip_file.dataset))

    def _is_ours(self, name: str, role: str) -> bool:
        found = self._connection.execute(
            "SELECT sql FROM sqlite_master WHERE lower(name) = lower(?)", [name]
        ).fetchone()
        mark = _MARK.search(found[0] or "") if found else None
        said = None if found is None else mark[1] if mark else ""
        return is_ours(said, name, role, target=self._target)

    def _insert(self, table: str, row: Mapping[str, object]) -> None:
        marks = ", ".join("?" * len(row))
        self._connection.execute(
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values())
        )

    def _supersede(self, at: str) -> None:
        self._connection.execute(
            f"UPDATE {ledger.LOADS} SET superseded_at = ? WHERE {_CURRENT} "
            "AND superseded_at IS NULL",
            (at, *self._of_ledger),
        )

    def _delete(self) -> None:
        self._connection.execute(
            f"DELETE FROM {self._table.sql} WHERE source_month = ?", [self._day]
        )

    def _rows(self, aggregates: str) -> Sequence[int]:
        (row,) = self._connection.execute(
            f"SELECT {aggregates} FROM {self._table.sql} WHERE source_month = ?", [self._day]
        )
        return list(row)


_CURRENT = "table_name = ? AND color = ? AND source_month = ?"


def _values(column: pa.Array) -> list[object]:
    """As SQLite keeps them; of times the text, which sorts as they do."""
    if pa.types.is_timestamp(column.type):
        column = pc.replace_substring_regex(column.cast(pa.string()), r"\.0+$", "")
    return column.to_pylist()
