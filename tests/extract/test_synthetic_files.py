"""The files a synthetic month is written to: columns by era, equal forms, whole or not at all."""

from __future__ import annotations

import gzip
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxietl.errors import ConfigError, TargetError
from taxietl.extract.synthetic import batches, write

YELLOW = (
    "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,RatecodeID,"
    "store_and_fwd_flag,PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,"
    "tip_amount,tolls_amount,improvement_surcharge,total_amount,congestion_surcharge"
)
GREEN = (
    "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,store_and_fwd_flag,RatecodeID,"
    "PULocationID,DOLocationID,passenger_count,trip_distance,fare_amount,extra,mta_tax,tip_amount,"
    "tolls_amount,ehail_fee,improvement_surcharge,total_amount,payment_type,trip_type,"
    "congestion_surcharge"
)
# What a CSV leaves empty in the last block, and a Parquet file fills, or the other way round.
FILLED_OTHERWISE = {
    "yellow": {"VendorID", "payment_type", "congestion_surcharge"},
    "green": {"VendorID"},
}


def schema(color: str, year: int, month: int) -> pa.Schema:
    return next(batches(color, year, month, rows=10)).schema


@pytest.mark.parametrize(
    ("color", "year", "month", "names"),
    [
        ("yellow", 2019, 1, YELLOW + ",airport_fee"),
        ("yellow", 2023, 1, YELLOW + ",airport_fee"),
        ("yellow", 2023, 2, YELLOW + ",Airport_fee"),
        ("yellow", 2025, 1, YELLOW + ",Airport_fee,cbd_congestion_fee"),
        ("yellow", 2026, 6, YELLOW + ",Airport_fee,cbd_congestion_fee,request_source"),
        ("green", 2019, 1, GREEN),
        ("green", 2024, 12, GREEN),
        ("green", 2025, 1, GREEN + ",cbd_congestion_fee"),
    ],
)
def test_parquet_has_the_names_of_its_month(color: str, year: int, month: int, names: str) -> None:
    assert ",".join(schema(color, year, month).names) == names


@pytest.mark.parametrize(
    ("color", "year", "month", "types"),
    [
        ("yellow", 2020, 7, {"airport_fee": "null"}),
        ("yellow", 2020, 8, {"airport_fee": "double"}),
        ("yellow", 2020, 10, {"airport_fee": "null"}),
        ("yellow", 2021, 1, {"VendorID": "int64", "passenger_count": "double"}),
        ("yellow", 2021, 1, {"payment_type": "int64", "store_and_fwd_flag": "string"}),
        ("yellow", 2021, 1, {"tpep_pickup_datetime": "timestamp[us]", "airport_fee": "double"}),
        ("yellow", 2023, 1, {"PULocationID": "int64", "RatecodeID": "double"}),
        ("yellow", 2023, 2, {"PULocationID": "int32", "RatecodeID": "int64"}),
        ("yellow", 2023, 2, {"store_and_fwd_flag": "large_string", "Airport_fee": "double"}),
        ("green", 2023, 1, {"VendorID": "int64", "payment_type": "double", "ehail_fee": "null"}),
        ("green", 2023, 1, {"trip_type": "double", "congestion_surcharge": "double"}),
        ("green", 2023, 2, {"VendorID": "int32", "payment_type": "int64", "ehail_fee": "double"}),
        ("green", 2023, 2, {"trip_type": "int64", "store_and_fwd_flag": "large_string"}),
    ],
)
def test_parquet_has_the_types_of_its_month(
    color: str, year: int, month: int, types: dict[str, str]
) -> None:
    found = schema(color, year, month)

    assert {name: str(found.field(name).type) for name in types} == types


@pytest.mark.parametrize(
    ("color", "year", "month", "fee", "filled"),
    [
        ("yellow", 2021, 1, "airport_fee", 0.0),
        ("yellow", 2021, 4, "airport_fee", 1.25),
        ("yellow", 2025, 1, "cbd_congestion_fee", 0.75),
        ("green", 2025, 1, "cbd_congestion_fee", 0.75),
        ("green", 2025, 1, "ehail_fee", 0.0),
    ],
)
def test_a_fee_is_charged_from_its_month_on(
    color: str, year: int, month: int, fee: str, filled: float
) -> None:
    values = next(batches(color, year, month, rows=2_000))[fee].to_pylist()

    assert max((value or 0.0) for value in values) == filled


@pytest.mark.parametrize(("color", "header"), [("yellow", YELLOW), ("green", GREEN)])
def test_csv_begins_with_the_published_header(tmp_path: Path, color: str, header: str) -> None:
    path = tmp_path / "trips.csv"
    write(path, color, 2021, 1, rows=20)

    assert path.read_bytes().split(b"\n")[0] == header.encode()


