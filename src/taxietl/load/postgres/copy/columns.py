"""A batch's columns as PostgreSQL's binary COPY wants their values: lengths, and big-endian bytes.

Values are read where Arrow has put them: nothing is copied before it is written into a row. The
lengths of a column (-1 is NULL, as in the format) are kept row by row only where they differ.

Source of formats and limits: PostgreSQL 15, "COPY", "Binary Format"; `src/include/datatype/
timestamp.h`; the `*recv` functions of `src/backend/utils/adt`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np  # noqa: TID253  imported only where rows are sent to PostgreSQL
import pyarrow as pa  # noqa: TID253
from numpy.typing import NDArray  # noqa: TID253

from taxietl.errors import DataError, SchemaError
from taxietl.load.arrow_buffers import fixed_values, unpacked_bits, valid_rows

NULL = -1


@dataclass(frozen=True)
class _Form:
    """How values of one width lie in Arrow and in the format; `shift` moves 1970 to 2000."""

    native: str
    encoded: str
    shift: int = 0
    lowest: int | None = None
    highest: int | None = None


_FORMS = {
    pa.bool_(): _Form("u1", "u1"),
    pa.int32(): _Form("i4", ">i4"),
    pa.int64(): _Form("i8", ">i8"),
    # As whole numbers, floats keep every bit: -0.0, and which NaN it is.
    pa.float64(): _Form("i8", ">i8"),
    # Beyond these (from 4714-11-24 BC) taking the shift off would wrap into another valid value.
    pa.timestamp("us"): _Form(
        "i8", ">i8", shift=946_684_800_000_000, lowest=-210_866_803_200_000_000
    ),
    pa.date32(): _Form("i4", ">i4", shift=10_957, lowest=-2_440_588, highest=2_145_042_905),
}
_TEXT_OFFSETS = {pa.string(): np.int32, pa.large_string(): np.int64}

SQL_TYPES = {
    pa.bool_(): "BOOLEAN",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE PRECISION",
    pa.timestamp("us"): "TIMESTAMP",
    pa.date32(): "DATE",
    pa.string(): "TEXT",
    pa.large_string(): "TEXT",
}
"""What can be encoded, and the type of PostgreSQL each is the binary form of."""


class Cells(ABC):
    """One column of one batch.

    `length` is that of every row's field, or None where rows differ; `lengths` has them then.
    """

    length: int | None
    lengths: NDArray[Any] | None

    def _set_lengths(self, lengths: NDArray[Any] | int) -> None:
        if isinstance(lengths, int):
            self.length, self.lengths = lengths, None
        elif (lengths == lengths[0]).all():
            self.length, self.lengths = int(lengths[0]), None
        else:
            self.length, self.lengths = None, lengths

    def length_within(self, low: int, high: int) -> int | None:
        """The one length of those rows' fields; None where they differ."""
        if self.lengths is None:
            return self.length
        first = int(self.lengths[low])
        return first if bool((self.lengths[low:high] == first).all()) else None

    def lengths_within(self, low: int, high: int) -> NDArray[Any] | int | None:
        """The lengths of those rows' fields, or the one of all."""
        return self.length if self.lengths is None else self.lengths[low:high]

    @abstractmethod
    def encoded_as(self, length: int) -> str:
        """The numpy type of one value of that length, as it stands in a row."""

    @abstractmethod
    def values(self, low: int, high: int) -> NDArray[Any]:
        """Those rows' values, all of one length, to be assigned to a row's field."""

    @abstractmethod
    def joinable(self, low: int, high: int) -> pa.LargeBinaryArray:
        """Those rows' values as bytes of any length; NULL has none."""

    def _binary(self, low: int, high: int, offsets: NDArray[Any], data: Any) -> Any:
        bitmap = None
        if self.lengths is not None:
            bitmap = pa.py_buffer(np.packbits(self.lengths[low:high] != NULL, bitorder="little"))
        buffers = [bitmap, pa.py_buffer(offsets), pa.py_buffer(data)]
        return pa.Array.from_buffers(pa.large_binary(), high - low, buffers)


