"""What commands other than a load ask of a warehouse, in no database's own words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from taxietl.steps.values import ColumnStats, Note
from taxietl.tlc.datasets import Column
from taxietl.tlc.trip_file import TripFile


@dataclass(frozen=True)
class LedgerQuery:
    """Which rows of the ledger are asked for; None means any."""

    colors: tuple[str, ...] | None = None
    trip_file: TripFile | None = None
    table: str | None = None
    run_name: str | None = None
    superseded: bool = False
    """Also the rows of loads that were replaced or dropped since."""

    columns: tuple[str, ...] | None = None
    """Only these; the counts in JSON are most of a row's bytes."""


class Warehouse(Protocol):
    """What was loaded into a warehouse, and what lies there now. Changes nothing.

    `taxietl.load.sql_warehouse` has all of it for databases that are asked in SQL.
    """

    def ledger(self, wanted: LedgerQuery, *, at_once: bool = False) -> list[dict[str, Any]]:
        """Rows of the ledger by `taxietl.load.ledger.COLUMNS`, by colour, month and time.

        A day is a `date`, a time a `datetime` in UTC, JSON its text or taken apart. There
        are none where nothing was ever loaded, and where there is no warehouse yet.

        Args:
            wanted: which.
            at_once: wait for no other process.

        Raises:
            WarehouseBusyError: another process has it, and nobody waits.
        """
        ...

    def rejects(self, load_ids: Collection[str]) -> Mapping[str, tuple[Note, ...]]:
        """What those loads could not read, by their ids, line by line."""
        ...

    def columns(self, table: str) -> Sequence[str]:
        """The names of a table's columns, in its order."""
        ...

    def count(
        self, table: str, columns: Sequence[Column]
    ) -> Mapping[str, tuple[int, Mapping[str, ColumnStats]]]:
        """Each month of a table, as `2021-01`, with its rows and each column's nulls and sum."""
        ...

    def quality(
        self, trip_file: TripFile, table: str, columns: Sequence[Column]
    ) -> list[dict[str, Any]]:
        """The facts `part, name, label, value, n` of a month, as `taxietl.load.quality` has them.

        Args:
            trip_file: the month.
            table: where its rows lie.
            columns: those that the table has.
        """
        ...
