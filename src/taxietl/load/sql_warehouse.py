"""What a warehouse that is asked in SQL answers, by its loader's `query` alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, ClassVar

from taxietl.errors import NoWarehouseError
from taxietl.load.dialect import POSTGRES, Dialect
from taxietl.load.ledger import COLUMNS, LOADS, MONTHS, REJECT_COLUMNS, REJECTS
from taxietl.load.month_columns import MonthColumns
from taxietl.load.quality import FACT, quality_select
from taxietl.load.sql import literal, stats_of, stats_select
from taxietl.load.table_names import table_name
from taxietl.steps.values import ColumnStats, Note
from taxietl.steps.warehouse import LedgerQuery
from taxietl.tlc.datasets import Column
from taxietl.tlc.trip_file import TripFile

if TYPE_CHECKING:
    import pyarrow as pa

# What stands in these statements is a name of ours, or is quoted.
# ruff: noqa: S608


class SqlWarehouse:
    """See `steps.warehouse.Warehouse`; a loader that inherits this has to offer `query`."""

    dialect: ClassVar[Dialect] = POSTGRES
    schema: str

    def query(self, statement: str) -> AbstractContextManager[pa.RecordBatchReader]:
        """See `protocols.Loader.query`."""
        raise NotImplementedError

    def query_at_once(self, statement: str) -> AbstractContextManager[pa.RecordBatchReader]:
        """The same, but waits for nobody; a server makes nobody wait."""
        return self.query(statement)

    def ledger(self, wanted: LedgerQuery, *, at_once: bool = False) -> list[dict[str, Any]]:
        """See `Warehouse.ledger`."""
        names = wanted.columns or tuple(COLUMNS)
        relation = LOADS if wanted.superseded else MONTHS
        where = " AND ".join(self._conditions(wanted)) or "1 = 1"
        try:
            if not self._has_ledger(at_once):
                return []
        except NoWarehouseError:
            return []
        rows = self._asked(
            f"SELECT {', '.join(names)} FROM {relation} WHERE {where} "
            "ORDER BY color, source_month, loaded_at",
            at_once,
        )
        return [
            {name: _typed(name, value) for name, value in zip(names, row, strict=True)}
            for row in rows
        ]

    def rejects(self, load_ids: Collection[str]) -> Mapping[str, tuple[Note, ...]]:
        """See `Warehouse.rejects`."""
        if not load_ids:
            return {}
        rows = self._asked(
            f"SELECT {', '.join(REJECT_COLUMNS)} FROM {REJECTS} "
            f"WHERE load_id IN ({', '.join(map(literal, sorted(load_ids)))}) "
            "ORDER BY load_id, line, column_name"
        )
        return {
            load_id: tuple(Note(*note) for _, *note in some)
            for load_id, some in groupby(rows, lambda row: str(row[0]))
        }

    def columns(self, table: str) -> Sequence[str]:
        """See `Warehouse.columns`."""
        statement = f"SELECT * FROM {table_name(table, self.schema).sql} LIMIT 0"
        with self.query(statement) as reader:
            return list(reader.schema.names)

    def count(
        self, table: str, columns: Sequence[Column]
    ) -> Mapping[str, tuple[int, Mapping[str, ColumnStats]]]:
        """See `Warehouse.count`."""
        asked = ["CAST(source_month AS VARCHAR(10))", "count(*)"]
        asked += [stats_select(columns, self.dialect)] if columns else []
        rows = self._asked(
            f"SELECT {', '.join(asked)} FROM {table_name(table, self.schema).sql} "
            "GROUP BY source_month"
        )
        return {day[:7]: (count, stats_of(columns, values)) for day, count, *values in rows}

    def quality(
        self, trip_file: TripFile, table: str, columns: Sequence[Column]
    ) -> list[dict[str, Any]]:
        """See `Warehouse.quality`."""
        name = table_name(table, self.schema)
        month = MonthColumns(trip_file, name, tuple(columns), self.dialect)
        return [dict(zip(FACT, row, strict=True)) for row in self._asked(quality_select(month))]

    def _has_ledger(self, at_once: bool) -> bool:
        """Whether anything was ever loaded; a first load that was refused leaves no ledger."""
        rows = self._asked(self.dialect.tables, at_once)
        return (LOADS,) in rows

    def _conditions(self, wanted: LedgerQuery) -> Iterator[str]:
        if wanted.colors is not None:
            among = ", ".join(map(literal, wanted.colors))
            yield f"color IN ({among})" if among else "1 = 0"
        if wanted.trip_file:
            yield f"color = {literal(wanted.trip_file.color)}"
            yield f"source_month = {self.dialect.date.format(wanted.trip_file.source_month)}"
        if wanted.table is not None:
            yield f"table_name = {literal(wanted.table)}"
        if wanted.run_name is not None:
            yield f"run_name = {literal(wanted.run_name)}"

    def _asked(self, statement: str, at_once: bool = False) -> list[tuple[Any, ...]]:
        """The rows as plain values; the warehouse is let go before they are looked at."""
        query = self.query_at_once if at_once else self.query
        with query(statement) as reader:
            return [
                row
                for batch in reader
                for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
            ]


def _typed(name: str, value: Any) -> Any:
    """A time in UTC, whatever zone its database shows; days and times that are kept as text."""
    kind = COLUMNS[name]
    if kind.startswith("DATE") and isinstance(value, str):
        return date.fromisoformat(value)
    if kind.startswith("TIME") and value is not None:
        at = datetime.fromisoformat(value) if isinstance(value, str) else value
        return at.astimezone(UTC)
    return value
