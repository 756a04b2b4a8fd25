"""Ask a warehouse's ledger, of whatever kind it is, by `Loader.query`. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from taxietl.errors import NoWarehouseError
from taxietl.load.ledger import LOADS, MONTHS
from taxietl.load.sql import literal
from taxietl.load.table_names import table_name
from taxietl.steps.protocols import Loader, OwnedByOne
from taxietl.tlc.trip_file import TripFile


def asked(loader: Loader, statement: str, *, at_once: bool = False) -> list[tuple[Any, ...]]:
    """The statement's rows as plain values; the warehouse is let go before they are looked at.

    Args:
        loader: of the warehouse.
        statement: what to ask.
        at_once: wait for no other process; a warehouse that one has is a `WarehouseBusyError`.
    """
    query = loader.query
    if at_once and isinstance(loader, OwnedByOne):
        query = loader.query_at_once
    with query(statement) as reader:
        return [
            row
            for batch in reader
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
        ]


def has_ledger(loader: Loader, *, at_once: bool = False) -> bool:
    """Whether anything was ever loaded there; a first load that was refused leaves no ledger."""
    # Not of information_schema: it hides what a user has no rights on, who is to be told so.
    ((count,),) = asked(
        loader,
        "SELECT count(*) FROM pg_catalog.pg_tables "  # noqa: S608  a name of ours
        f"WHERE schemaname = current_schema() AND tablename = '{LOADS}'",
        at_once=at_once,
    )
    return bool(count)


def other_month_of(loader: Loader, table: str, trip_file: TripFile, sha256: str) -> str | None:
    """Another month of the table, `2021-01`, that was loaded from these bytes."""
    try:
        if not has_ledger(loader):
            return None
    except NoWarehouseError:
        return None
    ((month,),) = asked(
        loader,
        f"SELECT min(CAST(source_month AS VARCHAR(10))) FROM {MONTHS} "  # noqa: S608  literals
        f"WHERE table_name = {literal(table)} AND color = {literal(trip_file.color)} "
        f"AND source_month <> DATE '{trip_file.source_month}' "
        f"AND source_sha256 = {literal(sha256)}",
    )
    return month[:7] if month else None


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
    found: dict[tuple[str, bool], set[TripFile]] = {}
    try:
        rows = _standings(loader, tables) if has_ledger(loader) else []
    except NoWarehouseError:
        rows = []
    for color, day, current in rows:
        months = found.setdefault((color, current > 0), set())
        months.add(TripFile(color, int(day[:4]), int(day[5:7])))
    return {
        color: KnownMonths(
            frozenset(found.get((color, True), ())), frozenset(found.get((color, False), ()))
        )
        for color in tables
    }


def _standings(loader: Loader, tables: Mapping[str, str]) -> list[tuple[Any, ...]]:
    """Each colour's months, as `2021-01-01`, with the number of rows that are not superseded."""
    among = ", ".join(
        f"({literal(color)}, {literal(str(table_name(table, loader.schema)))})"
        for color, table in tables.items()
    )
    return asked(
        loader,
        "SELECT color, CAST(source_month AS VARCHAR(10)), "  # noqa: S608  literals
        "CAST(sum(CASE WHEN superseded_at IS NULL THEN 1 ELSE 0 END) AS BIGINT) "
        f"FROM {LOADS} WHERE (color, table_name) IN ({among}) GROUP BY color, source_month",
    )


def loaded_months(loader: Loader, table: str, color: str) -> dict[str, int]:
    """The months of a colour that a table holds, as `2021-01`, each with its rows."""
    try:
        if not has_ledger(loader):
            return {}
    except NoWarehouseError:
        return {}
    rows = asked(
        loader,
        f"SELECT CAST(source_month AS VARCHAR(10)), rows_loaded FROM {MONTHS} "  # noqa: S608  literals
        f"WHERE table_name = {literal(str(table_name(table, loader.schema)))} "
        f"AND color = {literal(color)} ORDER BY source_month",
    )
    return {day[:7]: loaded for day, loaded in rows}
