"""What of a month's rows is sent to PostgreSQL, and in which order.

Rows whose pick-up lies outside the month come last: nearly every real month has a few, years off,
and a BRIN range of blocks with one of them is read by every query for the years between. Together
they spoil one range. Columns that no row so far has a value in are not sent at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

import numpy as np  # noqa: TID253  imported only where rows are sent to PostgreSQL
import pyarrow as pa  # noqa: TID253
import pyarrow.compute as pc  # noqa: TID253

from taxietl.load.arrow_buffers import fixed_values, valid_rows
from taxietl.tlc.trip_file import TripFile

ROWS_HELD = 100_000
"""So many rows wait at most; a file with more of them is not that month's, or not in any order."""

_EPOCH = date(1970, 1, 1)
_DAY = 86_400 * 1_000_000
"""In microseconds."""


def outside_last(
    batches: Iterable[pa.RecordBatch], trip_file: TripFile
) -> Iterator[pa.RecordBatch]:
    """The same rows, those picked up outside the month after all others.

    Args:
        batches: of one schema, with the dataset's columns.
        trip_file: the month.
    """
    name = trip_file.dataset.started_at
    bounds = _month(trip_file)
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        outside = _outside(batch.column(name), *bounds) if rows < ROWS_HELD else None
        if outside is None:
            yield batch
            continue
        held.append(batch.filter(outside))
        rows += held[-1].num_rows
        yield batch.filter(pc.invert(outside))
    yield from held


def with_values(batch: pa.RecordBatch) -> list[str]:
    """The columns in which at least one row has a value."""
    columns = zip(batch.schema.names, batch.columns, strict=True)
    return [name for name, column in columns if column.null_count < len(column)]


class Widening:
    """Batches in parts, each with just the columns that have had a value by then.

    Of 25 columns a yellow file of today fills 19; a field without a value costs the server nearly
    as much as one with.
    """

    def __init__(self, batches: Iterable[pa.RecordBatch], always: Iterable[str]) -> None:
        """`always` names columns to send in any case: those with a default, which is not NULL, and
        at least one."""
        self._batches = iter(batches)
        self._next = next(self._batches, None)
        self._names = set(always)

    def parts(self) -> Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
        """Each part's columns and its batches, which are to be read to the end before the next."""
        while self._next is not None:
            schema = self._next.schema
            self._names.update(with_values(self._next))
            kept = [name for name in schema.names if name in self._names]
            yield pa.schema([schema.field(name) for name in kept]), self._part(kept)

    def _part(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        while self._next is not None and self._names.issuperset(with_values(self._next)):
            yield self._next.select(names)  # before the next is waited for
            self._next = next(self._batches, None)


def _outside(times: pa.TimestampArray, begin: int, end: int) -> pa.BooleanArray | None:
    """Which are outside the month, None for none; what has no time is inside."""
    values = fixed_values(times, np.int64)
    outside = (values < begin) | (values >= end)
    if (valid := valid_rows(times)) is not None:
        outside &= valid
    if not outside.any():
        return None
    # Arrow's own ways from numpy, and from a number, import pandas: 0.1 s.
    bits = pa.py_buffer(np.packbits(outside, bitorder="little"))
    return pa.Array.from_buffers(pa.bool_(), len(times), [None, bits])


def _month(trip_file: TripFile) -> tuple[int, int]:
    """Its first microsecond, and the first after it."""
    first = trip_file.source_month
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return (first - _EPOCH).days * _DAY, (after - _EPOCH).days * _DAY
