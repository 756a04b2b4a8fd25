"""What a warehouse's ledger says of months. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from taxietl.load.table_names import table_name
from taxietl.steps.protocols import Loader
from taxietl.steps.warehouse import LedgerQuery
from taxietl.tlc.trip_file import TripFile


def other_month_of(loader: Loader, table: str, trip_file: TripFile, sha256: str) -> str | None:
    """Another month of the table, `2021-01`, that was loaded from these bytes."""
    columns = ("source_month", "source_sha256")
    rows = loader.ledger(LedgerQuery(colors=(trip_file.color,), table=table, columns=columns))
    others = (each["source_month"] for each in rows if each["source_sha256"] == sha256)
    return next((month_text(each) for each in others if each != trip_file.source_month), None)


@dataclass(frozen=True)
class KnownMonths:
    """The months of a colour that were ever loaded into a table."""

    loaded: frozenset[TripFile]
    dropped: frozenset[TripFile]
    """Taken out again: all their rows in the ledger are superseded."""


def known_months(loader: Loader, tables: Mapping[str, str]) -> dict[str, KnownMonths]:
    """Which months of each colour its table has, and which were taken out of it.

    Args:
        loader: of the warehouse.
        tables: by colour.
    """
    columns = ("color", "table_name", "source_month", "superseded_at")
    rows = loader.ledger(LedgerQuery(colors=tuple(tables), superseded=True, columns=columns))
    loaded: dict[str, set[TripFile]] = {color: set() for color in tables}
    ever: dict[str, set[TripFile]] = {color: set() for color in tables}
    for row in rows:
        color = row["color"]
        if row["table_name"] != str(table_name(tables[color], loader.schema)):
            continue
        month = TripFile(color, row["source_month"].year, row["source_month"].month)
        ever[color].add(month)
        if row["superseded_at"] is None:
            loaded[color].add(month)
    return {
        color: KnownMonths(frozenset(loaded[color]), frozenset(ever[color] - loaded[color]))
        for color in tables
    }


def loaded_months(loader: Loader, table: str, color: str) -> dict[str, int]:
    """The months of a colour that a table holds, as `2021-01`, each with its rows."""
    wanted = LedgerQuery(
        colors=(color,),
        table=str(table_name(table, loader.schema)),
        columns=("source_month", "rows_loaded"),
    )
    return {month_text(each["source_month"]): each["rows_loaded"] for each in loader.ledger(wanted)}


def month_text(day: date) -> str:
    """`2021-01`."""
    return f"{day:%Y-%m}"
