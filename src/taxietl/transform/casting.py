"""Turn one published column into the contract's type, losing nothing in silence.

Whole columns are cast at once. Where that fails, each value is read for itself, and a cell that
holds no value of the type becomes null and is reported. What Arrow's CSV reader takes for a value
and what is read here as text must be the same: a row means the same beside a clean one or a
dirty one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

import pyarrow as pa  # noqa: TID253
import pyarrow.compute as pc  # noqa: TID253

from taxietl.errors import SchemaError
from taxietl.tlc.arrow import arrow_type
from taxietl.tlc.blanks import trimmed
from taxietl.tlc.codes import FLAG_TEXTS, FLAGS, NO_VALUE, NUMBERS, TRIMMED
from taxietl.tlc.datasets import Column
from taxietl.transform.texts import are_flags, by_distinct, is_filled, may_hold, trimmed_texts
from taxietl.transform.times import cast_each, read_times

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SMALLEST, _LARGEST = -(2**31), 2**31 - 1


@dataclass(frozen=True)
class Cast:
    """A column's values in the contract's type, and what became of the published ones."""

    values: pa.Array
    lost: Sequence[int] = ()
    """Places of those that are null only because they could not be read."""

    missing: Sequence[int] = ()
    """Of these, the ones that say that there is no value: NaN, `<NA>`."""

    completed: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """In which way times were completed (`MIDNIGHT`) -> how many, and the place of the first."""


def cast_column(published: pa.Array, column: Column) -> Cast:
    """Cast N published values to the column's type.

    Raises:
        SchemaError: the published type holds no values of this kind (a list, a time with a zone).
    """
    target = arrow_type(column.kind)
    published = _without_mysql_nulls(plain(published))
    if pa.types.is_boolean(published.type) and _has_words(column):
        published = pc.cast(published, pa.string())
    if pa.types.is_null(published.type):
        return Cast(pa.nulls(len(published), target))
    _check_holds(published.type, target, column)
    completed: Mapping[str, tuple[int, int]] = {}
    if pa.types.is_timestamp(target):
        values, completed = read_times(published, target)
    else:
        values = _cast(_finite(published), target, column)
    lost = _lost(published, values)
    return Cast(values, lost, _saying_none(published, lost), completed)


def _has_words(column: Column) -> bool:
    """Whether true and false are values of the column."""
    return column.name in FLAGS or "TRUE" in NUMBERS.get(column.name, ())


def check_type(kind: pa.DataType, column: Column) -> None:
    """Demand a published type that can hold the column's values, before any is read.

    Raises:
        SchemaError: it holds no values of this kind.
    """
    kind = plain(pa.nulls(0, kind)).type
    if not pa.types.is_null(kind):
        _check_holds(kind, arrow_type(column.kind), column)


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
    if not (pa.types.is_string(published.type) and may_hold(published, rb"\N")):
        return published
    meant = pc.match_substring_regex(published, r"^\\N$")
    return pc.if_else(meant, None, published)


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
    if not pa.types.is_string(published.type):
        return _numbers(published, target)
    if pa.types.is_floating(target):
        return by_distinct(published, target, _number)
    codes = NUMBERS.get(column.name, {})
    return by_distinct(published, target, lambda text: _whole_number(text, codes))


def _finite(published: pa.Array) -> pa.Array:
    """The numbers, null where they are NaN or infinite."""
    if not pa.types.is_floating(published.type):
        return published
    finite = pc.is_finite(published)
    return published if pc.all(finite, min_count=0).as_py() else pc.if_else(finite, published, None)


def _lost(published: pa.Array, values: pa.Array) -> list[int]:
    """Places that hold something as published, and null now."""
    if values.null_count == published.null_count:
        return []
    lost = pc.and_(pc.is_null(values), pc.is_valid(published))
    if pa.types.is_string(published.type):
        lost = pc.and_(lost, pc.fill_null(is_filled(trimmed_texts(published)), False))
    return list(pc.indices_nonzero(lost).to_pylist())


def _saying_none(published: pa.Array, lost: list[int]) -> list[int]:
    """Those of the places whose cell says that there is no value."""
    if not lost:
        return []
    if pa.types.is_floating(published.type):
        return list(pc.indices_nonzero(pc.is_nan(published)).to_pylist())
    if not pa.types.is_string(published.type):
        return []
    texts = published.take(pa.array(lost)).to_pylist()
    places = zip(lost, texts, strict=True)
    return [place for place, text in places if says_none(text)]


def says_none(text: str) -> bool:
    """Whether a cell that could not be read says that there is no value."""
    return trimmed(text).upper() in NO_VALUE


def _numbers(published: pa.Array, target: pa.DataType) -> pa.Array:
    """Numbers of any type as numbers of the target's; null where they do not fit."""
    if published.type == target:
        return published
    if pa.types.is_floating(target):
        return cast_each(published, target)
    try:
        return pc.cast(published, target)
    except pa.ArrowInvalid:
        values = pc.cast(published, pa.float64(), safe=False)
    fits = pc.and_(pc.greater_equal(values, _SMALLEST), pc.less_equal(values, _LARGEST))
    whole = pc.and_(fits, pc.equal(pc.floor(values), values))
    return pc.cast(pc.if_else(whole, values, None), target)


def _texts(published: pa.Array, column: Column) -> pa.Array:
    """Text, or other values as text; null where a text holds NUL, which is none."""
    texts = pc.cast(published, pa.string())
    if column.name in FLAGS:
        return texts if are_flags(texts) else by_distinct(texts, pa.string(), _flag)
    if column.name in TRIMMED:
        texts = trimmed_texts(texts)
        # Nothing but blanks is a licence that is not there.
        texts = pc.if_else(is_filled(texts), texts, None)
    if not may_hold(texts, b"\0"):
        return texts
    return pc.if_else(pc.match_substring(texts, "\x00"), None, texts)


def _whole_number(text: str, codes: Mapping[str, int]) -> int | None:
    plain_text = trimmed(text)
    code = codes.get(plain_text.upper())
    return code if code is not None else _whole(plain_text)


def _whole(text: str) -> int | None:
    """The whole number that fits, in every digit: 1.0000000000000000001 is none."""
    if not _NUMBER.fullmatch(text):
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent of twenty digits
        return None
    if not _SMALLEST <= number <= _LARGEST or number != int(number):
        return None
    return int(number)


def _flag(text: str) -> str | None:
    plain_text = trimmed(text)
    number = _whole(plain_text)
    if number is not None:
        return {0: "N", 1: "Y"}.get(number)
    return FLAG_TEXTS.get(plain_text.upper())


def _number(text: str) -> float | None:
    plain_text = trimmed(text)
    if not _NUMBER.fullmatch(plain_text):
        return None
    number = float(plain_text)
    return number if math.isfinite(number) else None
