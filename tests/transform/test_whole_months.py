"""Whole real months, conformed, against DuckDB's own reading of the file.

The oracle uses none of our code: it reads every field as text, or the Parquet as it is, under the
names written here, and casts in SQL.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from taxietl.tlc.trip_file import TripFile

WHOLE = ("VendorID", "RatecodeID", "PULocationID", "DOLocationID", "passenger_count")
WHOLE += ("payment_type", "trip_type")
TIMES = ("lpep_pickup_datetime", "lpep_dropoff_datetime")
TEXT = ("store_and_fwd_flag",)
PLACES = ("pickup_longitude", "pickup_latitude", "dropoff_longitude", "dropoff_latitude")
MILES = ("trip_distance", *PLACES)

NAMES_2013 = (
    *("VendorID", *TIMES, *TEXT, "RatecodeID", *PLACES, "passenger_count", "trip_distance"),
    *("fare_amount", "extra", "mta_tax", "tip_amount", "tolls_amount", "ehail_fee"),
    *("total_amount", "payment_type", "trip_type"),
)
NAMES_2019 = (
    *("VendorID", *TIMES, *TEXT, "RatecodeID", "PULocationID", "DOLocationID", "passenger_count"),
    *("trip_distance", "fare_amount", "extra", "mta_tax", "tip_amount", "tolls_amount"),
    *("ehail_fee", "improvement_surcharge", "total_amount", "payment_type", "trip_type"),
    "congestion_surcharge",
)


def read_csv(path: Path, names: tuple[str, ...], *, skip: int, unnamed: int = 0) -> str:
    fields = (*names, *(f"unnamed_{place}" for place in range(unnamed)))
    columns = ", ".join(f"'{field}': 'VARCHAR'" for field in fields)
    return (
        f"read_csv('{path}', auto_detect = false, header = false, skip = {skip}, delim = ',', "
        f"quote = '', escape = '', nullstr = '', columns = {{{columns}}})"
    )


def sql_value(name: str) -> str:
    """The column as the contract has it, from whatever the file has."""
    if name in WHOLE:
        return f'"{name}"::DOUBLE::INTEGER'
    if name in TIMES:
        return f'"{name}"::TIMESTAMP'
    return f'"{name}"::VARCHAR' if name in TEXT else f'"{name}"::DOUBLE'


def facts(connection: duckdb.DuckDBPyConnection, table: str, name: str) -> dict[str, Any]:
    """Count, nulls, sum, least and greatest; of money the sum is in cents."""
    if name in TIMES:
        total = f'epoch_us("{name}")'
    elif name in WHOLE:
        total = f'"{name}"'
    elif name in TEXT:
        total = f'ascii("{name}")'
    elif name in MILES:
        total = f'"{name}"::DECIMAL(30, 15)'  # floats would add up by their order
    else:
        total = f'round("{name}" * 100)::BIGINT'
    row = connection.execute(
        f'SELECT count("{name}"), count(*) - count("{name}"), sum({total}), '
        f'min("{name}"), max("{name}") FROM {table}'
    ).fetchone()
    assert row is not None
    return dict(zip(("count", "nulls", "sum", "min", "max"), row, strict=True))


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
def test_a_whole_month_holds_what_duckdb_reads_from_its_file(
    trips: Any, tlc_data: Path, name: str, rows: int
) -> None:
    path = tlc_data / "whole-months" / name
    month = TripFile("green", int(name[15:19]), int(name[20:22]))

    cleaned = trips.clean(path, month)

    cleaned.assert_adds_up()
    assert cleaned.tally.rows_read == rows
    assert cleaned.tally.rows_rejected == 0
    assert cleaned.tally.values_nulled == {}
    with duckdb.connect() as connection:
        if name.endswith(".parquet"):
            source = f"read_parquet('{path}')"
        elif month.year == 2013:
            source = read_csv(path, NAMES_2013, skip=2, unnamed=2)
        else:
            source = read_csv(path, NAMES_2019, skip=1)
        published = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        names = [row[0] for row in published if not row[0].startswith("unnamed_")]
        values = ", ".join(f'{sql_value(each)} AS "{each}"' for each in names)
        connection.execute(f"CREATE TABLE expected AS SELECT {values} FROM {source}")
        connection.register("conformed", cleaned.table)

        for column in names:
            expected = facts(connection, "expected", column)
            assert facts(connection, "conformed", column) == expected, column
        for column in set(cleaned.table.column_names) - set(names):
            assert facts(connection, "conformed", column)["count"] == 0, column
        listed = ", ".join(f'"{each}"' for each in names)
        different = connection.execute(
            f"SELECT count(*) FROM (SELECT {listed} FROM expected "
            f"EXCEPT ALL SELECT {listed} FROM conformed)"
        ).fetchone()
        assert different == (0,)