def test_csv_is_written_the_way_the_tlc_writes(tmp_path: Path) -> None:
    path = tmp_path / "trips.csv"
    write(path, "yellow", 2021, 1, rows=20_000)
    lines = path.read_bytes().decode("ascii").split("\n")
    cells = [line.split(",") for line in lines[1:-1]]
    distances = {row[4] for row in cells}
    money = {cell for row in cells for cell in row[10:]}

    assert lines[-1] == ""
    assert '"' not in path.read_text()
    assert "\r" not in path.read_text()
    assert {".50", "1.00", "2.10"} <= distances  # two decimals, no zero before the point
    assert {"8", "0.5", "2.5", "-2.5", "0"} <= money  # the shortest form
    assert {row[1][:8] for row in cells} >= {"2021-01-"}
    assert [len(row) for row in cells] == [18] * 20_000
    empty = {at for at, cell in enumerate(cells[-1]) if cell == ""}
    assert empty == {0, 3, 5, 6, 9}  # vendor, passengers, rate, flag, payment


def test_csv_gz_is_the_csv_compressed_and_the_same_on_every_run(tmp_path: Path) -> None:
    plain, one, two = (tmp_path / name for name in ("a.csv", "b.csv.gz", "c.csv.gz"))
    for path in (plain, one, two):
        write(path, "green", 2021, 1, rows=5_000)

    assert gzip.decompress(one.read_bytes()) == plain.read_bytes()
    assert one.read_bytes() == two.read_bytes()
    assert one.read_bytes()[3:8] == bytes(5)  # neither a name nor a time


@pytest.mark.parametrize("color", ["yellow", "green"])
@pytest.mark.parametrize("month", [(2021, 1), (2023, 2), (2025, 1)], ids=str)
def test_csv_and_parquet_hold_the_same_trips(
    tmp_path: Path, color: str, month: tuple[int, int]
) -> None:
    csv, parquet = tmp_path / "trips.csv", tmp_path / "trips.parquet"
    for path in (csv, parquet):
        write(path, color, *month, rows=30_000)
    names = (YELLOW if color == "yellow" else GREEN).split(",")
    in_both = [name for name in names if name not in FILLED_OTHERWISE[color]]

    with duckdb.connect() as connection:
        for block, columns in (("NOT NULL", names), ("NULL", in_both)):
            from_csv = values(
                f"read_csv('{csv}', header = true, all_varchar = true)", block, columns
            )
            from_parquet = values(f"'{parquet}'", block, columns)
            assert connection.execute(f"SELECT count(*) > 0 FROM ({from_csv})").fetchall() == [
                (True,)
            ]
            for left, right in ((from_csv, from_parquet), (from_parquet, from_csv)):
                assert connection.execute(f"({left}) EXCEPT ALL ({right})").fetchall() == []


def values(reader: str, block: str, columns: list[str]) -> str:
    """SQL for the rows of one block, numbers as doubles whatever the form has them as."""
    typed = [f'"{name}"::{sql_type(name)}' for name in columns]
    return f"SELECT {', '.join(typed)} FROM {reader} WHERE passenger_count IS {block}"


def sql_type(name: str) -> str:
    if name == "store_and_fwd_flag":
        return "VARCHAR"
    return "TIMESTAMP" if name.endswith("datetime") else "DOUBLE"


def test_parquet_names_the_vendors_of_the_last_block(tmp_path: Path) -> None:
    path = tmp_path / "trips.parquet"
    write(path, "yellow", 2021, 1, rows=2_000)
    last = pq.read_table(path).slice(1_900)

    assert set(last["VendorID"].to_pylist()) == {1, 2}
    assert set(last["payment_type"].to_pylist()) == {0}
    assert last["congestion_surcharge"].null_count == 100


def test_row_groups_stay_under_a_million_rows(tmp_path: Path) -> None:
    path = tmp_path / "trips.parquet"
    write(path, "yellow", 2021, 1)
    file = pq.ParquetFile(path).metadata

    assert max(file.row_group(at).num_rows for at in range(file.num_row_groups)) <= 1_000_000


def test_write_returns_the_number_of_rows(tmp_path: Path) -> None:
    path = tmp_path / "trips.parquet"

    assert write(path, "green", 2021, 1, rows=1_234) == 1_234
    assert pq.ParquetFile(path).metadata.num_rows == 1_234


def test_an_existing_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "trips.csv"
    path.write_text("old")
    write(path, "green", 2021, 1, rows=10)

    assert len(path.read_text().splitlines()) == 11
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["trips.txt", "trips", "trips.gz", "trips.csv.zip"])
def test_an_ending_that_names_no_form_is_a_configuration_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        write(tmp_path / name, "green", 2021, 1, rows=10)

    assert ".csv.gz" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_a_target_error_that_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="does not exist") as caught:
        write(tmp_path / "no" / "trips.csv", "green", 2021, 1, rows=10)

    assert f"mkdir -p {tmp_path / 'no'}" in caught.value.hint


def test_a_folder_in_the_files_place_is_a_target_error_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "trips.csv"
    path.mkdir()

    with pytest.raises(TargetError, match="it is a folder"):
        write(path, "green", 2021, 1, rows=10)

    assert list(tmp_path.iterdir()) == [path]
    assert path.is_dir()


@contextmanager
def files_limited_to(size_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size, as on a disk that runs full."""
    resource = pytest.importorskip("resource", reason="limits are POSIX")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet"])
def test_a_disk_that_runs_full_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"trips.{ending}"
    path.write_text("old")

    with files_limited_to(100_000), pytest.raises(TargetError) as caught:
        write(path, "yellow", 2021, 1, rows=50_000)

    assert caught.value.hint
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
