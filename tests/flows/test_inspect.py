"""A month's quality: what is counted is what an oracle counts, in each kind of warehouse."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from months import Duck, Postgres

from taxietl.config import activate, load_settings
from taxietl.errors import ConfigError, SourceError, TryLaterError
from taxietl.extract.synthetic import write
from taxietl.flows.inspect import inspect_file, inspect_table
from taxietl.flows.quality import ColumnQuality, Quality
from taxietl.load.duckdb import DuckDBLoader
from taxietl.load.duckdb.profile import DuckDBProfile
from taxietl.load.quality import BINS, QUANTILES
from taxietl.tlc.arrow import arrow_schema
from taxietl.tlc.datasets import Kind, dataset
from taxietl.tlc.trip_file import TripFile

GREEN = TripFile("green", 2021, 1)
MORNING = datetime(2021, 1, 5, 8)


@pytest.fixture(params=["duckdb", "postgres"])
def any_warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Duck | Postgres:
    """An empty warehouse of each kind."""
    if request.param == "duckdb":
        return Duck(tmp_path / "taxi.duckdb")
    return Postgres(request.getfixturevalue("warehouse"))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """The settings of an empty home."""
    activate(load_settings(home=tmp_path / "home"))
    yield tmp_path / "home"
    activate(None)


def trips(*rows: dict[str, Any], color: str = "green", **told: str) -> list[pa.RecordBatch]:
    """Ordinary trips, each with these cells instead; a name that is not the contract's is text."""
    of = dataset(color)
    plain = {
        "VendorID": 2,
        of.started_at: MORNING,
        of.ended_at: MORNING + timedelta(minutes=10),
        "PULocationID": 74,
        "DOLocationID": 75,
        "passenger_count": 1,
        "trip_distance": 2.0,
        "fare_amount": 9.0,
        "total_amount": 10.0,
    }
    schema = arrow_schema(of)
    for name in told:
        schema = schema.append(pa.field(name, pa.string()))
    made = [{**plain, "tip_amount": float(place), **each} for place, each in enumerate(rows)]
    return [pa.RecordBatch.from_pylist([each], schema) for each in made]


def found_in(
    of: Duck | Postgres, batches: list[pa.RecordBatch], month: TripFile = GREEN
) -> Quality:
    of.load(batches, month)
    return inspect_table(of.loader, month, month.dataset.table)


def counted(quality: Quality) -> dict[str, int]:
    return {each.name: each.rows for each in quality.findings if each.rows}


def lasting(**length: float) -> dict[str, Any]:
    return {"lpep_dropoff_datetime": MORNING + timedelta(**length)}


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"lpep_pickup_datetime": datetime(2020, 12, 31, 23, 59, 59)}, "outside_month"),
        ({"lpep_pickup_datetime": datetime(2021, 2, 1), **lasting(days=27)}, "outside_month"),
        (lasting(seconds=-1), "ends_before_start"),
        (lasting(seconds=0), "no_duration"),
        (lasting(hours=24, seconds=1), "longer_than_a_day"),
        ({"trip_distance": 0.0}, "zero_distance"),
        ({"trip_distance": -0.1}, "negative_distance"),
        ({"total_amount": -0.01}, "negative_total"),
        ({"passenger_count": 0}, "zero_passengers"),
        ({"PULocationID": 264}, "unknown_pickup_zone"),
        ({"PULocationID": 265}, "outside_pickup_zone"),
        ({"PULocationID": 0}, "invalid_pickup_zone"),
        ({"PULocationID": 266}, "invalid_pickup_zone"),
        ({"DOLocationID": 264}, "unknown_dropoff_zone"),
        ({"DOLocationID": 265}, "outside_dropoff_zone"),
        ({"DOLocationID": -1}, "invalid_dropoff_zone"),
    ],
)
def test_an_odd_row_is_found_and_an_ordinary_one_is_not(
    tmp_path: Path, row: dict[str, Any], name: str
) -> None:
    found = found_in(Duck(tmp_path / "taxi.duckdb"), trips({}, row, {}, lasting(hours=24)))

    assert counted(found)[name] == 1
    assert counted(found).keys() - {"longer_than_a_day"} <= {name}
    share = next(each.share for each in found.findings if each.name == name)
    assert share == 0.25


def test_planted_rows_are_counted_alike_in_every_warehouse(any_warehouse: Duck | Postgres) -> None:
    back = {"total_amount": -10.0, "tip_amount": 0.0}
    rows = [
        *[{"tip_amount": 3.0}] * 3,  # two duplicates
        {"tip_amount": None, "VendorID": None},
        {"tip_amount": None, "VendorID": None},  # nulls are equal, too
        back,
        {**back, "total_amount": -11.0},  # takes back nothing
        {**back, "VendorID": None, "PULocationID": 1},  # nor does this one
        {"lpep_pickup_datetime": None},
        {"lpep_dropoff_datetime": None},
        {"VendorID": 6, "lpep_pickup_datetime": MORNING + timedelta(minutes=1)}
        | lasting(hours=2, minutes=1),
        {"VendorID": 6, "lpep_pickup_datetime": MORNING + timedelta(minutes=1)},
    ]

    found = found_in(any_warehouse, trips({}, *rows))

    assert found.rows == 13
    assert counted(found) == {
        "duplicates": 3,
        "negative_total": 3,
        "exact_reversals": 1,
        "vendor_6_month_as_minute": 1,
    }


