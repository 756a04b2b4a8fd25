"""What a published file holds, read by DuckDB's SQL alone, under names written down here.

None of our code is asked: neither which columns there are, nor what their texts mean.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import duckdb

_CODES = "VendorID RatecodeID PULocationID DOLocationID PUlocationID DOlocationID SR_Flag"
CODES = set(f"{_CODES} passenger_count payment_type trip_type trip_time".split())
LICENCES = set("hvfhs_license_num dispatching_base_num originating_base_num".split())
LICENCES |= {"Affiliated_base_number"}
FLAGS = set("shared_request_flag shared_match_flag access_a_ride_flag wav_request_flag".split())
FLAGS |= {"wav_match_flag", "request_source"}

OLD_NAMES = {
    "yellow": dict(
        pair.split("=")
        for pair in (
            "vendor_name=VendorID vendor_id=VendorID trip_pickup_datetime=tpep_pickup_datetime "
            "trip_dropoff_datetime=tpep_dropoff_datetime pickup_datetime=tpep_pickup_datetime "
            "dropoff_datetime=tpep_dropoff_datetime start_lon=pickup_longitude "
            "start_lat=pickup_latitude end_lon=dropoff_longitude end_lat=dropoff_latitude "
            "rate_code=RatecodeID store_and_forward=store_and_fwd_flag fare_amt=fare_amount "
            "surcharge=extra tip_amt=tip_amount tolls_amt=tolls_amount total_amt=total_amount"
        ).split()
    ),
    "green": {},
    "fhv": {
        "pickup_date": "pickup_datetime",
        "locationid": "PUlocationID",
        "dispatching_base_number": "dispatching_base_num",
    },
    "fhvhv": {},
}
"""Published names in lower case -> today's, where more than the case differs."""

_VENDORS = "WHEN 'CMT' THEN 1 WHEN 'VTS' THEN 2 WHEN 'DDS' THEN 3"
_YES_NO = "WHEN '0' THEN 'N' WHEN '0.0' THEN 'N' WHEN '1' THEN 'Y' WHEN '1.0' THEN 'Y'"
_PAYMENTS = (
    "WHEN 'CREDIT' THEN 1 WHEN 'CRE' THEN 1 WHEN 'CRD' THEN 1 WHEN 'CASH' THEN 2 "
    "WHEN 'CAS' THEN 2 WHEN 'CSH' THEN 2 WHEN 'NO CHARGE' THEN 3 WHEN 'NO' THEN 3 "
    "WHEN 'NOC' THEN 3 WHEN 'DISPUTE' THEN 4 WHEN 'DIS' THEN 4 WHEN 'UNK' THEN 5 WHEN 'NA' THEN 5"
)


def rows(path: Path, color: str, columns: list[str]) -> list[tuple[Any, ...]]:
    """The file's rows in the table's columns, in any order."""
    with duckdb.connect() as connection:
        source, names = (_parquet if path.suffix == ".parquet" else _csv)(connection, path)
        by_today = {}
        for name in names:
            plain = name.strip().lower()
            if plain == "dispatching_base_num" and "Dispatching_base_number" in names:
                continue  # the second of two, which is empty
            today = OLD_NAMES[color].get(plain, plain)
            by_today[today.lower()] = name
        listed = [
            _meaning(column, by_today[column.lower()]) if column.lower() in by_today else "NULL"
            for column in columns
        ]
        return connection.execute(f"SELECT {', '.join(listed)} FROM {source}").fetchall()


def _meaning(column: str, name: str) -> str:
    text = f'"{name}"::VARCHAR'
    if column == "VendorID":
        return f"CASE trim({text}) {_VENDORS} ELSE {text}::DOUBLE::INTEGER END"
    if column == "payment_type":
        return f"CASE upper(trim({text})) {_PAYMENTS} ELSE {text}::DOUBLE::INTEGER END"
    if column == "store_and_fwd_flag":
        return f"CASE {text} {_YES_NO} ELSE {text} END"
    if column in CODES:
        return f"{text}::DOUBLE::INTEGER"
    if column in LICENCES | FLAGS:
        return f"nullif(trim({text}), '')"
    return f"{text}::TIMESTAMP" if column.endswith("datetime") else f"{text}::DOUBLE"


def _parquet(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[str, list[str]]:
    source = f"read_parquet('{path}')"
    described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    return source, [str(each[0]) for each in described]


def _csv(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[str, list[str]]:
    content = path.read_bytes()
    lines = (gzip.decompress(content) if path.suffix == ".gz" else content).splitlines()
    names = lines[0].decode().replace('"', "").split(",")
    # DuckDB wants one kind of line end, and no blank lines before the first row.
    rows = path.with_name(f"{path.name}.rows")
    rows.write_bytes(b"".join(line + b"\n" for line in lines[1:] if line))
    spare = [f"unnamed {at}" for at in range(lines[-1].count(b",") + 1 - len(names))]
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in [*names, *spare])
    source = (
        f"read_csv('{rows}', header = false, auto_detect = false, delim = ',', quote = '\"', "
        f"escape = '\"', nullstr = ['', '\\N'], columns = {{{columns}}})"
    )
    return source, names