class FixedCells(Cells):
    """Values that all have the same width."""

    def __init__(self, array: pa.Array, name: str) -> None:
        self._form = form = _FORMS[array.type]
        width = np.dtype(form.native).itemsize
        if array.null_count == len(array):
            self._set_lengths(NULL)
            return
        valid = valid_rows(array)
        self._set_lengths(
            width if valid is None else np.where(valid, np.int32(width), np.int32(NULL))
        )
        if pa.types.is_boolean(array.type):
            self._values = unpacked_bits(array.buffers()[1], array.offset, len(array))
        else:
            self._values = fixed_values(array, form.native)
        self._check_range(array, name, valid)

    def encoded_as(self, length: int) -> str:  # noqa: ARG002  its type says it already
        """See `Cells.encoded_as`."""
        return self._form.encoded

    def values(self, low: int, high: int) -> NDArray[Any]:
        """See `Cells.values`."""
        values = self._values[low:high]
        return values - values.dtype.type(self._form.shift) if self._form.shift else values

    def joinable(self, low: int, high: int) -> pa.LargeBinaryArray:
        """See `Cells.joinable`."""
        encoded = self.values(low, high).astype(self._form.encoded)
        offsets = np.arange(high - low + 1, dtype=np.int64) * encoded.itemsize
        return self._binary(low, high, offsets, encoded)

    def _check_range(self, array: pa.Array, name: str, valid: NDArray[Any] | None) -> None:
        lowest, highest = self._form.lowest, self._form.highest
        if lowest is None:
            return
        if self._values.min() >= lowest and (highest is None or self._values.max() <= highest):
            return
        outside = self._values < lowest
        if highest is not None:
            outside |= self._values > highest
        if valid is not None:
            outside &= valid
        if outside.any():
            raise _unstorable("a time PostgreSQL has no room for", name, array, outside)


class TextCells(Cells):
    """UTF-8 text of any length."""

    def __init__(self, array: pa.Array, name: str) -> None:
        if array.null_count == len(array):
            self._set_lengths(NULL)
            return
        _, offsets, data = array.buffers()
        every = np.frombuffer(offsets, _TEXT_OFFSETS[array.type])
        self.offsets = every[array.offset : array.offset + len(array) + 1]
        self._data = np.frombuffer(data, np.uint8) if data else np.empty(0, np.uint8)
        lengths = np.diff(self.offsets)
        valid = valid_rows(array)
        if valid is not None:
            lengths[~valid] = NULL
        self._check_nul(array, name, lengths)
        self._set_lengths(lengths)

    def encoded_as(self, length: int) -> str:
        """See `Cells.encoded_as`."""
        return f"V{length}"

    def values(self, low: int, high: int) -> NDArray[Any]:
        """See `Cells.values`."""
        taken = self._data[self.offsets[low] : self.offsets[high]]
        return taken.view(f"V{len(taken) // (high - low)}")

    def joinable(self, low: int, high: int) -> pa.LargeBinaryArray:
        """See `Cells.joinable`."""
        return self._binary(low, high, self.offsets[low : high + 1].astype(np.int64), self._data)

    def _check_nul(self, array: pa.Array, name: str, lengths: NDArray[Any]) -> None:
        start = int(self.offsets[0])
        used = self._data[start : self.offsets[-1]]
        if not len(used) or used.min():
            return
        owners = np.searchsorted(self.offsets, np.flatnonzero(used == 0) + start, "right") - 1
        holds = np.zeros(len(lengths), bool)
        holds[owners] = True
        holds &= lengths != NULL  # bytes under a NULL are nobody's
        if holds.any():
            raise _unstorable(
                r"a NUL character (\x00), which PostgreSQL cannot store",
                name,
                array,
                holds,
            )


def cells(array: pa.Array, name: str) -> Cells:
    """The column of a batch that has rows.

    Raises:
        DataError: it has a value that PostgreSQL cannot store.
    """
    if array.type in _TEXT_OFFSETS:
        return TextCells(array, name)
    return FixedCells(array, name)


def check_types(schema: pa.Schema) -> None:
    """Refuse columns of types that have no form here.

    Raises:
        SchemaError: naming the first such column.
    """
    for field in schema:
        if field.type not in SQL_TYPES:
            raise SchemaError(
                f"Column {field.name!r} is of Arrow type {field.type}, which cannot be sent to"
                " PostgreSQL.",
                hint=f"Cast it to one of: {', '.join(str(each) for each in SQL_TYPES)}.",
            )


def _unstorable(what: str, column: str, array: pa.Array, wrong: NDArray[Any]) -> DataError:
    """Names the value; its row is not known here, since rows are sent in an order of their own."""
    value = array[int(np.argmax(wrong))]
    try:
        shown = str(value.as_py())
    except (OverflowError, ValueError):  # a time that Python has no value for
        shown = f"{value.value} in {array.type}"
    return DataError(
        f"Column {column!r} has {what}: {shown[:80]!r}.",
        hint="Nothing was loaded. Leave such rows out, or change them, by a transformer of your"
        " own (--transform).",
    )
