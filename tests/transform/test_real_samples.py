"""Real files of every era: each value lands in its column.

The oracle is Python's csv module, and for each file the contract's columns in the file's order,
written down here by hand.
"""

from __future__ import annotations

import csv
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from taxietl.errors import SchemaError
from taxietl.tlc.trip_file import TripFile

YELLOW_TIMES = "tpep_pickup_datetime tpep_dropoff_datetime"
YELLOW_PLACES = (
    f"VendorID {YELLOW_TIMES} passenger_count trip_distance pickup_longitude pickup_latitude "
    "RatecodeID store_and_fwd_flag dropoff_longitude dropoff_latitude payment_type fare_amount "
    "extra mta_tax tip_amount tolls_amount"
)
YELLOW_ZONES = (
    f"VendorID {YELLOW_TIMES} passenger_count trip_distance RatecodeID store_and_fwd_flag "
    "PULocationID DOLocationID payment_type fare_amount extra mta_tax tip_amount tolls_amount "
    "improvement_surcharge total_amount"
)
GREEN_PLACES = (
    "VendorID lpep_pickup_datetime lpep_dropoff_datetime store_and_fwd_flag RatecodeID "
    "pickup_longitude pickup_latitude dropoff_longitude dropoff_latitude passenger_count "
    "trip_distance fare_amount extra mta_tax tip_amount tolls_amount ehail_fee"
)
GREEN_ZONES = (
    "VendorID lpep_pickup_datetime lpep_dropoff_datetime store_and_fwd_flag RatecodeID "
    "PULocationID DOLocationID passenger_count trip_distance fare_amount extra mta_tax tip_amount "
    "tolls_amount ehail_fee improvement_surcharge total_amount payment_type trip_type"
)

FIRST = "first-100-lines"
FILES = [
    (f"{FIRST}/yellow_tripdata_2009-01.csv", "yellow-2009-01", f"{YELLOW_PLACES} total_amount"),
    (f"{FIRST}/yellow_tripdata_2010-02.csv", "yellow-2010-02", f"{YELLOW_PLACES} total_amount"),
    (f"{FIRST}/yellow_tripdata_2014-05.csv", "yellow-2014-05", f"{YELLOW_PLACES} total_amount"),
    (
        f"{FIRST}/yellow_tripdata_2015-01.csv",
        "yellow-2015-01",
        f"{YELLOW_PLACES} improvement_surcharge total_amount",
    ),
    (
        f"{FIRST}/yellow_tripdata_2016-01.csv",
        "yellow-2016-01",
        f"{YELLOW_PLACES} improvement_surcharge total_amount",
    ),
    (f"{FIRST}/yellow_tripdata_2016-07.csv", "yellow-2016-07", YELLOW_ZONES),
    (f"{FIRST}/yellow_tripdata_2017-01.csv", "yellow-2017-01", YELLOW_ZONES),
    (
        f"{FIRST}/green_tripdata_2013-09.csv",
        "green-2013-09",
        f"{GREEN_PLACES} total_amount payment_type trip_type",
    ),
    (
        f"{FIRST}/green_tripdata_2015-07.csv",
        "green-2015-07",
        f"{GREEN_PLACES} improvement_surcharge total_amount payment_type trip_type",
    ),
    (f"{FIRST}/green_tripdata_2016-08.csv", "green-2016-08", GREEN_ZONES),
    (
        "samples/yellow_tripdatasample_2020-04.csv",
        "yellow-2020-04",
        f"{YELLOW_ZONES} congestion_surcharge airport_fee",
    ),
    (
        "samples/yellow_tripdata_sample.csv",
        "yellow-2019-06",
        f"{YELLOW_ZONES} congestion_surcharge",
    ),
]

WHOLE = ("VendorID", "RatecodeID", "PULocationID", "DOLocationID", "passenger_count")
WHOLE += ("payment_type", "trip_type")
WORDS = {
    "VendorID": {"CMT": 1, "VTS": 2, "DDS": 3},
    "payment_type": {
        "Credit": 1,
        "CREDIT": 1,
        "CRD": 1,
        "CRE": 1,
        "Cash": 2,
        "CASH": 2,
        "CAS": 2,
        "CSH": 2,
        "No Charge": 3,
        "NOC": 3,
        "No ": 3,
        "Dispute": 4,
        "DIS": 4,
        "NA ": 5,
        "UNK": 5,
    },
    "store_and_fwd_flag": {"0": "N", "1": "Y", "N": "N", "Y": "Y"},
}


def month_of(name: str) -> TripFile:
    color, year, month = name.split("-")
    return TripFile(color, int(year), int(month))


def meant(column: str, text: str) -> Any:
    if text == "":
        return None
    if text in WORDS.get(column, {}):
        return WORDS[column][text]
    if column in WHOLE:
        return int(text)
    return datetime.fromisoformat(text) if column.endswith("datetime") else float(text)


@pytest.mark.parametrize(("name", "month", "columns"), FILES, ids=[each[0] for each in FILES])
def test_every_value_lands_in_its_column(
    trips: Any, tlc_data: Path, name: str, month: str, columns: str
) -> None:
    path = tlc_data / name
    names = columns.split()
    with path.open(newline="") as file:
        rows = [row for row in list(csv.reader(file))[1:] if row]
    assert all(set(row[len(names) :]) <= {""} for row in rows)
    expected = {
        column: [meant(column, row[place]) for row in rows] for place, column in enumerate(names)
    }

    cleaned = trips.clean(path, month_of(month))

    cleaned.assert_adds_up()
    assert cleaned.tally.notes == ()
    assert cleaned.tally.new_columns == {}
    for column in cleaned.table.column_names:
        assert cleaned.column(column) == expected.get(column, [None] * len(rows)), column


def test_early_vendors_and_payments_become_the_numbers_of_today(trips: Any, tlc_data: Path) -> None:
    cleaned = trips.clean(
        tlc_data / FIRST / "yellow_tripdata_2009-01.csv", TripFile("yellow", 2009, 1)
    )

    assert Counter(cleaned.column("VendorID"))[3] == 15
    assert len(cleaned.column("VendorID")) == 98
    assert set(cleaned.column("VendorID")) == {1, 2, 3}
    assert set(cleaned.column("payment_type")) == {1, 2, 3}


def test_a_parquet_file_put_through_pandas_keeps_every_value(trips: Any, tlc_data: Path) -> None:
    path = tlc_data / "samples" / "yellow_tripdata_sample.parquet"

    cleaned = trips.clean(path, TripFile("yellow", 2025, 2))

    cleaned.assert_adds_up()
    with duckdb.connect() as connection:
        source = connection.sql(f"SELECT * FROM '{path}'")
        columns = [list(values) for values in zip(*source.fetchall(), strict=True)]
        published = dict(zip(source.columns, columns, strict=True))
    names = {name.lower(): name for name in published}
    known = [name for name in cleaned.table.column_names if name.lower() in names]
    assert len(known) == len(published) == 20
    for column in known:
        assert cleaned.column(column) == published[names[column.lower()]], column
    for column in set(cleaned.table.column_names) - set(known):
        assert set(cleaned.column(column)) == {None}, column


def test_a_file_whose_columns_were_renamed_is_refused(trips: Any, tlc_data: Path) -> None:
    path = tlc_data / "samples" / "yellow_tripdata_sample_2019-01.csv"

    with pytest.raises(SchemaError, match=r"has no VendorID.*unknown are .*pickup_location_id"):
        trips.clean(path, TripFile("yellow", 2019, 1))
