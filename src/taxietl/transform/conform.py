"""Turn any published trip file's columns into its colour's schema.

The TLC has renamed and retyped columns several times. Each era is listed in `tlc.eras` and each
old code in `tlc.codes`, with the reason beside it; this module only applies the lists. Pure:
batches in, batches out.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa  # noqa: TID253  imported only where batches are handled

from taxietl.steps.values import Note
from taxietl.tlc.arrow import arrow_schema
from taxietl.tlc.datasets import Column, Kind
from taxietl.tlc.eras import Layout
from taxietl.transform.blocks import Block
from taxietl.transform.casting import cast_column
from taxietl.transform.csv_file import RAW_KEPT


@dataclass(frozen=True)
class Conformed:
    """A block's rows in the contract's columns, and the cells that were lost on the way."""

    batch: pa.RecordBatch
    nulled: tuple[Note, ...]


def schema_of(layout: Layout) -> pa.Schema:
    """The colour's schema, then the file's columns that no era has, as text."""
    schema = arrow_schema(layout.era.dataset)
    for name in layout.new_columns:
        schema = schema.append(pa.field(name.strip(), pa.string()))
    return schema


def conform(block: Block, layout: Layout) -> Conformed:
    """Rename and cast a published file's columns to the dataset's schema.

    Args:
        block: N rows as published.
        layout: how that file names its columns; knows its era and dataset.

    Returns:
        The same N rows in the same order with exactly `schema_of(layout)`. Distances are miles,
        money is US dollars, times are New York wall clock without a zone. A column the era did
        not have is all null. A cell that could not be read is null and has its note.

    Raises:
        SchemaError: a column's type holds no values of its kind.

    Source: TLC, "Data Dictionary - Yellow / LPEP Trip Records" (revision of 18 March 2025).
    """
    rows = block.batch.num_rows
    schema = schema_of(layout)
    arrays: list[pa.Array] = []
    nulled: list[Note] = []
    for column in layout.era.dataset.columns:
        name = layout.columns.get(column.name)
        if name is None:
            arrays.append(pa.nulls(rows, schema.field(column.name).type))
            continue
        published = block.batch.column(name)
        values, lost = cast_column(published, column)
        arrays.append(values)
        nulled += [_note(block, column, published, row) for row in lost]
    for name in layout.new_columns:
        values, _ = cast_column(block.batch.column(name), Column(name, Kind.TEXT, ""))
        arrays.append(values)
    return Conformed(pa.RecordBatch.from_arrays(arrays, schema=schema), tuple(nulled))


def _note(block: Block, column: Column, published: pa.Array, row: int) -> Note:
    raw = str(published[row].as_py())[:RAW_KEPT]
    reason = f"not a value of {column.kind.sql_type}"
    return Note("value", block.line_of(row), column.name, reason, raw)
