"""Which of a month's rows and columns are sent, and in which order."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
from months import JANUARY, batch_of

from taxietl.load.postgres.order import ROWS_HELD, Widening, outside_last

PICKUP = "tpep_pickup_datetime"


def at(*times: datetime | None) -> pa.RecordBatch:
    """Yellow trips picked up then, numbered by their VendorID."""
    return batch_of("yellow", len(times), **{PICKUP: list(times), "VendorID": range(len(times))})


def vendors(batches: list[pa.RecordBatch]) -> list[list[int]]:
    return [batch.column("VendorID").to_pylist() for batch in batches]


def test_rows_outside_the_month_come_after_all_others() -> None:
    inside = datetime(2021, 1, 5)
    first = at(datetime(2008, 12, 31, 23), inside, datetime(2021, 1, 1), datetime(2021, 2, 1))
    second = at(datetime(2021, 1, 31, 23, 59, 59, 999_999), datetime(2020, 12, 31, 23, 59, 59))

    sent = list(outside_last([first, second], JANUARY))

    assert vendors(sent) == [[1, 2], [0], [0, 3], [1]]


def test_a_batch_within_the_month_is_handed_on_as_it_is() -> None:
    batch = at(datetime(2021, 1, 5), datetime(2021, 1, 1))

    assert next(outside_last([batch], JANUARY)) is batch


def test_a_trip_without_a_time_stays_where_it_is() -> None:
    batch = at(None, datetime(2009, 1, 1), datetime(2021, 1, 2), None)

    assert vendors(list(outside_last([batch.slice(1), batch], JANUARY))) == [
        [2, 3],
        [0, 2, 3],
        [1],
        [1],
    ]
    assert vendors(list(outside_last([at(None, None)], JANUARY))) == [[0, 1]]


def test_a_file_of_another_month_is_not_held_in_memory() -> None:
    other = at(*[datetime(2019, 5, 1)] * 10_000)
    batches = [other] * 30

    sent = list(outside_last(batches, JANUARY))

    assert sum(each.num_rows for each in sent) == 300_000
    whole = [each is other for each in sent]
    assert whole.count(True) == 30 - ROWS_HELD // 10_000


def test_december_ends_with_the_year() -> None:
    december = replace(JANUARY, month=12)
    batch = at(datetime(2022, 1, 1), datetime(2021, 12, 31, 23, 59))

    assert vendors(list(outside_last([batch], december))) == [[1], [0]]


def test_columns_are_sent_from_the_first_batch_with_a_value_in_them() -> None:
    def batch(**values: object) -> pa.RecordBatch:
        return pa.record_batch(
            {name: pa.array(values.get(name, [None, None]), pa.int32()) for name in "abcd"}
        )

    batches = [batch(a=[1, None]), batch(), batch(a=[2, 3], c=[None, 4]), batch(a=[5, 6])]

    parts = [(schema.names, list(part)) for schema, part in Widening(batches, ["b"]).parts()]

    assert [(names, [each.to_pydict() for each in part]) for names, part in parts] == [
        (["a", "b"], [{"a": [1, None], "b": [None] * 2}, {"a": [None] * 2, "b": [None] * 2}]),
        (
            ["a", "b", "c"],
            [
                {"a": [2, 3], "b": [None] * 2, "c": [None, 4]},
                {"a": [5, 6], "b": [None] * 2, "c": [None] * 2},
            ],
        ),
    ]


def test_no_batches_make_no_part() -> None:
    assert list(Widening([], []).parts()) == []


def test_neither_counting_nor_ordering_nor_encoding_loads_pandas() -> None:
    code = """
import sys
import pyarrow as pa
from taxietl.load.arrow_stats import PassingStats
from taxietl.load.postgres.copy.encode import encode
from taxietl.load.postgres.order import Widening, outside_last
from taxietl.tlc.arrow import arrow_schema
from taxietl.tlc.trip_file import trip_file
january = trip_file("yellow", 2021, 1)
schema = arrow_schema(january.dataset)
room = [None, pa.py_buffer(bytes(16)), pa.py_buffer(b"")]
arrays = [pa.Array.from_buffers(each.type, 2, room[: each.type.num_buffers]) for each in schema]
passing = PassingStats(january.dataset.columns)
rows = passing.over([pa.record_batch(arrays, schema=schema)])
for part_schema, part in Widening(outside_last(rows, january), ()).parts():
    list(encode(part, part_schema))
assert passing.stats()["fare_amount"].sum == 0
assert "pandas" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
