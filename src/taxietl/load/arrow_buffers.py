"""Arrow's buffers as numpy sees them, without a copy, and without the 0.1 s of importing pandas."""

from __future__ import annotations

from typing import Any

import numpy as np  # noqa: TID253  imported only where batches are handled
import pyarrow as pa  # noqa: TID253
from numpy.typing import DTypeLike, NDArray  # noqa: TID253


def fixed_values(array: pa.Array, kind: DTypeLike) -> NDArray[Any]:
    """N values of one width as they lie in the array's buffer; under a null lies anything.

    Args:
        array: N rows, not all of them null: such a one may have no buffer.
        kind: the values' own, or another of the same width to read the same bits as.
    """
    values = np.frombuffer(array.buffers()[1], kind)
    return values[array.offset : array.offset + len(array)]


def valid_rows(array: pa.Array) -> NDArray[np.bool_] | None:
    """Which of the rows have a value; None where all have."""
    if not array.null_count:
        return None
    return unpacked_bits(array.buffers()[0], array.offset, len(array)).view(bool)


def unpacked_bits(buffer: pa.Buffer, offset: int, count: int) -> NDArray[np.uint8]:
    """That many bits of a bitmap, one a byte."""
    first, skipped = divmod(offset, 8)
    packed = np.frombuffer(buffer, np.uint8)[first:]
    return np.unpackbits(packed, count=skipped + count, bitorder="little")[skipped:]
