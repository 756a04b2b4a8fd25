"""Every column of every whole real month, as loaded, against DuckDB's own reading of the file.

The oracle uses none of our code: it reads the file as text (or Parquet), under names written here.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import duckdb
import psycopg2
import pytest
from command import document

GREEN_2013 = (
    "VendorID lpep_pickup_datetime lpep_dropoff_datetime store_and_fwd_flag RatecodeID "
    "pickup_longitude pickup_latitude dropoff_longitude dropoff_latitude passenger_count "
    "trip_distance fare_amount extra mta_tax tip_amount tolls_amount ehail_fee total_amount "
    "payment_type trip_type"
).split()
GREEN_2020 = (
    "VendorID lpep_pickup_datetime lpep_dropoff_datetime store_and_fwd_flag RatecodeID "
    "PULocationID DOLocationID passenger_count trip_distance fare_amount extra mta_tax tip_amount "
    "tolls_amount ehail_fee improvement_surcharge total_amount payment_type trip_type "
    "congestion_surcharge"
).split()
TIMES = ("lpep_pickup_datetime", "lpep_dropoff_datetime")
MILES = (
    *("trip_distance", "pickup_longitude", "pickup_latitude"),
    *("dropoff_longitude", "dropoff_latitude"),
)
CODES = (
    *("VendorID", "RatecodeID", "PULocationID", "DOLocationID", "passenger_count"),
    *("payment_type", "trip_type"),
)


def _csv(path: Path, names: list[str], unnamed: int, skip: int) -> str:
    fields = [*names, *(f"unnamed{index}" for index in range(unnamed))]
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in fields)
    return (
        f"(SELECT * FROM read_csv('{path}', header = false, skip = {skip}, auto_detect = false, "
        f"delim = ',', quote = '', escape = '', nullstr = '', columns = {{{columns}}}))"
    )


def _source(folder: Path, name: str) -> str:
    path = folder / "whole-months" / name
    if name.startswith("green_tripdata_2013-08"):
        return _csv(path, GREEN_2013, unnamed=2, skip=2)
    if name.endswith(".csv.gz"):
        return _csv(path, GREEN_2020, unnamed=0, skip=1)
    return f"read_parquet('{path}')"


def _facts(column: str) -> str:
    """Count, nulls, sum, least and greatest of a column, whatever type it is read with."""
    name = f'"{column}"'
    if column in TIMES:
        value, total = f"{name}::TIMESTAMP", f"sum(epoch_us({name}::TIMESTAMP))"
    elif column == "store_and_fwd_flag":
        value, total = f"{name}::VARCHAR", f"sum(length({name}::VARCHAR))"
    elif column in CODES:
        value, total = f"{name}::DOUBLE", f"sum({name}::DOUBLE::BIGINT)"
    elif column in MILES:
        value, total = f"{name}::DOUBLE", f"sum({name}::DOUBLE::DECIMAL(30, 12))"
    else:
        value, total = f"{name}::DOUBLE", f"sum(round({name}::DOUBLE * 100)::BIGINT)"
    present, absent = f"count({value})", f"count(*) - count({value})"
    facts = (present, absent, total, f"min({value})", f"max({value})")
    return f"[{', '.join(f'({fact})::VARCHAR' for fact in facts)}]"


def _all_facts(connection: duckdb.DuckDBPyConnection, table: str, columns: list[str]) -> object:
    facts = ", ".join(f"{_facts(column)} AS {column}" for column in columns)
    row = connection.execute(f"SELECT {facts} FROM {table}").fetchone()
    assert row is not None
    return dict(zip(columns, row, strict=True))


def _copied(url: str, folder: Path) -> None:
    """Copy PostgreSQL's table into DuckDB, by PostgreSQL's own CSV, which gives floats exactly."""
    path = folder / "copied.csv"
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        with path.open("wb") as file:
            cursor.copy_expert(
                "COPY (SELECT * FROM green_trips) TO STDOUT (FORMAT csv, NULL '\\N')", file
            )
        cursor.execute(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
            "WHERE attrelid = 'green_trips'::regclass AND attnum > 0 ORDER BY attnum"
        )
        columns = ", ".join(f"'{column}': '{kind}'" for column, kind in cursor.fetchall())
    kinds = columns.replace("timestamp without time zone", "TIMESTAMP")
    with duckdb.connect(str(folder / "taxi.duckdb")) as connection:
        connection.execute(
            f"CREATE TABLE green_trips AS FROM read_csv('{path}', header = false, "
            f"auto_detect = false, nullstr = '\\N', columns = {{{kinds}}})"
        )


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("green_tripdata_2013-08.csv", 7_623),
        ("green_tripdata_2020-04.csv.gz", 35_612),
        ("green_tripdata_2021-01.parquet", 76_518),
        ("green_tripdata_2023-01.parquet", 68_211),
        ("green_tripdata_2023-02.parquet", 64_809),
        ("green_tripdata_2025-01.parquet", 48_326),
    ],
)
@pytest.mark.parametrize("to", ["duckdb", "postgres"])
def test_every_column_of_a_whole_month_is_as_in_its_file(
    tlc_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    name: str,
    rows: int,
    to: str,
) -> None:
    year, month = name[15:19], name[20:22]
    config = tmp_path / "taxietl.toml"
    config.write_text('[profiles.postgres]\ntype = "postgres"\nurl = { env = "TAXI_URL" }\n')
    url = request.getfixturevalue("warehouse") if to == "postgres" else ""

    monkeypatch.setenv("TAXI_URL", url)

    done = document(
        *("--home", tmp_path, "--config", config, "ingest"),
        *("--color", "green", "--year", year, "--month", month, "--transform", "none"),
        *("--source", tlc_data / "whole-months"),
        *(("--to", "postgres") if to == "postgres" else ()),
    )

    if to == "postgres":
        _copied(url, tmp_path)
    (report,) = done["months"]
    assert (report["rows_read"], report["rows_loaded"], report["rows_rejected"]) == (rows, rows, 0)
    assert report["values_nulled"] == {}
    source = _source(tlc_data, name)
    with duckdb.connect(str(tmp_path / "taxi.duckdb"), read_only=True) as connection:
        described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        columns = [str(each[0]) for each in described if not str(each[0]).startswith("unnamed")]
        assert len(columns) >= 20
        loaded = _all_facts(connection, "green_trips", columns)
        assert loaded == _all_facts(connection, source, columns)
        others = connection.execute(
            "SELECT column_name FROM (DESCRIBE green_trips) WHERE column_name NOT IN "
            f"({', '.join(repr(column) for column in columns)}, 'source_month')"
        ).fetchall()
        for (other,) in others:
            filled = connection.execute(f'SELECT count("{other}") FROM green_trips').fetchone()
            assert filled == (0,), other
        months = connection.execute("SELECT DISTINCT source_month::TEXT FROM green_trips")
        assert months.fetchall() == [(f"{year}-{month}-01",)]
