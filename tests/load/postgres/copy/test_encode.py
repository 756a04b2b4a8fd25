"""Rows encoded for PostgreSQL: byte by byte as the format says, and as a real server reads them."""

from __future__ import annotations

import io
import itertools
import math
import random
import re
import struct
import tracemalloc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import psycopg2
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxietl.errors import DataError, SchemaError
from taxietl.load.postgres.copy.columns import SQL_TYPES
from taxietl.load.postgres.copy.encode import BLOCK_ROWS, BLOCK_TEXT, LAYOUTS_KEPT, encode

JANUARY = pa.scalar(date(2021, 1, 1))


# A slow encoder after the manual ("COPY", "Binary Format"), of plain numbers and strings.


def _field(kind: pa.DataType, value: Any) -> bytes:
    if value is None:
        return struct.pack(">i", -1)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        text = value.encode()
        return struct.pack(">i", len(text)) + text
    if pa.types.is_timestamp(kind):
        return struct.pack(">iq", 8, value - 946_684_800_000_000)
    if pa.types.is_date(kind):
        return struct.pack(">ii", 4, value - 10_957)
    if pa.types.is_boolean(kind):
        return struct.pack(">i?", 1, value)
    form = {pa.int32(): "i", pa.int64(): "q", pa.float64(): "d"}[kind]
    return struct.pack(f">i{form}", 4 if form == "i" else 8, value)


def _plain(array: pa.Array) -> list[Any]:
    """Times as numbers, since Python's begin in the year 1."""
    if pa.types.is_timestamp(array.type):
        return array.cast(pa.int64()).to_pylist()
    if pa.types.is_date(array.type):
        return array.cast(pa.int32()).to_pylist()
    return array.to_pylist()


def _reference(batches: Iterable[pa.RecordBatch], tail: bytes = b"", tail_fields: int = 0) -> bytes:
    encoded = [b"PGCOPY\n\xff\r\n\0" + bytes(8)]
    for batch in batches:
        kinds = batch.schema.types
        for row in zip(*map(_plain, batch.columns), strict=True):
            fields = [_field(kind, value) for kind, value in zip(kinds, row, strict=True)]
            encoded += [struct.pack(">h", len(row) + tail_fields), *fields, tail]
    return b"".join([*encoded, b"\xff\xff"])


def _encoded(batches: Sequence[pa.RecordBatch], **options: Any) -> bytes:
    return b"".join(encode(batches, batches[0].schema, **options))


