"""Encode Arrow batches as PostgreSQL's binary COPY, in bounded memory and in their order.

Rows are made a block at a time, in buffers kept for each layout met (the length of every field):
what a layout has in common stands there already, only values are written, a column at a time.
Rows of one layout mostly come in long runs. Where they do not, the fields whose length changes
are left out of the buffers, which end before them, and Arrow joins the parts row by row.

Source: PostgreSQL 15, "COPY", "Binary Format".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np  # noqa: TID253  imported only where rows are sent to PostgreSQL
import pyarrow as pa  # noqa: TID253
import pyarrow.compute as pc  # noqa: TID253
from numpy.typing import NDArray  # noqa: TID253

from taxietl.errors import SchemaError
from taxietl.load.postgres.copy.columns import NULL, Cells, TextCells, cells, check_types

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

BLOCK_ROWS = 4096
"""Large enough that what a block costs in itself is nothing, small enough for a core's cache."""

BLOCK_TEXT = 1 << 20
"""A block with more bytes of text than this has fewer rows."""

SHORT_TEXT = 32
"""Longer texts have no place in a kept buffer: they are joined."""

RUNS = 8
"""Up to so many runs in a block cost less one by one than joined."""

LAYOUTS_KEPT = 16

Block = bytes | memoryview
Layout = tuple[int | None, ...]
"""Each field's length in all rows of a block; None where it changes or is long."""


def encode(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
) -> Iterator[Block]:
    """Encode a stream of batches for `COPY … FROM STDIN (FORMAT binary)`.

    Args:
        batches: any number, of any size, sliced or not; each has exactly that schema.
        schema: columns of the types in `columns.SQL_TYPES`, in the order of COPY's list.

    Returns:
        Blocks of about a MB at most, larger only for a row that is; header and trailer included.
        Text is UTF-8: the connection's `client_encoding` has to be that.

    Raises:
        SchemaError: a type that has no form here, or a batch of another schema.
        DataError: a value PostgreSQL cannot store, with its column.
    """
    encoder = _Encoder(schema)
    yield HEADER
    for batch in batches:
        yield from encoder.blocks(batch)
    yield TRAILER


class _Encoder:
    def __init__(self, schema: pa.Schema) -> None:
        check_types(schema)
        self._schema = schema
        self._kept: dict[Layout, _Buffers] = {}

    def blocks(self, batch: pa.RecordBatch) -> Iterator[Block]:
        """The batch's rows, without header and trailer."""
        if not batch.schema.equals(self._schema):
            raise SchemaError(
                f"A batch has the columns {batch.schema.names}, or their types, where "
                f"{self._schema.names} were announced.",
                hint="Every batch of a stream has the same schema.",
            )
        if not batch.num_rows:
            return
        columns = [
            cells(array, name)
            for name, array in zip(batch.schema.names, batch.columns, strict=True)
        ]
        bounds = _block_bounds(columns, batch.num_rows)
        edges = _edges(columns)
        inner = zip(
            np.searchsorted(edges, bounds[:-1], "right"),
            np.searchsorted(edges, bounds[1:], "left"),
            strict=True,
        )
        for (low, high), (first, last) in zip(pairwise(bounds), inner, strict=True):
            runs = last - first < RUNS
            cuts = [low, *edges[first:last].tolist(), high] if runs else [low, high]
            for start, stop in pairwise(cuts):
                yield self._buffers(columns, start, stop).encoded(columns, start, stop)

    def _buffers(self, columns: Sequence[Cells], low: int, high: int) -> _Buffers:
        """The kept buffers for those rows' layout."""
        found = [column.length_within(low, high) for column in columns]
        layout = tuple(None if each is None or each > SHORT_TEXT else each for each in found)
        if layout not in self._kept:
            if len(self._kept) == LAYOUTS_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[layout] = _Buffers(layout, columns)
        return self._kept[layout]


