"""The tables' columns as BigQuery names them."""

from __future__ import annotations

from dataclasses import dataclass

from taxietl.tlc.datasets import Dataset

MONTH_COLUMN = "source_month"

_TYPES = {
    "INTEGER": "INTEGER",
    "DOUBLE PRECISION": "FLOAT",
    "TEXT": "STRING",
    # New York wall clock, no zone: BigQuery's TIMESTAMP would be taken for UTC.
    "TIMESTAMP": "DATETIME",
}


@dataclass(frozen=True)
class Field:
    """A column of a table."""

    name: str
    kind: str
    mode: str


def fields(dataset: Dataset) -> tuple[Field, ...]:
    """The columns of a colour's table, `source_month` last, by which it is partitioned."""
    columns = [Field(each.name, _TYPES[each.kind.sql_type], "NULLABLE") for each in dataset.columns]
    return (*columns, Field(MONTH_COLUMN, "DATE", "REQUIRED"))