class Database:
    """One connection; every stream goes into a table of its own."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg2.connect(url, client_encoding="utf8")

    def close(self) -> None:
        self._connection.close()

    def copied(self, schema: pa.Schema, stream: bytes, query: str = "TABLE copied") -> bytes:
        """The stream loaded, and what a query then gives, in the binary format."""
        columns = ", ".join(f'"{each.name}" {SQL_TYPES[each.type]}' for each in schema)
        back = io.BytesIO()
        with self._connection.cursor() as cursor:
            cursor.execute(f"CREATE TEMP TABLE copied ({columns})")
            cursor.copy_expert("COPY copied FROM STDIN (FORMAT binary)", io.BytesIO(stream))
            cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT binary)", back)
        self._connection.rollback()
        return back.getvalue()

    def selected(self, schema: pa.Schema, stream: bytes) -> list[tuple[Any, ...]]:
        """The stream loaded, and its rows as psycopg2 reads them."""
        columns = ", ".join(f'"{each.name}" {SQL_TYPES[each.type]}' for each in schema)
        with self._connection.cursor() as cursor:
            cursor.execute(f"CREATE TEMP TABLE copied ({columns})")
            cursor.copy_expert("COPY copied FROM STDIN (FORMAT binary)", io.BytesIO(stream))
            cursor.execute("TABLE copied")
            rows = cursor.fetchall()
        self._connection.rollback()
        return rows


@pytest.fixture
def database(warehouse: str) -> Iterator[Database]:
    with closing(Database(warehouse)) as database:
        yield database


# Any schema, any values, cut into any batches.

TEXT = st.text(
    st.one_of(
        st.characters(codec="utf-8", exclude_characters="\x00"), st.sampled_from("aé€😀\n\\")
    ),
    max_size=80,
)
WHOLE = st.integers(-(2**63), 2**63 - 1)
VALUES: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.bool_(): st.booleans(),
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.int64(): WHOLE,
    pa.float64(): st.floats(),
    pa.timestamp("us"): st.integers(-210_866_803_200_000_000, 2**63 - 1),
    pa.date32(): st.integers(-2_440_588, 2_145_042_905),
    pa.string(): st.one_of(TEXT, st.sampled_from(["N", "Y", "", "B01234"])),
    pa.large_string(): TEXT,
}


@dataclass(frozen=True)
class Drawn:
    """The values of a batch, column by column, and which rows of them it is cut down to."""

    columns: list[tuple[pa.DataType, list[Any]]]
    rows: slice

    def batch(self) -> pa.RecordBatch:
        arrays = [pa.array(values, kind) for kind, values in self.columns]
        whole = pa.record_batch(arrays, [f"c{at}" for at in range(len(arrays))])
        return whole.slice(self.rows.start, self.rows.stop - self.rows.start)


@st.composite
def streams(draw: st.DrawFn) -> list[Drawn]:
    """Batches of one schema, some empty, each cut out of larger arrays."""
    kinds = draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=7))
    batches = []
    for _ in range(draw(st.integers(1, 3))):
        rows = draw(st.integers(0, 30))
        columns = []
        for kind in kinds:
            nulls = draw(st.sampled_from(["none", "some", "all"]))
            value = {
                "none": VALUES[kind],
                "some": st.none() | VALUES[kind],
                "all": st.none(),
            }[nulls]
            columns.append((kind, draw(st.lists(value, min_size=rows, max_size=rows))))
        low = draw(st.integers(0, rows))
        batches.append(Drawn(columns, slice(low, draw(st.integers(low, rows)))))
    return batches


@settings(max_examples=150)
@given(drawn=streams())
def test_any_rows_are_encoded_as_the_format_says_and_read_back_the_same(
    database: Database, drawn: list[Drawn]
) -> None:
    batches = [each.batch() for each in drawn]

    stream = _encoded(batches)

    assert stream == _reference(batches)
    assert database.copied(batches[0].schema, stream) == stream


# What a user sees.


def test_values_arrive_as_they_were(database: Database) -> None:
    schema = pa.schema(
        [
            ("truth", pa.bool_()),
            ("code", pa.int32()),
            ("number", pa.int64()),
            ("money", pa.float64()),
            ("time", pa.timestamp("us")),
            ("day", pa.date32()),
            ("text", pa.string()),
            ("long", pa.large_string()),
        ]
    )
    last_of_month = datetime(2021, 1, 31, 23, 59, 59, 999_999)
    before_1970 = datetime(1969, 12, 31, 23, 59, 59)
    before_2000 = datetime(1999, 12, 31, 23, 59, 59, 999_999)
    most, least = 2**31 - 1, -(2**31)
    rows: list[tuple[Any, ...]] = [
        (True, most, 2**63 - 1, 12.5, last_of_month, date(2021, 1, 31), "Zürich", "a\tb\\N\n"),
        (False, least, -(2**63), math.inf, before_1970, date(1, 1, 1), "", "😀" * 3),
        (None, 0, 0, -math.inf, before_2000, date(9999, 12, 31), None, ""),
        (None,) * 8,
    ]
    columns = zip(*rows, strict=True)
    arrays = [pa.array(list(each), kind) for each, kind in zip(columns, schema.types, strict=True)]

    stream = _encoded([pa.record_batch(arrays, schema=schema)])

    assert database.selected(schema, stream) == rows


def test_negative_zero_and_nan_keep_their_bits(database: Database) -> None:
    values = np.array([-0.0, 0.0, np.nan, 5e-324, -1.7976931348623157e308])
    values.view(np.int64)[2] |= 1  # one of the many NaNs
    batch = pa.record_batch({"money": values})

    stream = _encoded([batch])

    assert stream == _reference([batch])
    assert database.copied(batch.schema, stream) == stream


@pytest.mark.parametrize("order", ["sorted", "shuffled", "a batch each"])
def test_every_pattern_of_nulls_in_six_columns(database: Database, order: str) -> None:
    patterns = list(itertools.product([True, False], repeat=6))
    assert len(patterns) > LAYOUTS_KEPT
    rows = [pattern for pattern in patterns for _ in range(70)]
    if order == "shuffled":
        random.Random(7).shuffle(rows)
    kinds = [pa.int32(), pa.float64(), pa.timestamp("us"), pa.string(), pa.date32(), pa.string()]
    values = [7, 2.5, 1_000_000, "é", 3, "B01234"]
    arrays = [
        pa.array([values[at] if row[at] else None for row in rows], kind)
        for at, kind in enumerate(kinds)
    ]
    whole = pa.record_batch(arrays, [f"c{at}" for at in range(6)])
    step = 70 if order == "a batch each" else len(rows)
    batches = [whole.slice(low, step) for low in range(0, len(rows), step)]

    stream = _encoded(batches)

    assert stream == _reference([whole])
    assert database.copied(whole.schema, stream) == stream


def test_rows_of_several_blocks_keep_their_order(database: Database) -> None:
    rows = 3 * BLOCK_ROWS + 5
    numbers = np.arange(rows)
    batch = pa.record_batch(
        {
            "number": pa.array(numbers, pa.int64()),
            # missing from here to the end, as in the published files
            "code": pa.array(numbers % 5, pa.int32(), mask=numbers > rows - 900),
            # missing here and there
            "fee": pa.array(numbers / 4, mask=numbers % 7 == 0),
            "base": pa.array([f"B{number}" for number in numbers]),
        }
    )

    stream = _encoded([batch.slice(3), batch.slice(0, 3)])

    assert stream == _reference([batch.slice(3), batch.slice(0, 3)])
    assert database.copied(batch.schema, stream) == stream


def test_texts_of_a_megabyte_come_whole_and_in_blocks_of_bounded_size(database: Database) -> None:
    texts = ["é" * 500_000, "b" * 1_048_576, None, "", "c", *("d" * 1000 for _ in range(3000))]
    batch = pa.record_batch({"text": pa.array(texts), "number": pa.array(range(len(texts)))})

    blocks = list(encode([batch], batch.schema))

    assert b"".join(blocks) == _reference([batch])
    assert max(map(len, blocks)) < BLOCK_TEXT + BLOCK_ROWS * 18 + 1
    assert database.copied(batch.schema, b"".join(blocks)) == b"".join(blocks)


def test_no_rows_make_an_empty_table(database: Database) -> None:
    schema = pa.schema([("number", pa.int32()), ("text", pa.string())])
    nothing = pa.record_batch([[], []], schema=schema)

    for batches in ([], [nothing]):
        stream = b"".join(encode(batches, schema))

        assert stream == _reference([])
        assert database.selected(schema, stream) == []


def test_what_lies_under_a_null_is_never_read() -> None:
    nothing = pa.py_buffer(b"\x02")  # the second of two has a value
    hidden = np.array([-(2**63), 5])
    time = pa.Array.from_buffers(pa.timestamp("us"), 2, [nothing, pa.py_buffer(hidden)])
    text = pa.Array.from_buffers(
        pa.string(),
        2,
        [nothing, pa.py_buffer(np.array([0, 3, 4], np.int32)), pa.py_buffer(b"a\x00bc")],
    )
    batch = pa.record_batch({"time": time, "text": text})

    assert batch.to_pydict()["text"] == [None, "c"]
    assert _encoded([batch]) == _reference([batch])


# What cannot be stored.


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()], ids=str)
def test_a_nul_character_is_refused_with_its_column_and_value(kind: pa.DataType) -> None:
    fine = pa.record_batch({"code": pa.array([1, 2]), "flag": pa.array(["a", None], kind)})
    cut = pa.array(["\x00", "", None, "b", "c\x00"], kind).slice(1)
    wrong = pa.record_batch({"code": pa.array([3, 4, 5, 6]), "flag": cut})

    with pytest.raises(DataError, match=r"'flag' has a NUL character .*: 'c\\x00'") as refused:
        _encoded([fine, wrong])

    assert "--transform" in refused.value.hint


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.timestamp("us"), -210_866_803_200_000_001),
        (pa.timestamp("us"), -(2**63)),
        (pa.date32(), -2_440_589),
        (pa.date32(), 2_145_042_906),
        (pa.date32(), -(2**31)),
    ],
    ids=str,
)
def test_a_time_beyond_the_servers_range_is_refused(kind: pa.DataType, value: int) -> None:
    batch = pa.record_batch({"number": [1, 2, 3], "day": pa.array([0, None, value], kind)})

    with pytest.raises(DataError, match=rf"'day' has a time .*'{value} in {re.escape(str(kind))}'"):
        _encoded([batch])


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.timestamp("us"), -210_866_803_200_000_000),
        (pa.timestamp("us"), 2**63 - 1),
        (pa.date32(), -2_440_588),
        (pa.date32(), 2_145_042_905),
    ],
    ids=str,
)
def test_the_first_and_last_times_of_the_range_are_stored(
    database: Database, kind: pa.DataType, value: int
) -> None:
    batch = pa.record_batch({"day": pa.array([value], kind)})

    stream = _encoded([batch])

    assert database.copied(batch.schema, stream) == stream


@pytest.mark.parametrize(
    "kind", [pa.timestamp("us", tz="UTC"), pa.timestamp("ms"), pa.int16(), pa.null()], ids=str
)
def test_a_type_without_a_form_is_refused_by_name(kind: pa.DataType) -> None:
    schema = pa.schema([("number", pa.int32()), ("odd", kind)])

    with pytest.raises(SchemaError, match="'odd' is of Arrow type"):
        list(encode([], schema))


def test_a_batch_of_another_schema_is_refused() -> None:
    first = pa.record_batch({"a": pa.array([1], pa.int32())})
    other = pa.record_batch({"a": pa.array([1], pa.int64())})

    with pytest.raises(SchemaError, match="announced"):
        _encoded([first, other])


def test_memory_does_not_grow_with_the_stream() -> None:
    numbers = np.arange(40_000)
    batch = pa.record_batch(
        {
            "number": pa.array(numbers, mask=numbers % 3 == 0),
            "text": pa.array([f"{number:x}" for number in numbers]),
        }
    )

    def peak(repeats: int) -> int:
        tracemalloc.start()
        allocated = pa.total_allocated_bytes()
        for _ in encode(itertools.repeat(batch, repeats), batch.schema):
            assert pa.total_allocated_bytes() - allocated < 4 << 20
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)
    assert peak(20) < 1.5 * peak(2)
