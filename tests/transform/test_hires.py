"""Files of for-hire vehicles: padded licences, two columns for one base, little else."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxietl.errors import SchemaError
from taxietl.steps.values import Note
from taxietl.tlc.column_rules import ColumnRules
from taxietl.tlc.trip_file import TripFile

FHV_2015 = TripFile("fhv", 2015, 1)
FHV_2018 = TripFile("fhv", 2018, 2)
FHV_2019 = TripFile("fhv", 2019, 1)
FHV_2020 = TripFile("fhv", 2020, 4)

BOTH = (
    "Pickup_DateTime,DropOff_datetime,PUlocationID,DOlocationID,SR_Flag,Dispatching_base_number,"
    "Dispatching_base_num"
)
HEADER = "dispatching_base_num,pickup_datetime,dropoff_datetime,PULocationID,DOLocationID,SR_Flag"
TIMES = "2019-01-01 00:30:00,2019-01-01 00:40:00"
MOMENT = datetime(2019, 1, 1, 0, 30)


def fhv_parquet(folder: Path, **columns: pa.Array) -> Path:
    """One row as the Parquet files of fhv have it, or these columns instead."""
    path = folder / "fhv.parquet"
    rows = len(next(iter(columns.values())))
    arrays = {
        "dispatching_base_num": pa.array(["B00001"] * rows),
        "pickup_datetime": pa.array([MOMENT] * rows, pa.timestamp("us")),
        "dropOff_datetime": pa.array([MOMENT] * rows, pa.timestamp("us")),
        "PUlocationID": pa.array([1.0] * rows),
        "DOlocationID": pa.array([None] * rows, pa.float64()),
        "SR_Flag": pa.nulls(rows),
        "Affiliated_base_number": pa.array(["B00002"] * rows),
    }
    pq.write_table(pa.table(arrays | columns), path)
    return path


def both(number: str, num: str) -> str:
    """A row of 2018, quoted as they are."""
    cells = (*TIMES.split(","), "1", "2", "", number, num)
    return ",".join(f'"{each}"' for each in cells)


def test_until_2016_a_trip_has_a_base_a_moment_and_perhaps_a_place(trips: Any) -> None:
    lines = ("B00013,2015-01-01 00:30:00,", "B00014,2015-01-01 01:22:00,264")
    path = trips.csv(*lines, header="Dispatching_base_num,Pickup_date,locationID", end="\r\n")

    cleaned = trips.clean(path, FHV_2015)

    assert cleaned.tally.era == "fhv 2015"
    assert cleaned.column("dispatching_base_num") == ["B00013", "B00014"]
    assert cleaned.column("PUlocationID") == [None, 264]
    assert cleaned.column("dropOff_datetime") == [None, None]


class TestLicences:
    @pytest.mark.parametrize(
        ("published", "loaded"),
        [
            pytest.param("B01124         ", "B01124", id="padded"),
            pytest.param(" B01124", "B01124", id="padded-before"),
            pytest.param("b00256", "b00256", id="lower-case-stays"),
            pytest.param("   ", None, id="blanks-alone"),
            pytest.param("", None, id="nothing"),
            pytest.param(r"\N", None, id="mysql"),
            pytest.param("NA", "NA", id="na-is-a-text"),
        ],
    )
    @pytest.mark.parametrize("form", ["csv", "csv-with-dirt", "parquet"])
    def test_blanks_around_them_go_and_nothing_else(
        self, trips: Any, tmp_path: Path, form: str, published: str, loaded: str | None
    ) -> None:
        if form == "parquet":
            column = pa.array([published, "B00001"], pa.large_string())
            path = fhv_parquet(tmp_path, dispatching_base_num=column)
        else:
            last = '"B0"0001' if form == "csv-with-dirt" else "B00001"
            path = trips.csv(f"{published},{TIMES},,,", f"{last},{TIMES},,,", header=HEADER)

        cleaned = trips.clean(path, FHV_2019)

        cleaned.assert_adds_up()
        assert cleaned.column("dispatching_base_num")[0] == loaded
        assert cleaned.tally.values_nulled == {}

    def test_other_texts_keep_their_blanks(self, trips: Any) -> None:
        header = f"{HEADER},mood"
        cleaned = trips.clean(trips.csv(f"B1,{TIMES},,,, fine ", header=header), FHV_2019)

        assert cleaned.column("mood") == [" fine "]

    def test_one_in_latin_1_is_text(self, trips: Any) -> None:
        cleaned = trips.clean(
            trips.csv(f"B\xe9,{TIMES},,,".encode("latin-1"), header=HEADER), FHV_2019
        )

        assert cleaned.column("dispatching_base_num") == ["Bé"]


class TestBothBaseColumnsOf2018:
    def test_the_second_stands_in_for_the_first(self, trips: Any) -> None:
        lines = [both("B02884", ""), both("", "B00002"), both("B1 ", "B1"), both("", "")]

        cleaned = trips.clean(trips.csv(*lines, header=BOTH), FHV_2018)

        cleaned.assert_adds_up()
        assert cleaned.column("dispatching_base_num") == ["B02884", "B00002", "B1", None]
        assert cleaned.tally.values_nulled == {}
        assert cleaned.tally.new_columns == {}

    def test_where_they_differ_the_second_is_noted(self, trips: Any) -> None:
        path = trips.csv(*[both("B1", "")] * 150, both("B1", "B2"), header=BOTH)

        cleaned = trips.clean(path, FHV_2018)

        assert cleaned.column("dispatching_base_num")[-1] == "B1"
        assert cleaned.tally.values_nulled == {"Dispatching_base_num": 1}
        reason = "differs from Dispatching_base_number, which was loaded"
        assert cleaned.tally.notes == (Note("value", 152, "Dispatching_base_num", reason, "B2"),)

    @pytest.mark.parametrize("second", ["B2", "NA", "-"])  # in a licence, texts as any other
    def test_where_they_differ_often_the_user_has_to_say_what_it_is(
        self, trips: Any, second: str
    ) -> None:
        path = trips.csv(*[both("B1", second)] * 3, header=BOTH)

        with pytest.raises(SchemaError, match="3 of 3 values of Dispatching_base_num") as error:
            trips.clean(path, FHV_2018)
        assert "--rename Dispatching_base_num=Affiliated_base_number" in error.value.hint

        rules = ColumnRules({"dispatching_base_num": "Affiliated_base_number"})
        cleaned = trips.clean(path, FHV_2018, rules=rules)
        assert cleaned.column("dispatching_base_num") == ["B1"] * 3
        assert cleaned.column("Affiliated_base_number") == [second] * 3


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        pytest.param(pa.array([264.0, None]), [264, None], id="double"),
        pytest.param(pa.array([264, None], pa.int64()), [264, None], id="int64"),
        pytest.param(pa.array([264, None], pa.int32()), [264, None], id="int32"),
        pytest.param(pa.nulls(2), [None, None], id="null"),
        pytest.param(pa.array(["264", "264.0"]), [264, 264], id="text"),
    ],
)
def test_zones_come_in_any_type(
    trips: Any, tmp_path: Path, ids: pa.Array, expected: list[int | None]
) -> None:
    cleaned = trips.clean(fhv_parquet(tmp_path, PUlocationID=ids), FHV_2020)

    assert cleaned.column("PUlocationID") == expected
    assert cleaned.tally.values_nulled == {}


@pytest.mark.parametrize("zone", ["264", "264.0"])
def test_zones_are_whole_or_floating_in_csv_by_the_month(trips: Any, zone: str) -> None:
    cleaned = trips.clean(trips.csv(f"B1,{TIMES},{zone},,1", header=HEADER), FHV_2019)

    assert cleaned.column("PUlocationID") == [264]
    assert cleaned.column("SR_Flag") == [1]


def test_a_re_packed_month_has_the_parquet_files_names(trips: Any) -> None:
    header = "dispatching_base_num,pickup_datetime,dropOff_datetime,PUlocationID,DOlocationID,"
    header += "SR_Flag,Affiliated_base_number"
    path = trips.csv(f"B00001,{TIMES},264.0,,,B00002", header=header, name="t.csv.gz")

    cleaned = trips.clean(path, FHV_2019)

    assert cleaned.tally.era == "fhv Parquet"
    assert cleaned.column("Affiliated_base_number") == ["B00002"]


def test_the_frozen_copy_of_fhvhv_has_the_columns_of_fhv(trips: Any) -> None:
    header = "dispatching_base_num,pickup_datetime,dropoff_datetime,PULocationID,DOLocationID,"
    header += "SR_Flag,Affiliated_base_number"
    lines = (f"B02764,{TIMES},174,18,N,B02764", f"B02510,{TIMES},32,254,Y,")
    path = trips.csv(*lines, header=header, name="t.csv.gz")

    cleaned = trips.clean(path, TripFile("fhvhv", 2021, 6))

    assert cleaned.tally.era == "fhvhv 2021, DataTalksClub"
    assert cleaned.tally.values_nulled == {}
    assert cleaned.column("SR_Flag") == [0, 1]
    assert cleaned.column("Affiliated_base_number") == ["B02764", None]
    assert cleaned.column("hvfhs_license_num") == [None, None]


def test_a_space_of_uber_s_is_no_value(trips: Any, tlc_data: Path) -> None:
    path = tlc_data / "samples" / "fhvhv_tripdatasample_2020-04.csv"

    cleaned = trips.clean(path, TripFile("fhvhv", 2020, 4))

    flags = set(
        zip(cleaned.column("hvfhs_license_num"), cleaned.column("access_a_ride_flag"), strict=True)
    )
    assert {flag for company, flag in flags if company == "HV0003"} == {None}
    assert {flag for company, flag in flags if company != "HV0003"} == {"N"}
    assert cleaned.tally.values_nulled == {}
