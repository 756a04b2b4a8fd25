"""What published files hold that a loader could stumble over: each is kept as it is.

docs/data.md has the same list, with what is done in words.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest

from taxietl.errors import SchemaError
from taxietl.tlc.trip_file import TripFile

Load = Callable[..., Any]

PICKUP, DROPOFF = "tpep_pickup_datetime", "tpep_dropoff_datetime"


@pytest.fixture(params=["csv", "csv-line-by-line", "parquet"])
def load(request: pytest.FixtureRequest, trips: Any) -> Load:
    """Loads three rows with these cells, in each form, and gives them."""

    def loaded(**cells: list[str]) -> Any:
        if request.param == "parquet":
            path = trips.parquet(**{name: _typed(name, texts) for name, texts in cells.items()})
        else:
            rows = [trips.line(**dict(zip(cells, each, strict=True))) for each in _rows(cells)]
            # Blanks before a number: a block that Arrow refuses, and that holds nothing wrong.
            dirt = [trips.line(RatecodeID=" 1.0 ")] if request.param == "csv-line-by-line" else []
            path = trips.csv(*rows, *dirt)
        cleaned = trips.clean(path)
        cleaned.assert_adds_up()
        assert cleaned.tally.values_nulled == {}
        assert cleaned.tally.rows_rejected == 0
        return cleaned.table.slice(0, 3)

    return loaded


def _rows(cells: dict[str, list[str]]) -> list[tuple[str, ...]]:
    return list(zip(*cells.values(), strict=True))


def _typed(name: str, texts: list[str]) -> pa.Array:
    if name.endswith("datetime"):
        return pa.array([datetime.fromisoformat(text) for text in texts], pa.timestamp("us"))
    if name == "store_and_fwd_flag":
        return pa.array(texts)
    return pa.array([float(text) for text in texts])


def test_pick_ups_of_other_months_belong_to_the_file(load: Load) -> None:
    times = ["2008-12-31 23:02:00", "2021-01-01 00:00:00", "2098-09-11 02:23:31"]

    table = load(**{PICKUP: times})

    assert table[PICKUP].to_pylist() == [datetime.fromisoformat(each) for each in times]


def test_a_reversal_and_what_it_reverses_both_stay(load: Load) -> None:
    table = load(total_amount=["11.8", "-11.8", "11.8"], fare_amount=["8", "-8", "8"])

    assert table["total_amount"].to_pylist() == [11.8, -11.8, 11.8]


def test_rows_alike_in_every_column_all_stay(load: Load) -> None:
    table = load(**{PICKUP: ["2021-01-01 00:30:10"] * 3, DROPOFF: ["2021-01-01 00:36:12"] * 3})

    assert table.num_rows == 3


def test_a_negative_fare_may_have_a_positive_total(load: Load) -> None:
    table = load(fare_amount=["-3.5", "8", "8"], total_amount=["12.4", "8", "8"])

    assert table["fare_amount"].to_pylist()[0] == -3.5


def test_absurd_distances_and_fares_stay(load: Load) -> None:
    table = load(trip_distance=["244152.01", "0", ".5"], fare_amount=["3569", "0", "998310.03"])

    assert table["trip_distance"].to_pylist() == [244152.01, 0.0, 0.5]
    assert table["fare_amount"].to_pylist() == [3569.0, 0.0, 998310.03]


def test_trips_that_end_before_they_begin_or_last_no_time_stay(load: Load) -> None:
    began = ["2021-01-31 10:00:00", "2021-01-01 10:00:00", "2021-01-01 10:00:00"]
    ended = ["2021-01-31 09:03:00", "2021-01-01 10:00:00", "2021-01-02 09:59:59"]

    table = load(**{PICKUP: began, DROPOFF: ended})

    assert table[DROPOFF].to_pylist() == [datetime.fromisoformat(each) for each in ended]


def test_the_hours_of_the_clock_changes_are_neither_shifted_nor_refused(load: Load) -> None:
    """01:30 was twice on 1 November 2020, and 02:30 was not on 8 March."""
    times = ["2020-11-01 01:30:00", "2020-11-01 01:30:00", "2020-03-08 02:30:00"]

    table = load(**{PICKUP: times})

    assert table[PICKUP].to_pylist() == [datetime.fromisoformat(each) for each in times]
    assert table[PICKUP].type == pa.timestamp("us")


def test_codes_that_no_dictionary_has_stay(load: Load) -> None:
    table = load(
        VendorID=["4", "6", "7"], RatecodeID=["99", "7", "1"], payment_type=["0", "6", "5"]
    )

    assert table["VendorID"].to_pylist() == [4, 6, 7]
    assert table["RatecodeID"].to_pylist() == [99, 7, 1]
    assert table["payment_type"].to_pylist() == [0, 6, 5]


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_na_is_a_text_and_not_nothing(trips: Any, name: str) -> None:
    lines = [f"{word},2015-01-01 00:00:00,217" for word in ("NA", "N/A", "null", "nan")]
    path = trips.csv(*lines, header="Dispatching_base_num,Pickup_date,locationID", name=name)

    cleaned = trips.clean(path, TripFile("fhv", 2015, 1))

    assert cleaned.column("dispatching_base_num") == ["NA", "N/A", "null", "nan"]


class TestCopiesOfOthers:
    """Dialects that the files come in from elsewhere."""

    def test_nyc_open_data_has_lower_case_names_and_a_t_in_its_times(self, trips: Any) -> None:
        line = trips.line(
            tpep_pickup_datetime="2019-10-23T16:39:42.000",
            tpep_dropoff_datetime="2019-10-23T17:14:10.000",
        )
        path = trips.csv(line, header=trips.header.lower())

        cleaned = trips.clean(path, TripFile("yellow", 2019, 10))

        assert cleaned.tally.era == "yellow 2019"
        assert cleaned.column(PICKUP) == [datetime(2019, 10, 23, 16, 39, 42)]

    def test_azure_has_camel_case_names_and_columns_of_its_own(self, trips: Any) -> None:
        header = (
            "vendorID,tpepPickupDateTime,tpepDropoffDateTime,passengerCount,tripDistance,"
            "puLocationId,doLocationId,startLon,startLat,endLon,endLat,rateCodeId,storeAndFwdFlag,"
            "paymentType,fareAmount,extra,mtaTax,improvementSurcharge,tipAmount,tollsAmount,"
            "totalAmount,puYear,puMonth"
        )
        line = (
            "CMT,2012-02-29 23:53:14,2012-03-01 00:00:43,1,2.1,,,-73.980494,40.730601,-73.983532,"
            "40.752311,1,N,CSH,7.3,0.5,0.5,,0,0,8.3,2012,3"
        )

        cleaned = trips.clean(trips.csv(line, header=header), TripFile("yellow", 2012, 2))

        assert cleaned.tally.era == "yellow, Azure Open Datasets"
        assert cleaned.tally.new_columns == {}
        assert cleaned.tally.absent_columns == ()
        assert cleaned.column("VendorID") == [1]
        assert cleaned.column("payment_type") == [2]
        assert cleaned.column("pickup_longitude") == [-73.980494]
        assert cleaned.column("total_amount") == [8.3]

    def test_pyarrow_quotes_texts_and_writes_parts_of_seconds(self, trips: Any) -> None:
        header = ",".join(f'"{name}"' for name in trips.header.split(","))
        line = trips.line(
            tpep_pickup_datetime="2021-01-01 00:30:10.000000", store_and_fwd_flag='"N"'
        )

        cleaned = trips.clean(trips.csv(line, header=header))

        assert cleaned.column(PICKUP) == [datetime(2021, 1, 1, 0, 30, 10)]
        assert cleaned.column("store_and_fwd_flag") == ["N"]

    @pytest.mark.parametrize(
        "time",
        [
            pytest.param("7/8/2021 22:56", id="either"),
            pytest.param("12.12.2020 23:59", id="with-dots"),
        ],
    )
    def test_whether_day_or_month_comes_first_is_not_guessed(self, trips: Any, time: str) -> None:
        path = trips.csv(*[trips.line(tpep_pickup_datetime=time)] * 3)

        with pytest.raises(SchemaError, match=f"3 of 3 values of {PICKUP}") as error:
            trips.clean(path)
        assert "begins with its day or its month" in error.value.hint
        assert "2020-12-31 23:59:00" in error.value.hint
