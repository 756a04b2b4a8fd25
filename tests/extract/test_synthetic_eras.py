"""Files of every era: they begin as the real ones do, and are the same on every run."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from taxietl.extract.synthetic import batches, write
from taxietl.tlc.datasets import DATASETS

FIRST_LINES = re.compile(rb"[^\n]*\n(?:\r?\n)*")
NAMED = re.compile(r"(\w+)_tripdata_(\d{4})-(\d\d)\.csv")

REAL = [
    *(f"first-100-lines/yellow_tripdata_{month}" for month in "2009-01 2010-02 2014-05".split()),
    *(f"first-100-lines/yellow_tripdata_{month}" for month in "2015-01 2016-01 2016-07".split()),
    "first-100-lines/yellow_tripdata_2017-01",
    *(f"first-100-lines/green_tripdata_{month}" for month in "2013-09 2015-07 2016-08".split()),
    *(f"first-1024-bytes/fhv_tripdata_{month}" for month in "2015-01 2017-01 2017-08".split()),
    *(f"first-1024-bytes/fhv_tripdata_{month}" for month in "2018-01 2019-01".split()),
    "first-1024-bytes/fhvhv_tripdata_2019-02",
]


def _beginning(content: bytes) -> bytes:
    """The header with its end, and the blank lines."""
    match = FIRST_LINES.match(content)
    assert match
    return match[0]


def _first_row(content: bytes) -> bytes:
    return content[len(_beginning(content)) :].partition(b"\n")[0]


@pytest.mark.parametrize("name", REAL)
def test_a_csv_begins_to_the_byte_as_the_real_one(
    tlc_data: Path, tmp_path: Path, name: str
) -> None:
    real = (tlc_data / f"{name}.csv").read_bytes()
    color, year, month = NAMED.fullmatch(Path(f"{name}.csv").name).groups()  # type: ignore[union-attr]
    path = tmp_path / "made.csv"

    write(path, color, int(year), int(month), rows=20)

    made = path.read_bytes()
    assert _beginning(made) == _beginning(real)
    for count in (b",", b'"', b"\r"):
        assert _first_row(made).count(count) == _first_row(real).count(count), count


@pytest.mark.parametrize("color", DATASETS)
@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet"])
def test_a_colour_s_first_month_is_the_same_on_every_run(
    tmp_path: Path, color: str, ending: str
) -> None:
    one, two, other = (tmp_path / f"{name}.{ending}" for name in ("one", "two", "other"))
    for path, seed in ((one, 7), (two, 7), (other, 8)):
        write(path, color, *DATASETS[color].first_month, rows=300, seed=seed)

    assert one.read_bytes() == two.read_bytes()
    assert one.read_bytes() != other.read_bytes()


@pytest.mark.parametrize(
    ("color", "month", "types"),
    [
        ("yellow", (2009, 1), {"Trip_Pickup_DateTime": "string", "Rate_Code": "double"}),
        ("yellow", (2010, 1), {"pickup_datetime": "string", "rate_code": "string"}),
        ("yellow", (2010, 2), {"rate_code": "int64", "__index_level_0__": "int64"}),
        ("yellow", (2011, 1), {"congestion_surcharge": "double", "airport_fee": "double"}),
        ("yellow", (2011, 2), {"congestion_surcharge": "null", "airport_fee": "null"}),
        ("yellow", (2014, 8), {"improvement_surcharge": "null"}),
        ("yellow", (2018, 6), {"passenger_count": "int64", "RatecodeID": "int64"}),
        ("yellow", (2018, 7), {"passenger_count": "double", "RatecodeID": "double"}),
        ("green", (2014, 1), {"passenger_count": "int64", "trip_type": "double"}),
        ("fhv", (2019, 12), {"PUlocationID": "double", "SR_Flag": "null"}),
        ("fhvhv", (2019, 2), {"wav_match_flag": "null", "airport_fee": "null"}),
        ("fhvhv", (2021, 1), {"PULocationID": "int64", "trip_time": "int64"}),
        ("fhvhv", (2026, 1), {"PULocationID": "int32", "cbd_congestion_fee": "double"}),
    ],
)
def test_parquet_types_drift_as_the_published_ones(
    color: str, month: tuple[int, int], types: dict[str, str]
) -> None:
    schema = next(batches(color, *month, rows=10)).schema

    assert {name: str(schema.field(name).type) for name in types} == types


def test_a_hire_company_other_than_uber_tells_less(tmp_path: Path) -> None:
    path = tmp_path / "made.parquet"
    write(path, "fhvhv", 2021, 1, rows=2000)

    told = duckdb.sql(
        "SELECT hvfhs_license_num = 'HV0003', count(originating_base_num) > 0, "
        f"count(on_scene_datetime) > 0, list_sort(list(DISTINCT access_a_ride_flag)) FROM '{path}' "
        "GROUP BY ALL ORDER BY ALL"
    ).fetchall()

    assert told == [(False, False, False, ["N"]), (True, True, True, [" "])]


def test_bases_are_padded_in_parquet_and_some_written_small_in_2017_01(tmp_path: Path) -> None:
    parquet, csv = tmp_path / "made.parquet", tmp_path / "made.csv"
    write(parquet, "fhv", 2017, 1, rows=2000)
    write(csv, "fhv", 2017, 1, rows=2000)

    bases = pq.read_table(parquet)["dispatching_base_num"].to_pylist()
    lines = csv.read_text().splitlines()[1:]

    assert {len(each) for each in bases if each} == {6, 15}
    assert {line[:1] for line in lines} == {"B", "b", ","}
