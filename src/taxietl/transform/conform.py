"""Turn any published trip file's columns into its colour's schema.

The TLC has renamed and retyped columns several times. Each era is listed in `tlc.eras` and each
old code in `tlc.codes`, with the reason beside it; this module only applies the lists. Pure:
batches in, batches out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np  # noqa: TID253  imported only where batches are handled
import pyarrow as pa  # noqa: TID253
import pyarrow.compute as pc  # noqa: TID253
from numpy.typing import NDArray  # noqa: TID253

from taxietl.steps.values import NOTES_KEPT, Note, Remark
from taxietl.tlc.arrow import arrow_schema
from taxietl.tlc.blanks import trimmed
from taxietl.tlc.codes import FLAGS
from taxietl.tlc.datasets import Column, Dataset, Kind
from taxietl.tlc.layouts import Layout
from taxietl.transform.blocks import Block
from taxietl.transform.casting import Cast, cast_column

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

    missing: Mapping[str, int] = field(default_factory=dict)
    """By column, how many of the lost cells say that there is no value: NaN, `<NA>`."""

    remarks: tuple[Remark, ...] = ()
    """What was read otherwise than it stands there."""

    rejects: tuple[Note, ...] = ()
    """The block's lines that are no trips, since none of their numbers and times can be read."""


def schema_of(layout: Layout) -> pa.Schema:
    """The colour's schema, then the file's columns that no era has, as text."""
    schema = arrow_schema(layout.era.dataset)
    for name in layout.new_columns:
        schema = schema.append(pa.field(trimmed(name), pa.string()))
    return schema


def conform(block: Block, layout: Layout, *, notes_kept: int = NOTES_KEPT) -> Conformed:
    """Rename and cast a published file's columns to the dataset's schema.

    Args:
        block: N rows as published.
        layout: how that file names its columns; knows its era and dataset.
        notes_kept: how many lost cells to describe, beside the first of each column; all of
            them are counted.

    Returns:
        The same rows in the same order with exactly `schema_of(layout)`. Distances are miles,
        money is US dollars, times are New York wall clock without a zone. A column the era did
        not have is all null. A cell that could not be read is null, counted and noted. A row
        without one number or time that can be read, such as the header once more, is a reject.

    Raises:
        SchemaError: a column's type holds no values of its kind.

    Source: TLC, "Data Dictionary - Yellow / LPEP / FHV / High Volume FHV Trip Records"
    (revision of 18 March 2025).
    """
    schema = schema_of(layout)
    arrays: list[pa.Array] = []
    losses: list[_Loss] = []
    remarks: list[Remark] = []
    for column, name in wanted(layout):
        if name is None:
            arrays.append(pa.nulls(block.batch.num_rows, schema.field(column.name).type))
            continue
        cast = cast_column(block.batch.column(name), column)
        values = cast.values
        reason = (
            "neither Y nor N" if column.name in FLAGS else f"not a value of {column.kind.sql_type}"
        )
        losses.append(_Loss(column.name, name, cast.lost, reason, cast.missing))
        remarks += _remarks(block, column.name, name, cast)
        if spare := layout.spare.get(column.name):
            values, places = _filled(values, block.batch.column(spare), column)
            reason = f"{CONTRARY} {name}, which was loaded"
            losses.append(_Loss(spare, spare, places, reason))
        arrays.append(values)
    batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
    no_trips = _no_trips(batch, layout.era.dataset)
    rejects = tuple(
        Note("row", block.line_of(row), None, _why_no_trip(block, row), block.raw_of(row))
        for row in no_trips
    )
    if rejects:
        kept = np.ones(batch.num_rows, np.bool_)
        kept[no_trips] = False
        batch = batch.filter(pa.array(kept))
        losses = [each.within(kept) for each in losses]
    return Conformed(
        batch,
        {each.column: len(each.places) for each in losses if each.places},
        _notes(block, losses, notes_kept),
        {each.column: len(each.missing) for each in losses if each.missing},
        tuple(remarks),
        rejects,
    )


@dataclass(frozen=True)
class _Loss:
    """The cells of a column that are not loaded."""

    column: str
    name: str
    """The file's own for it."""

    places: Sequence[int]
    reason: str
    missing: Sequence[int] = ()
    """Those that say that there is no value."""

    def within(self, kept: NDArray[np.bool_]) -> _Loss:
        """Without those in rows that are not kept."""
        return replace(
            self,
            places=[row for row in self.places if kept[row]],
            missing=[row for row in self.missing if kept[row]],
        )


def _notes(block: Block, losses: Sequence[_Loss], notes_kept: int) -> tuple[Note, ...]:
    """Describe the lost cells, at least the first of each column; of NaN, which says no more than
    that there is none, only the first.
    """
    notes: list[Note] = []
    for each in losses:
        published = block.batch.column(each.name)
        missing = set(each.missing)
        unread = [row for row in each.places if row not in missing]
        room = max(1, notes_kept - len(notes))
        of_missing = 1 if pa.types.is_floating(published.type) else room
        for row in (*unread[:room], *each.missing[:of_missing]):
            raw = block.cell(each.name, row)
            notes.append(Note("value", block.line_of(row), each.column, each.reason, raw))
    return tuple(notes)


def _remarks(block: Block, column: str, name: str, cast: Cast) -> Iterator[Remark]:
    for what, (count, first) in cast.completed.items():
        yield Remark(block.line_of(first), column, what, block.cell(name, first), count)


def _no_trips(batch: pa.RecordBatch, dataset: Dataset) -> list[int]:
    """The rows in which no number and no time could be read: the header again, or no data."""
    empty = batch.column(dataset.started_at)
    if not empty.null_count:
        return []
    empty = pc.is_null(empty)
    for column in dataset.columns:
        if column.kind is not Kind.TEXT:
            empty = pc.and_(empty, pc.is_null(batch.column(column.name)))
    return list(pc.indices_nonzero(empty).to_pylist())


def _why_no_trip(block: Block, row: int) -> str:
    names = {trimmed(name).lower() for name in block.batch.schema.names}
    if {trimmed(cell).lower() for cell in block.cells_of(row)} == names:
        return "repeats the header"
    return "holds no number and no time that can be read"


def _filled(values: pa.Array, published: pa.Array, column: Column) -> tuple[pa.Array, list[int]]:
    """The values, those of the spare column where they are null; where both differ, the places."""
    spare = cast_column(published, column).values
    contrary = pc.fill_null(pc.not_equal(values, spare), False)
    return pc.coalesce(values, spare), list(pc.indices_nonzero(contrary).to_pylist())


def wanted(layout: Layout) -> Iterator[tuple[Column, str | None]]:
    """Each column of the result, and the file's name for it."""
    for column in layout.era.dataset.columns:
        yield column, layout.columns.get(column.name)
    for name in layout.new_columns:
        yield Column(trimmed(name), Kind.TEXT, "no era has it"), name
