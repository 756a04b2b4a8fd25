"""How a query's answer is written: its values as text for people, as JSON, as what CSV can hold.

An answer is meant to be copied, so numbers stand as they are, without separators.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from taxietl.terminal import one_line

if TYPE_CHECKING:
    import pyarrow as pa


def rows_of(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    """The batch's rows as plain values; columns may share a name.

    Whole numbers of any size are int, JSON and intervals are text, the rest is as Arrow gives it.
    """
    return zip(*(_values(column) for column in batch.columns), strict=True)


def table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows under their headings, numbers to the right; a null is empty, one row takes one line."""
    headings = [one_line(each) for each in headings]
    cells = [[one_line(_cell(value)) for value in row] for row in rows]
    to_the_right = [
        bool(rows) and all(_is_number(value) or value is None for value in column)
        for column in zip(*rows, strict=True)
    ] or [False] * len(headings)
    widths = [
        max(len(heading), *(len(row[index]) for row in cells)) if cells else len(heading)
        for index, heading in enumerate(headings)
    ]
    lines = [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, to_the_right, strict=True)
        ).rstrip()
        for line in [headings, *cells]
    ]
    return "\n".join(lines) + "\n"


def json_value(value: Any) -> Any:
    """A value as JSON has it; what JSON has no word for becomes text."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case Decimal():
            # 15 digits survive a double; JSON readers hardly know more.
            return float(value) if len(value.as_tuple().digits) <= 15 else str(value)
        case list() | tuple():
            return [json_value(each) for each in value]
        case dict():
            return {str(name): json_value(each) for name, each in value.items()}
        case None | bool() | int() | float() | str():
            return value
        case _:
            return _as_text(value)


def writable(schema: pa.Schema) -> pa.Schema:
    """The schema that CSV and Parquet can hold: what they cannot is text."""
    import pyarrow as pa

    return pa.schema([pa.field(each.name, _writable_type(each.type)) for each in schema])


def written(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The batch in its `writable` schema."""
    import pyarrow as pa

    arrays = [
        column if column.type == field.type else _texts(column)
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _writable_type(kind: pa.DataType) -> pa.DataType:
    import pyarrow.types as types

    plain = (
        types.is_primitive(kind)
        or types.is_string(kind)
        or types.is_decimal(kind)
        or types.is_null(kind)
    )
    if plain and not types.is_interval(kind):
        return kind
    import pyarrow as pa

    return pa.string()


def _texts(column: pa.Array) -> pa.Array:
    import pyarrow as pa

    texts = [None if value is None else _cell(value) for value in _values(column)]
    return pa.array(texts, pa.string())


def _values(column: pa.Array) -> list[Any]:
    import pyarrow.types as types

    values: list[Any] = column.to_pylist()
    if types.is_decimal(column.type) and column.type.scale == 0:
        return [None if value is None else int(value) for value in values]
    if types.is_interval(column.type):
        return [None if value is None else _interval(*value) for value in values]
    return values


def _interval(months: int, days: int, nanoseconds: int) -> str:
    """As DuckDB writes it: `1 month 2 days 03:04:05.5`."""
    parts = [
        f"{count} {unit}{'' if abs(count) == 1 else 's'}"
        for count, unit in ((months, "month"), (days, "day"))
        if count
    ]
    if nanoseconds or not parts:
        sign = "-" if nanoseconds < 0 else ""
        seconds, rest = divmod(abs(nanoseconds) // 1000, 1_000_000)
        clock = f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        parts.append(clock + (f".{rest:06d}".rstrip("0") if rest else ""))
    return " ".join(parts)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list() | dict() | tuple():
            return json.dumps(json_value(value), ensure_ascii=False)
        case _:
            return " ".join(_as_text(value).splitlines())


def _as_text(value: Any) -> str:
    if isinstance(value, datetime | date | timedelta):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value)
