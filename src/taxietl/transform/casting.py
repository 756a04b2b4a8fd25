"""Turn one published column into the contract's type, losing nothing in silence.

Whole columns are cast at once. Where that fails, each value is read for itself, and a cell that
holds no value of the type becomes null and is reported. What Arrow's CSV reader takes for a value
and what is read here as text must be the same: a row means the same beside a clean one or a
dirty one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np  # noqa: TID253  imported only where batches are handled
import pyarrow as pa  # noqa: TID253
import pyarrow.compute as pc  # noqa: TID253

from taxietl.errors import SchemaError
from taxietl.tlc.arrow import arrow_type
from taxietl.tlc.codes import NUMBERS, PADDED, TEXTS
from taxietl.tlc.datasets import Column

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
# As Arrow reads ISO 8601; a zone, or a part of a microsecond, would have to be dropped.
_TIME = r"^\d{4}-\d\d-\d\d([ T]\d\d(:\d\d(:\d\d(\.\d{1,6})?)?)?)?$"
_SMALLEST, _LARGEST = -(2**31), 2**31 - 1


def cast_column(published: pa.Array, column: Column) -> tuple[pa.Array, list[int]]:
    """Cast N published values to the column's type.

    Returns:
        N values, and the places of those that are null only because they could not be read.

    Raises:
        SchemaError: the published type holds no values of this kind (a list, a time with a zone).
    """
    target = arrow_type(column.kind)
    published = _without_mysql_nulls(plain(published))
    if pa.types.is_null(published.type):
        return pa.nulls(len(published), target), []
    _check_holds(published.type, target, column)
    values = _cast(published, target, column)
    return values, _lost(published, values)


def plain(published: pa.Array) -> pa.Array:
    """The values without an encoding of their own; decimals and text of any type as text."""
    if pa.types.is_dictionary(published.type):
        published = published.dictionary_decode()
    kind = published.type
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pc.cast(published, pa.string())
    if pa.types.is_decimal(kind):
        # Cast by Arrow 26, the decimal 1.15 is the double 1.1500000000000001; read as text, 1.15.
        return pc.cast(published, pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        # Text written without the mark of being text, by old Spark and Impala.
        try:
            return pc.cast(published, pa.string())
        except pa.ArrowInvalid:
            texts = [value if value is None else decoded(value) for value in published.to_pylist()]
            return pa.array(texts, pa.string())
    return published


def _without_mysql_nulls(published: pa.Array) -> pa.Array:
    r"""Text with `\N` as the null it stands for; a CSV's has gone before."""
    if not (pa.types.is_string(published.type) and _may_hold(published, rb"\N")):
        return published
    meant = pc.match_substring_regex(published, r"^\\N$")
    return pc.if_else(meant, None, published)


def _may_hold(texts: pa.Array, part: bytes) -> bool:
    """Whether that stands somewhere in the texts; quicker by far than to ask each of them."""
    _, offsets, data = texts.buffers()
    if data is None or not len(texts):
        return False
    ends = np.frombuffer(offsets, np.int32)[texts.offset :]
    first, last = int(ends[0]), int(ends[len(texts)])
    return part in data.slice(first, last - first).to_pybytes()


