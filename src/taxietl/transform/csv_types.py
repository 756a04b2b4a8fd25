"""Which types a CSV's columns are parsed with, and whether the values are what stands there."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np  # noqa: TID253  imported only where files are read
import pyarrow as pa  # noqa: TID253
import pyarrow.compute as pc  # noqa: TID253

from taxietl.tlc.arrow import arrow_type
from taxietl.tlc.datasets import Kind
from taxietl.tlc.layouts import Layout
from taxietl.transform.texts import count_octet
from taxietl.transform.times import in_range

Types = dict[str, pa.DataType]

# A whole code is written as 1, or as 1.0 once pandas has had it.
WHOLE = (Kind.CODE, Kind.COUNT, Kind.SECONDS)


def is_exact(batch: pa.RecordBatch, data: bytes) -> bool:
    """Whether the values are what stands there: each number finite, each time whole and in range.

    Other cells have to be seen as text, to be noted as they were published. A time has two colons;
    so if there are no more of them than that makes, no time lacks its seconds.
    """
    colons = 0
    for array in batch.columns:
        if pa.types.is_floating(array.type):
            if not pc.all(pc.is_finite(array), min_count=0).as_py():
                return False
        elif pa.types.is_timestamp(array.type):
            if in_range(array) is not array:
                return False
            colons += 2 * (len(array) - array.null_count)
        elif pa.types.is_string(array.type):
            colons += count_octet(array, ord(":"))
    if not any(pa.types.is_timestamp(array.type) for array in batch.columns):
        return True
    return colons == int(np.count_nonzero(np.frombuffer(data, np.uint8) == ord(":")))


def types_of(layout: Layout, *, but: Collection[Kind] = ()) -> Types:
    """The type to parse each of the file's columns with, by the file's name for it.

    Args:
        layout: how the file's columns answer to the contract.
        but: kinds whose values are to stay text.
    """
    kinds = {column.name: column.kind for column in layout.era.dataset.columns}
    types: Types = dict.fromkeys(layout.new_columns, pa.string())
    for name, published in (*layout.columns.items(), *layout.spare.items()):
        is_text = name in layout.era.text_codes or kinds[name] in but
        types[published] = pa.string() if is_text else arrow_type(kinds[name])
    return types
