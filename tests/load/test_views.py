"""The plain-named views in each kind of warehouse: `hire_trips` over fhv and fhvhv."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest
from months import Duck, Postgres

from taxietl.load.views import VIEWS, view_columns
from taxietl.tlc.arrow import arrow_schema
from taxietl.tlc.datasets import dataset
from taxietl.tlc.trip_file import TripFile

START, END = datetime(2021, 1, 2, 3), datetime(2021, 1, 2, 4)
FHV, FHVHV = TripFile("fhv", 2021, 1), TripFile("fhvhv", 2021, 1)


@pytest.fixture(params=["duck", "server"])
def warehouse_of(request: pytest.FixtureRequest) -> Duck | Postgres:
    """An empty warehouse of each kind."""
    made: Duck | Postgres = request.getfixturevalue(request.param)
    return made


def _one(of: TripFile, **cells: Any) -> list[pa.RecordBatch]:
    return [pa.RecordBatch.from_pylist([cells], arrow_schema(dataset(of.color)))]


def _fhv() -> list[pa.RecordBatch]:
    times = {"pickup_datetime": START, "dropOff_datetime": END}
    return _one(FHV, **times, PUlocationID=7, DOlocationID=8, dispatching_base_num="B00001")


def _fhvhv() -> list[pa.RecordBatch]:
    times = {"pickup_datetime": START, "dropoff_datetime": END}
    return _one(FHVHV, **times, PULocationID=9, DOLocationID=10, tips=1.5, SR_Flag=1)


QUERY = (
    "SELECT color, pickup_datetime, dropoff_datetime, pickup_location_id, dropoff_location_id, "
    "dispatching_base_num, sr_flag, tips, CAST(source_month AS VARCHAR(10)) "
    "FROM hire_trips ORDER BY color"
)
OF_FHV = ("fhv", START, END, 7, 8, "B00001", None, None, "2021-01-01")
OF_FHVHV = ("fhvhv", START, END, 9, 10, None, 1, 1.5, "2021-01-01")


def test_hire_trips_has_both_colours_side_by_side(warehouse_of: Duck | Postgres) -> None:
    warehouse_of.load(_fhv(), FHV)
    assert warehouse_of.ask(QUERY) == [OF_FHV]

    warehouse_of.load(_fhvhv(), FHVHV)

    assert warehouse_of.ask(QUERY) == [OF_FHV, OF_FHVHV]


def test_hire_trips_does_with_the_one_colour_that_is_there(warehouse_of: Duck | Postgres) -> None:
    warehouse_of.load(_fhvhv(), FHVHV)

    assert warehouse_of.ask(QUERY) == [OF_FHVHV]


def test_trips_and_hire_trips_keep_apart(warehouse_of: Duck | Postgres) -> None:
    warehouse_of.load(_fhv(), FHV)
    warehouse_of.load(2)

    assert warehouse_of.ask("SELECT count(*) FROM trips") == [(2,)]
    assert warehouse_of.ask("SELECT count(*) FROM hire_trips") == [(1,)]


@pytest.mark.parametrize("view", VIEWS)
def test_no_name_needs_quotes(view: str) -> None:
    columns = view_columns(view)

    assert [each for each in columns if each != each.lower()] == []
    assert len(set(columns)) == len(columns)
    assert {"pickup_datetime", "dropoff_datetime", "pickup_location_id"} <= set(columns)