def decoded(raw: bytes) -> str:
    """Text in UTF-8, or in Latin-1, which every byte belongs to."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _check_holds(kind: pa.DataType, target: pa.DataType, column: Column) -> None:
    """Refuse a type whose values would have to be guessed at: which zone, since which day."""
    if pa.types.is_string(target):
        known = pa.types.is_primitive(kind) and not pa.types.is_duration(kind)
        known = known or pa.types.is_string(kind)
    elif pa.types.is_timestamp(target):
        known = pa.types.is_timestamp(kind) and kind.tz is None
        known = known or pa.types.is_string(kind) or pa.types.is_date(kind)
    else:
        known = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        known = known or pa.types.is_string(kind)
    if not known:
        raise SchemaError(
            f"The column {column.name} is of type {kind}; it should be {target}.",
            hint="The TLC publishes no such column; convert it first.",
        )


def _cast(published: pa.Array, target: pa.DataType, column: Column) -> pa.Array:
    """The values, null where they could not be read."""
    if pa.types.is_string(target):
        return _texts(published, column)
    if pa.types.is_string(published.type):
        return _read(published, target, column)
    if pa.types.is_timestamp(target):
        return _cast_each(published, target)
    return _numbers(published, target)


def _lost(published: pa.Array, values: pa.Array) -> list[int]:
    """Places that hold something as published, and null now."""
    if values.null_count == published.null_count:
        return []
    lost = pc.and_(pc.is_null(values), pc.is_valid(published))
    if pa.types.is_string(published.type):
        blank = pc.equal(pc.utf8_trim_whitespace(published), "")
        lost = pc.and_(lost, pc.invert(pc.fill_null(blank, False)))
    return list(pc.indices_nonzero(lost).to_pylist())


def _numbers(published: pa.Array, target: pa.DataType) -> pa.Array:
    """Numbers of any type as numbers of the target's; null where they are none or do not fit."""
    if published.type == target and pa.types.is_integer(target):
        return published
    if pa.types.is_floating(target):
        values = _cast_each(published, target)
        finite = pc.is_finite(values)
        return values if pc.all(finite, min_count=0).as_py() else pc.if_else(finite, values, None)
    try:
        return pc.cast(published, target)
    except pa.ArrowInvalid:
        values = pc.cast(published, pa.float64(), safe=False)
    fits = pc.and_(pc.greater_equal(values, _SMALLEST), pc.less_equal(values, _LARGEST))
    whole = pc.and_(fits, pc.equal(pc.floor(values), values))
    return pc.cast(pc.if_else(whole, values, None), target)


def _read(published: pa.Array, target: pa.DataType, column: Column) -> pa.Array:
    """Text as values of the target's type: at once where all can be, else one by one."""
    codes = NUMBERS.get(column.name, {})
    if pa.types.is_timestamp(target):
        times = pc.utf8_trim(published, " \t")
        readable = pc.match_substring_regex(times, _TIME)
        return _cast_each(pc.if_else(readable, times, None), target)
    if pa.types.is_integer(target):
        return _by_distinct(published, target, lambda text: _whole_number(text, codes))
    return _by_distinct(published, target, _number)


def _texts(published: pa.Array, column: Column) -> pa.Array:
    """Text, or other values as text; null where a text holds NUL, which is none."""
    meant = TEXTS.get(column.name)
    if pa.types.is_floating(published.type):
        published = pc.if_else(pc.is_finite(published), published, None)
    texts = pc.cast(published, pa.string())
    if meant is not None:
        texts = _by_distinct(texts, pa.string(), lambda text: meant.get(text.strip(), text))
    if column.name in PADDED:
        trimmed = pc.utf8_trim(texts, " ")
        # Nothing but blanks is a licence that is not there.
        texts = pc.if_else(pc.match_substring_regex(trimmed, "^$"), None, trimmed)
    if not _may_hold(texts, b"\0"):
        return texts
    return pc.if_else(pc.match_substring(texts, "\x00"), None, texts)


def _by_distinct(published: pa.Array, target: pa.DataType, read: Callable[[str], Any]) -> pa.Array:
    """Read each distinct text once; null where `read` gives None."""
    encoded = published.dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    meant = [read(text) for text in texts]
    if meant == texts and published.type == target:
        return published  # as nearly always
    return pa.array(meant, target).take(encoded.indices)


def _cast_each(published: pa.Array, target: pa.DataType) -> pa.Array:
    """Cast all that can be, by halves; null where Arrow would lose something or refuses."""
    try:
        return pc.cast(published, target)
    except pa.ArrowInvalid:
        if len(published) == 1:
            return pa.nulls(1, target)
    half = len(published) // 2
    parts = [_cast_each(published[:half], target), _cast_each(published[half:], target)]
    return pa.concat_arrays(parts)


def _whole_number(text: str, codes: Mapping[str, int]) -> int | None:
    code = codes.get(text.strip().upper())
    if code is not None:
        return code
    number = _number(text)
    if number is None or not number.is_integer() or not _SMALLEST <= number <= _LARGEST:
        return None
    return int(number)


def _number(text: str) -> float | None:
    if not _NUMBER.fullmatch(text.strip()):
        return None
    number = float(text)
    return number if math.isfinite(number) else None
