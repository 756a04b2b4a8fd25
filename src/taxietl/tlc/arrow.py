"""The contract's types as Arrow knows them; apart, since importing pyarrow costs 0.1 s."""

from __future__ import annotations

import struct
from functools import cache

import pyarrow as pa  # noqa: TID253  this module is imported only where batches are handled

from taxietl.tlc.datasets import Dataset, Kind

_TYPES = {
    "INTEGER": pa.int32(),
    "DOUBLE PRECISION": pa.float64(),
    "TIMESTAMP": pa.timestamp("us"),
    "TEXT": pa.string(),
}


def arrow_type(kind: Kind) -> pa.DataType:
    """The Arrow type of a column's values; times are microseconds without a zone."""
    return arrow_type_named(kind.sql_type)


def arrow_type_named(sql_type: str) -> pa.DataType:
    """The same of the SQL type's name."""
    return _TYPES[sql_type]


@cache
def arrow_schema(dataset: Dataset) -> pa.Schema:
    """The columns of a conformed batch, in the table's order, without `source_month`."""
    return pa.schema([(column.name, arrow_type(column.kind)) for column in dataset.columns])


_FORMATS = {pa.int64(): "=q", pa.float64(): "=d", pa.date32(): "=i"}


def scalar(value: float, kind: pa.DataType) -> pa.Scalar:
    """A number as Arrow has it: an int64, a float64, or a date32 as days since 1970.

    `pa.scalar`, and so each compute function that is given a plain number, imports pandas: 0.1 s.
    """
    buffer = pa.py_buffer(struct.pack(_FORMATS[kind], value))
    return pa.Array.from_buffers(kind, 1, [None, buffer])[0]
