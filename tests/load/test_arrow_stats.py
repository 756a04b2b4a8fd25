"""Statistics counted in passing are those that a database's SQL gives, to the unit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxietl.load.arrow_stats import PassingStats
from taxietl.load.sql import stats_of, stats_select
from taxietl.tlc.arrow import arrow_schema
from taxietl.tlc.datasets import DATASETS

GREEN = DATASETS["green"]
SCHEMA = arrow_schema(GREEN)
CELLS = {
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.float64(): st.one_of(
        st.floats(-1e6, 1e6),
        st.integers(-(10**8), 10**8).map(lambda cents: cents / 100),
        st.sampled_from([math.nan, math.inf, -math.inf, 1e300, -9e12, 9.1e12, -0.0, 0.125]),
    ),
    pa.timestamp("us"): st.datetimes(datetime(1960, 1, 1), datetime(2100, 1, 1)),
    pa.string(): st.text(max_size=3),
}


ROW = st.fixed_dictionaries(
    {field.name: st.none() | CELLS[field.type] for field in SCHEMA}  # type: ignore[index]
)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


@settings(max_examples=50)
@given(drawn=st.lists(st.lists(ROW, max_size=6), max_size=3))
def test_they_are_what_sql_counts(
    connection: duckdb.DuckDBPyConnection, drawn: list[list[dict[str, Any]]]
) -> None:
    batches = [pa.RecordBatch.from_pylist(rows, schema=SCHEMA) for rows in drawn]
    passing = PassingStats(GREEN.columns)

    passed = list(passing.over(batches))

    connection.register("trips", pa.Table.from_batches(batches, SCHEMA))
    asked = f"SELECT count(*), {stats_select(GREEN.columns)} FROM trips"
    ((rows, *values),) = connection.execute(asked).fetchall()
    assert passed == batches
    assert passing.rows == rows
    assert passing.stats() == stats_of(GREEN.columns, values)
