"""The plain-named views over the trip tables: no capitals, no quotes, colours side by side.

`trips` has the yellow and green ones, `hire_trips` those of fhv and fhvhv. Pure: the SQL is made
here and run by a loader, in its transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from taxietl.load.sql import quoted
from taxietl.tlc.datasets import DATASETS, Column, Dataset, dataset

VIEWS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        view: tuple(color for color, each in DATASETS.items() if each.view == view)
        for view in dict.fromkeys(each.view for each in DATASETS.values())
    }
)
"""Each view and its colours."""

_RENAMED = {
    "vendorid": "vendor_id",
    "ratecodeid": "rate_code_id",
    "pulocationid": "pickup_location_id",
    "dolocationid": "dropoff_location_id",
}


def view_select(
    view: str, present: Mapping[str, Collection[str]], *, schema: str | None = None
) -> str:
    """The view's SELECT.

    Args:
        view: one of `VIEWS`.
        present: the colours whose table is there, each with the columns it has, in lower case. A
            table made under an older contract may lack some: they are null.
        schema: where the tables lie, if that has to be said.
    """
    columns = _columns(view)
    return " UNION ALL ".join(
        _one_color(dataset(color), columns, present[color], schema)
        for color in VIEWS[view]
        if color in present
    )


def view_columns(view: str) -> list[str]:
    """The view's columns, in their order."""
    return ["color", *_columns(view), "source_month"]


def _columns(view: str) -> dict[str, str]:
    """The columns that come from the contract, and their types."""
    columns: dict[str, str] = {}
    for color in VIEWS[view]:
        for column in dataset(color).columns:
            columns.setdefault(_plain(column, dataset(color)), column.kind.sql_type)
    return columns


def _one_color(
    of: Dataset, columns: Mapping[str, str], present: Collection[str], schema: str | None
) -> str:
    own = {_plain(each, of): each.name for each in of.columns if each.name.lower() in present}
    values = [
        f'"{own[name]}" AS {name}' if name in own else f"CAST(NULL AS {kind}) AS {name}"
        for name, kind in columns.items()
    ]
    listed = ", ".join([f"'{of.color}' AS color", *values, "source_month"])
    table = f"{quoted(schema)}.{of.table}" if schema else of.table
    return f"SELECT {listed} FROM {table}"  # noqa: S608  every name is of the contract, or quoted


def _plain(column: Column, of: Dataset) -> str:
    """The column's name in the view."""
    if column.name == of.started_at:
        return "pickup_datetime"
    if column.name == of.ended_at:
        return "dropoff_datetime"
    name = column.name.lower()
    return _RENAMED.get(name, name)
