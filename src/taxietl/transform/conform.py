"""Turn any published trip file's columns into its colour's schema.

The TLC has renamed and retyped columns several times. Each era is listed in `tlc.eras` and each
old code in `tlc.codes`, with the reason beside it; this module only applies the lists. Pure:
batches in, batches out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa  # noqa: TID253  imported only where batches are handled
import pyarrow.compute as pc  # noqa: TID253

from taxietl.steps.values import NOTES_KEPT, Note
from taxietl.tlc.arrow import arrow_schema
from taxietl.tlc.datasets import Column, Kind
from taxietl.tlc.layouts import Layout
from taxietl.transform.blocks import Block, raw_text
from taxietl.transform.casting import cast_column

CONTRARY = "differs from"
"""How the reason begins why the value of a column's second form was not loaded."""


@dataclass(frozen=True)
class Conformed:
    """A block's rows in the contract's columns, and the cells that were lost on the way."""

    batch: pa.RecordBatch
    nulled: Mapping[str, int]
    """By column, how many cells are null only because they could not be read."""

    notes: tuple[Note, ...]
    """The first of them in each column."""


def schema_of(layout: Layout) -> pa.Schema:
    """The colour's schema, then the file's columns that no era has, as text."""
    schema = arrow_schema(layout.era.dataset)
    for name in layout.new_columns:
        schema = schema.append(pa.field(name.strip(), pa.string()))
    return schema


def conform(block: Block, layout: Layout, *, notes_kept: int = NOTES_KEPT) -> Conformed:
    """Rename and cast a published file's columns to the dataset's schema.

    Args:
        block: N rows as published.
        layout: how that file names its columns; knows its era and dataset.
        notes_kept: how many lost cells to describe, beside the first of each column; all of
            them are counted.

    Returns:
        The same N rows in the same order with exactly `schema_of(layout)`. Distances are miles,
        money is US dollars, times are New York wall clock without a zone. A column the era did
        not have is all null. A cell that could not be read is null, counted and noted.

    Raises:
        SchemaError: a column's type holds no values of its kind.

    Source: TLC, "Data Dictionary - Yellow / LPEP / FHV / High Volume FHV Trip Records"
    (revision of 18 March 2025).
    """
    rows = block.batch.num_rows
    schema = schema_of(layout)
    arrays: list[pa.Array] = []
    nulled: dict[str, int] = {}
    notes: list[Note] = []
    for column, name in _wanted(layout):
        if name is None:
            arrays.append(pa.nulls(rows, schema.field(column.name).type))
            continue
        published = block.batch.column(name)
        values, lost = cast_column(published, column)
        arrays.append(values)
        if lost:
            nulled[column.name] = len(lost)
            kept = lost[: max(1, notes_kept - len(notes))]
            notes += [_note(block, column, published, row) for row in kept]
        if column.name in layout.spare:
            spare = layout.spare[column.name]
            arrays[-1], lost = _filled(values, block.batch.column(spare), column)
            if lost:
                nulled[spare] = len(lost)
                kept = lost[: max(1, notes_kept - len(notes))]
                notes += [_contradiction(block, spare, name, row) for row in kept]
    return Conformed(pa.RecordBatch.from_arrays(arrays, schema=schema), nulled, tuple(notes))


def _filled(values: pa.Array, published: pa.Array, column: Column) -> tuple[pa.Array, list[int]]:
    """The values, those of the spare column where they are null; where both differ, the places."""
    spare, _ = cast_column(published, column)
    contrary = pc.fill_null(pc.not_equal(values, spare), False)
    return pc.coalesce(values, spare), list(pc.indices_nonzero(contrary).to_pylist())


def _wanted(layout: Layout) -> Iterator[tuple[Column, str | None]]:
    """Each column of the result, and the file's name for it."""
    for column in layout.era.dataset.columns:
        yield column, layout.columns.get(column.name)
    for name in layout.new_columns:
        yield Column(name.strip(), Kind.TEXT, "no era has it"), name


def _note(block: Block, column: Column, published: pa.Array, row: int) -> Note:
    reason = f"not a value of {column.kind.sql_type}"
    return Note("value", block.line_of(row), column.name, reason, raw_text(_shown(published[row])))


def _contradiction(block: Block, spare: str, name: str, row: int) -> Note:
    spare_column = block.batch.column(spare)
    return Note(
        "value",
        block.line_of(row),
        spare,
        f"{CONTRARY} {name}, which was loaded",
        raw_text(_shown(spare_column[row])),
    )


def _shown(value: pa.Scalar) -> str:
    try:
        return str(value.as_py())
    except (OverflowError, ValueError):  # a time that Python has no value for
        return str(value.value)