def test_columns_that_no_era_has_are_looked_at_and_told_apart(
    any_warehouse: Duck | Postgres,
) -> None:
    rows = [{"tip_amount": 1.0, "it's": each} for each in ("a", "b", "b", None)]

    found = found_in(any_warehouse, trips(*rows, **{"it's": "text"}))

    (column,) = [each for each in found.columns if each.name == "it's"]
    assert (column.nulls, column.distinct) == (1, 2)
    assert column.values == (("b", 2), ("a", 1))
    assert counted(found) == {"duplicates": 1}


def test_only_the_asked_months_rows_are_looked_at(any_warehouse: Duck | Postgres) -> None:
    any_warehouse.load(trips({}, {}), TripFile("green", 2021, 2))

    found = found_in(any_warehouse, trips({}))

    assert found.rows == 1
    assert found.table == "green_trips"
    assert found.load.run_name == "amber-fox"


@pytest.mark.parametrize("color", ["fhv", "fhvhv", "yellow"])
def test_every_colour_has_its_own_columns(any_warehouse: Duck | Postgres, color: str) -> None:
    of = TripFile(color, 2021, 1)
    money = {"base_passenger_fare": -1.0, "trip_miles": 0.0} if color == "fhvhv" else {}
    times = {of.dataset.started_at: MORNING, of.dataset.ended_at: MORNING}
    batch = pa.RecordBatch.from_pylist([{**times, **money}], arrow_schema(of.dataset))

    found = found_in(any_warehouse, [batch], of)

    assert [each.name for each in found.columns] == list(of.dataset.column_names)
    odd = {"no_duration": 1} | ({"negative_total": 1, "zero_distance": 1} if money else {})
    assert counted(found) == odd
    assert found.days == {"2021-01-05": 1}


def test_a_month_that_is_not_there_is_refused(tmp_path: Path) -> None:
    duck = Duck(tmp_path / "taxi.duckdb")
    with pytest.raises(ConfigError, match="green-2021-01 is not loaded into green_trips"):
        inspect_table(duck.loader, GREEN, "green_trips")
    duck.load(trips({}), TripFile("green", 2021, 2))
    with pytest.raises(ConfigError, match="green-2021-01 is not loaded") as error:
        inspect_table(duck.loader, GREEN, "green_trips")
    assert "--source" in error.value.hint


def test_a_month_replaced_meanwhile_is_no_report_of_either(tmp_path: Path) -> None:
    duck = Duck(tmp_path / "taxi.duckdb")
    duck.load(trips({}))

    class Replacing(DuckDBLoader):
        """The warehouse, in which somebody else loads the month between two questions."""

        def query(self, statement: str) -> AbstractContextManager[pa.RecordBatchReader]:
            duck.load(trips({}, {}), GREEN, force=True)
            return super().query(statement)

    duck.load(trips({}), GREEN)
    with pytest.raises(TryLaterError, match="green-2021-01 in green_trips was replaced"):
        inspect_table(Replacing(DuckDBProfile(path=duck.path)), GREEN, "green_trips")


def test_a_synthetic_month(any_warehouse: Duck | Postgres, tmp_path: Path) -> None:
    path = tmp_path / "green_tripdata_2021-01.parquet"
    write(path, "green", 2021, 1, rows=3_000)
    table = _contract(pq.read_table(path))

    found = found_in(any_warehouse, table.to_batches(max_chunksize=1000))

    _compare(found, table)


def test_a_real_month(tlc_data: Path, any_warehouse: Duck | Postgres) -> None:
    path = tlc_data / "whole-months" / "green_tripdata_2021-01.parquet"
    table = _contract(pq.read_table(path))

    found = found_in(any_warehouse, table.to_batches(max_chunksize=20_000))

    _compare(found, table)
    told = counted(found)
    # Counted by hand: 3 pick-ups of other months, 134 negative sums, 128 of them reversals.
    assert (told["outside_month"], told["negative_total"], told["exact_reversals"]) == (3, 134, 128)
    assert "duplicates" not in told


def _contract(table: pa.Table) -> pa.Table:
    """The file's rows in the contract's columns, its own names being the contract's."""
    schema = arrow_schema(dataset("green"))
    columns = [
        table.column(each.name).cast(each.type)
        if each.name in table.schema.names
        else pa.nulls(table.num_rows, each.type)
        for each in schema
    ]
    return pa.table(columns, schema=schema)


