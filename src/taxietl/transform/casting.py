"""Turn one published column into the contract's type, losing nothing in silence.

Whole columns are cast at once. Where that fails, each distinct value is read for itself, and a
cell that holds no value of the type becomes null and is reported.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pyarrow as pa  # noqa: TID253  imported only where batches are handled
import pyarrow.compute as pc  # noqa: TID253

from taxietl.errors import SchemaError
from taxietl.tlc.arrow import arrow_type
from taxietl.tlc.codes import NUMBERS, TEXTS
from taxietl.tlc.datasets import Column

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_TIME = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?")
_SMALLEST, _LARGEST = -(2**31), 2**31 - 1


def cast_column(published: pa.Array, column: Column) -> tuple[pa.Array, list[int]]:
    """Cast N published values to the column's type.

    Returns:
        N values, and the places of those that are null only because they could not be read.

    Raises:
        SchemaError: the published type holds no values of this kind (a list, a time with a zone).
    """
    target = arrow_type(column.kind)
    if pa.types.is_dictionary(published.type):
        published = published.dictionary_decode()
    if pa.types.is_null(published.type):
        return pa.nulls(len(published), target), []
    if pa.types.is_nested(published.type) or getattr(published.type, "tz", None):
        raise SchemaError(
            f"The column {column.name} is of type {published.type}; it should be {target}.",
            hint="This is not a file of the TLC's own making; convert the column first.",
        )
    if column.name in TEXTS or (column.name in NUMBERS and _is_text(published.type)):
        return _by_distinct(published, target, _reader(column))
    if published.type == target and not pa.types.is_floating(target):
        return published, []
    try:
        whole = published if published.type == target else pc.cast(published, target)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return _by_distinct(published, target, _reader(column))
    if pa.types.is_floating(target) and not pc.all(pc.is_finite(whole)).as_py():
        if whole.null_count == len(whole):
            return whole, []
        return _by_distinct(published, target, _reader(column))
    return whole, []


def _by_distinct(
    published: pa.Array, target: pa.DataType, read: Callable[[Any], Any]
) -> tuple[pa.Array, list[int]]:
    """Read each distinct value once; null where `read` gives None."""
    encoded = published.dictionary_encode()
    values = encoded.dictionary.to_pylist()
    meant = pa.array([read(value) for value in values], target)
    result = meant.take(encoded.indices)
    if result.null_count == published.null_count:
        return result, []
    blank = pa.array([_is_blank(value) for value in values], pa.bool_()).take(encoded.indices)
    lost = pc.and_(pc.is_null(result), pc.fill_null(pc.invert(blank), False))
    return result, pc.indices_nonzero(lost).to_pylist()


def _reader(column: Column) -> Callable[[Any], Any]:
    """How one value of the column is read; None for what is no such value."""
    target = arrow_type(column.kind)
    if pa.types.is_integer(target):
        codes = NUMBERS.get(column.name, {})
        return lambda value: _whole_number(value, codes)
    if pa.types.is_floating(target):
        return _number
    if pa.types.is_timestamp(target):
        return _time
    texts = TEXTS.get(column.name, {})
    return lambda value: texts.get(str(value).strip(), str(value))


def _whole_number(value: Any, codes: Any) -> int | None:
    if isinstance(value, str) and value.strip().upper() in codes:
        return int(codes[value.strip().upper()])
    number = _number(value)
    if number is None or not number.is_integer() or not _SMALLEST <= number <= _LARGEST:
        return None
    return int(number)


def _number(value: Any) -> float | None:
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _time(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return value if isinstance(value, datetime) else None
    if not _TIME.fullmatch(value.strip()):
        return None
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        return None


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
