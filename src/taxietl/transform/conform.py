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
    schema = schema_of(layout)
    lost = _Lost(block, notes_kept)
    arrays: list[pa.Array] = []
    for column, name in _wanted(layout):
        if name is None:
            arrays.append(pa.nulls(block.batch.num_rows, schema.field(column.name).type))
            continue
        values, places = cast_column(block.batch.column(name), column)
        lost.add(column.name, name, places, f"not a value of {column.kind.sql_type}")
        if spare := layout.spare.get(column.name):
            values, places = _filled(values, block.batch.column(spare), column)
            lost.add(spare, spare, places, f"{CONTRARY} {name}, which was loaded")
        arrays.append(values)
    batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
    return Conformed(batch, lost.nulled, tuple(lost.notes))


class _Lost:
    """The cells of a block that are not loaded, in the making."""

    def __init__(self, block: Block, notes_kept: int) -> None:
        self._block = block
        self._notes_kept = notes_kept
        self.nulled: dict[str, int] = {}
        self.notes: list[Note] = []

    def add(self, column: str, name: str, places: list[int], reason: str) -> None:
        """Count a column's cells at those places, and describe them, at least the first."""
        if not places:
            return
        self.nulled[column] = len(places)
        published = self._block.batch.column(name)
        for row in places[: max(1, self._notes_kept - len(self.notes))]:
            raw = raw_text(_shown(published[row]))
            self.notes.append(Note("value", self._block.line_of(row), column, reason, raw))


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


def _shown(value: pa.Scalar) -> str:
    try:
        return str(value.as_py())
    except (OverflowError, ValueError):  # a time that Python has no value for
        return str(value.value)