def _compare(found: Quality, table: pa.Table) -> None:
    rows = table.num_rows
    values = {name: table.column(name).to_pylist() for name in table.schema.names}
    assert found.rows == rows
    for column in found.columns:
        _compare_column(column, [each for each in values[column.name] if each is not None], rows)
    starts, ends = values["lpep_pickup_datetime"], values["lpep_dropoff_datetime"]
    assert list(found.hours) == [sum(each.hour == hour for each in starts) for hour in range(24)]
    days = Counter(f"{each:%Y-%m-%d}" for each in starts if (each.year, each.month) == (2021, 1))
    assert dict(found.days) == dict(sorted(days.items()))
    lengths = [(end - start).total_seconds() for start, end in zip(starts, ends, strict=True)]
    assert found.duration_seconds == _quantiles(lengths)
    histograms = {each.name: each for each in found.histograms}
    for name, measured in (
        ("duration", lengths),
        ("distance", values["trip_distance"]),
        ("total", values["total_amount"]),
    ):
        drawn = histograms[name]
        places = Counter(min(max(math.floor(each / drawn.width), -1), BINS) for each in measured)
        assert [drawn.below, *drawn.rows, drawn.beyond] == [
            places[place] for place in range(-1, BINS + 1)
        ]


def _compare_column(column: ColumnQuality, values: list[Any], rows: int) -> None:
    kind = dataset("green").columns[dataset("green").column_names.index(column.name)].kind
    assert column.nulls == rows - len(values), column.name
    assert column.null_share == column.nulls / rows
    if kind in (Kind.MONEY, Kind.MILES, Kind.COUNT):
        assert (column.quantiles or {}) == _quantiles(values), column.name
    if kind is Kind.MONEY:
        assert column.negative == sum(each < 0 for each in values)
    if kind in (Kind.CODE, Kind.COUNT) and values:
        assert (column.min, column.max) == (min(values), max(values))
    if kind is Kind.TIME:
        assert (column.min, column.max) == (str(min(values)), str(max(values)))
    if kind in (Kind.CODE, Kind.TEXT) and values:
        frequent = Counter(str(each) for each in values)
        assert column.distinct == len(frequent)
        assert [count for _, count in column.values or ()] == [
            count for _, count in frequent.most_common(12)
        ]
        assert all(frequent[value] == count for value, count in column.values or ())


def _quantiles(values: list[Any]) -> dict[str, Any]:
    ordered = sorted(values)
    places = {share: math.ceil(Fraction(share) * len(ordered)) for share in QUANTILES}
    return {share: ordered[max(place - 1, 0)] for share, place in places.items()} if values else {}


class TestFiles:
    def test_a_file_has_the_quality_of_the_table_it_makes(self, home: Path, tmp_path: Path) -> None:
        path = tmp_path / "green_tripdata_2021-01.parquet"
        write(path, "green", 2021, 1, rows=500)
        table = _contract(pq.read_table(path))
        loaded = found_in(Duck(tmp_path / "taxi.duckdb"), table.to_batches())

        found = inspect_file(str(path), GREEN)

        assert (found.origin, found.target, found.table) == ("file", path.as_uri(), None)
        assert (found.rows, found.findings) == (loaded.rows, loaded.findings)
        assert (found.columns, found.days) == (loaded.columns, loaded.days)
        assert list((home / "cache").iterdir()) == []

    def test_lines_that_cannot_be_taken_apart_are_counted(self, home: Path, tmp_path: Path) -> None:
        path = tmp_path / "green_tripdata_2021-01.csv"
        write(path, "green", 2021, 1, rows=50)
        path.write_text(path.read_text() + "1,2,3\n4,5\n")

        found = inspect_file(str(path), GREEN)

        assert (found.rows, found.load.rows_rejected) == (50, 2)

    def test_what_is_no_trip_file_is_refused_and_leaves_nothing(
        self, home: Path, tmp_path: Path
    ) -> None:
        path = tmp_path / "page.csv"
        path.write_text("<html></html>")

        with pytest.raises(SourceError, match="HTML"):
            inspect_file(str(path), GREEN)

        assert list((home / "cache").iterdir()) == []

    @pytest.mark.parametrize(
        ("name", "rows"),
        [
            ("first-100-lines/yellow_tripdata_2009-01.csv", 98),
            ("first-100-lines/yellow_tripdata_2014-05.csv", 98),
            ("first-100-lines/yellow_tripdata_2016-07.csv", 99),
            ("first-100-lines/green_tripdata_2013-09.csv", 98),
            ("whole-months/green_tripdata_2025-01.parquet", 48_326),
        ],
    )
    def test_every_era_is_read(self, home: Path, tlc_data: Path, name: str, rows: int) -> None:
        color, _, month = Path(name).stem.split("_")
        of = TripFile(color, int(month[:4]), int(month[5:]))

        found = inspect_file(str(tlc_data / name), of)

        assert found.rows == rows
        assert found.duration_seconds["0.5"] > 0
        total = next(each for each in found.columns if each.name == "total_amount")
        assert total.quantiles
        assert total.quantiles["0.5"] > 0


def test_a_month_without_times_sums_and_distances_has_no_charts(tmp_path: Path) -> None:
    batch = pa.RecordBatch.from_pylist([{"VendorID": 1}], arrow_schema(dataset("green")))

    found = found_in(Duck(tmp_path / "taxi.duckdb"), [batch])

    assert counted(found) == {}
    assert (found.days, found.hours, found.histograms) == ({}, (), ())
    assert found.duration_seconds == {}