class _Buffers:
    """Rows of one layout: a buffer of whole rows, or buffers of the parts between joined values."""

    def __init__(self, layout: Layout, columns: Sequence[Cells]) -> None:
        self._parts: list[NDArray[Any]] = []
        self._joined: list[int] = []
        """Columns whose values are joined, each after the part of the same place."""
        self._lengths: list[tuple[int, NDArray[Any]]] = []
        self._values: list[tuple[int, NDArray[Any]]] = []
        part = [_Field(">i2", len(columns))]
        for index, (length, column) in enumerate(zip(layout, columns, strict=True)):
            if length is None:
                part.append(_Field(">i4", fills=self._lengths, column=index))
                self._end(part)
                self._joined.append(index)
                part = []
                continue
            part.append(_Field(">i4", length))
            if length > 0:
                kind = column.encoded_as(length)
                part.append(_Field(kind, fills=self._values, column=index))
        if part:
            self._end(part)

    def _end(self, part: Sequence[_Field]) -> None:
        """Make the part's buffer, with what does not change written into it."""
        rows = np.zeros(BLOCK_ROWS, [(str(at), field.encoded) for at, field in enumerate(part)])
        self._parts.append(rows)
        for at, field in enumerate(part):
            if field.fills is None:
                rows[str(at)] = field.constant
            else:
                field.fills.append((field.column, rows[str(at)]))

    def encoded(self, columns: Sequence[Cells], low: int, high: int) -> Block:
        """Those rows, which have this layout."""
        rows = high - low
        for index, lengths in self._lengths:
            lengths[:rows] = columns[index].lengths_within(low, high)
        for index, values in self._values:
            values[:rows] = columns[index].values(low, high)
        if not self._joined:
            return self._parts[0][:rows].tobytes()
        pieces = [_binary(part[:rows]) for part in self._parts]
        for place, index in enumerate(self._joined):
            pieces.insert(2 * place + 1, columns[index].joinable(low, high))
        joined = pc.binary_join_element_wise(*pieces, _NOTHING, null_handling="skip")
        return memoryview(joined.buffers()[2])[: joined.total_values_length]


@dataclass(frozen=True)
class _Field:
    """A field of a buffer's rows: the same in all of them, or filled from a column."""

    encoded: str
    constant: Any = None
    fills: list[tuple[int, NDArray[Any]]] | None = None
    column: int = 0


# Not by `pa.scalar`, which imports pandas: 0.1 s.
_NOTHING = pa.Array.from_buffers(
    pa.large_binary(), 1, [None, pa.py_buffer(bytes(16)), pa.py_buffer(b"")]
)[0]


def _binary(rows: NDArray[Any]) -> pa.LargeBinaryArray:
    """The rows' bytes as Arrow values, without a copy."""
    offsets = np.arange(len(rows) + 1, dtype=np.int64) * rows.itemsize
    data = pa.py_buffer(rows.view(np.uint8))
    return pa.Array.from_buffers(pa.large_binary(), len(rows), [None, pa.py_buffer(offsets), data])


def _edges(columns: Sequence[Cells]) -> NDArray[Any]:
    """Rows with another layout than the row before them."""
    changing = [column.lengths for column in columns if column.lengths is not None]
    if not changing:
        return np.empty(0, np.int64)
    differs = np.zeros(len(changing[0]) - 1, bool)
    for lengths in changing:
        differs |= lengths[1:] != lengths[:-1]
    return np.flatnonzero(differs) + 1


def _block_bounds(columns: Sequence[Cells], rows: int) -> list[int]:
    """Where blocks of a bounded size begin and end."""
    text: NDArray[Any] | None = None
    for column in columns:
        if isinstance(column, TextCells) and column.length != NULL:
            offsets = column.offsets.astype(np.int64)
            text = offsets if text is None else text + offsets
    bounds = [0]
    while bounds[-1] < rows:
        low = bounds[-1]
        high = min(low + BLOCK_ROWS, rows)
        if text is not None:
            fits = int(np.searchsorted(text, text[low] + BLOCK_TEXT, "right")) - 1
            high = max(low + 1, min(high, fits))
        bounds.append(high)
    return bounds
