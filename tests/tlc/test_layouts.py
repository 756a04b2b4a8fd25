"""Which era a file is of, told by the names of its columns and its month."""

from __future__ import annotations

import pytest

from taxietl.errors import ConfigError, SchemaError, UnknownNameError
from taxietl.tlc.column_rules import ColumnRules, NewColumns
from taxietl.tlc.eras import ERAS, Era
from taxietl.tlc.layouts import match
from taxietl.tlc.trip_file import TripFile


def era(name: str) -> Era:
    return next(each for each in ERAS if each.name == name)


def month(color: str, year: int, number: int) -> TripFile:
    return TripFile(color, year, number)


GREEN = era("green 2019").published
GREEN_2021 = month("green", 2021, 1)


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (month("yellow", 2009, 12), "yellow 2009"),
        (month("yellow", 2010, 1), "yellow 2010"),
        (month("yellow", 2014, 12), "yellow 2010"),
        (month("yellow", 2015, 1), "yellow 2015"),
        (month("yellow", 2016, 6), "yellow 2015"),
        (month("yellow", 2016, 7), "yellow 2016-07"),
        (month("yellow", 2018, 12), "yellow 2016-07"),
        (month("yellow", 2019, 1), "yellow 2019"),
        (month("green", 2013, 8), "green 2013"),
        (month("green", 2015, 1), "green 2015"),
        (month("green", 2016, 7), "green 2016-07"),
        (month("green", 2019, 1), "green 2019"),
        (month("green", 2025, 1), "green 2025"),
        (month("fhv", 2015, 1), "fhv 2015"),
        (month("fhv", 2016, 12), "fhv 2015"),
        (month("fhv", 2017, 1), "fhv 2017"),
        (month("fhv", 2017, 6), "fhv 2017"),
        (month("fhv", 2017, 7), "fhv 2017-07"),
        (month("fhv", 2018, 1), "fhv 2018"),
        (month("fhv", 2018, 12), "fhv 2018"),
        (month("fhv", 2019, 1), "fhv 2019"),
        (month("fhvhv", 2019, 2), "fhvhv 2019"),
        (month("fhvhv", 2025, 1), "fhvhv 2025"),
        (month("fhvhv", 2021, 6), "fhvhv 2021, DataTalksClub"),
        (month("yellow", 2018, 3), "yellow, Azure Open Datasets"),
        (month("green", 2014, 3), "green, Azure Open Datasets"),
        (month("fhv", 2016, 3), "fhv, Azure Open Datasets"),
    ],
    ids=str,
)
def test_the_csv_of_a_month_is_of_its_era(of: TripFile, expected: str) -> None:
    assert match(era(expected).published, of).era.name == expected


@pytest.mark.parametrize("of", [(2011, 1), (2016, 3), (2018, 6), (2022, 4)], ids=str)
def test_old_months_were_published_anew_with_later_names(of: tuple[int, int]) -> None:
    layout = match(era("yellow Parquet").published, TripFile("yellow", *of))

    assert layout.era.name == "yellow Parquet"
    assert layout.absent == ()


@pytest.mark.parametrize(
    ("names", "of", "absent"),
    [
        pytest.param("yellow 2019", month("yellow", 2021, 1), (), id="csv-of-2021"),
        pytest.param("yellow 2010", month("yellow", 2012, 1), (), id="csv-of-2012"),
        pytest.param("green 2019", month("green", 2014, 1), (), id="parquet-of-2014"),
        pytest.param("yellow 2019", month("yellow", 2023, 1), ("airport_fee",), id="2023"),
        pytest.param(
            "yellow 2019",
            month("yellow", 2025, 2),
            ("airport_fee", "cbd_congestion_fee"),
            id="two-of-2025",
        ),
        pytest.param("green 2019", month("green", 2025, 2), ("cbd_congestion_fee",), id="green"),
        pytest.param("yellow 2025", month("yellow", 2026, 6), ("request_source",), id="2026"),
        pytest.param("yellow 2026-06", month("yellow", 2026, 6), (), id="all-of-2026"),
        pytest.param("fhv 2015", month("fhv", 2015, 1), (), id="fhv-csv-of-2015"),
        pytest.param("fhv 2019", month("fhv", 2020, 1), (), id="fhv-csv-of-2020"),
        pytest.param(
            "fhv 2019", month("fhv", 2023, 1), ("Affiliated_base_number",), id="fhv-of-2023"
        ),
        pytest.param("fhvhv 2019", month("fhvhv", 2020, 1), (), id="fhvhv-csv-of-2020"),
        pytest.param(
            "fhvhv Parquet", month("fhvhv", 2025, 2), ("cbd_congestion_fee",), id="fhvhv-of-2025"
        ),
    ],
)
def test_columns_that_such_a_month_should_have_are_told(
    names: str, of: TripFile, absent: tuple[str, ...]
) -> None:
    assert match(era(names).published, of).absent == absent


def test_a_known_column_that_comes_early_is_taken() -> None:
    published = [*era("yellow 2019").published, "Airport_fee"]

    layout = match(published, month("yellow", 2021, 1))

    assert layout.columns["airport_fee"] == "Airport_fee"
    assert layout.new_columns == ()


def test_columns_that_nobody_knows_are_told_as_spelt() -> None:
    layout = match([*era("green 2019").published, " Mood"], month("green", 2021, 1))

    assert layout.new_columns == (" Mood",)


@pytest.mark.parametrize("name", ["", "__index_level_0__", "Unnamed: 0", "source_month"])
def test_what_is_no_data_of_the_tlc_s_is_left_out(name: str) -> None:
    layout = match([name, *era("green 2019").published], month("green", 2021, 1))

    assert layout.new_columns == ()
    assert name not in layout.columns.values()


class TestRefusals:
    def test_a_missing_column_is_named_as_the_contract_spells_it(self) -> None:
        published = [name for name in era("green 2019").published if name != "pulocationid"]

        with pytest.raises(
            SchemaError, match=r"The file is no green-2021-01: it has no PULocationID\."
        ):
            match(published, month("green", 2021, 1))

    def test_where_the_published_name_differs_both_are_told(self) -> None:
        published = era("yellow 2009").published[1:]

        with pytest.raises(SchemaError, match=r"no VendorID \(published as vendor_name\)"):
            match(published, month("yellow", 2009, 1))

    def test_columns_of_another_era_are_told_to_be_those(self) -> None:
        with pytest.raises(SchemaError, match="these are the columns of 'yellow 2009'"):
            match(era("yellow 2009").published, month("yellow", 2019, 1))

    def test_columns_of_another_colour_are_told_to_be_those(self) -> None:
        with pytest.raises(SchemaError, match="these are the columns of 'green 2019'"):
            match(era("green 2019").published, month("yellow", 2021, 1))

    def test_unknown_columns_are_listed_up_to_ten(self) -> None:
        published = [*era("green 2019").published[1:], *(f"{'x' * 99}{n}" for n in range(12))]

        with pytest.raises(SchemaError, match=r"unknown are (x{40}…, ){9}x{40}… and 2 more\.$"):
            match(published, month("green", 2021, 1))

    @pytest.mark.parametrize("again", ["vendorid", " VendorID "])
    def test_a_column_that_stands_there_twice(self, again: str) -> None:
        with pytest.raises(SchemaError, match="one column twice: VendorID, "):
            match(["VendorID", *era("green 2019").published[1:], again], month("green", 2021, 1))

    def test_a_column_under_an_old_name_and_a_new_one(self) -> None:
        with pytest.raises(SchemaError, match="one column twice: fare_amt, fare_amount"):
            match([*era("yellow 2009").published, "fare_amount"], month("yellow", 2009, 1))

    def test_the_csv_of_fhvhv_is_of_no_month_that_was_never_one(self) -> None:
        with pytest.raises(SchemaError, match="these are the columns of 'fhvhv 2019'"):
            match(era("fhvhv 2019").published, month("fhvhv", 2023, 1))

    def test_names_known_elsewhere_are_told_as_renames_to_paste(self) -> None:
        published = [RENAMED.get(name, name) for name in era("yellow 2019").published]

        with pytest.raises(SchemaError) as error:
            match(published, month("yellow", 2019, 1))

        for name, other in RENAMED.items():
            known = era("yellow 2019").dataset.column_names
            assert (
                f"--rename {other}={next(e for e in known if e.lower() == name)}"
                in error.value.hint
            )


RENAMED = {
    "vendorid": "vendor_id",
    "tpep_pickup_datetime": "pickup_datetime",
    "tpep_dropoff_datetime": "dropoff_datetime",
    "ratecodeid": "rate_code_id",
    "pulocationid": "pickup_location_id",
    "dolocationid": "dropoff_location_id",
}


class TestBothBaseColumnsOf2018:
    def test_the_second_stands_in_for_the_first(self) -> None:
        layout = match(era("fhv 2018").published, month("fhv", 2018, 1))

        assert layout.columns["dispatching_base_num"] == "dispatching_base_number"
        assert layout.spare == {"dispatching_base_num": "dispatching_base_num"}
        assert layout.new_columns == ()

    def test_the_second_may_be_missing(self) -> None:
        layout = match(era("fhv 2018").published[:-1], month("fhv", 2018, 1))

        assert layout.era.name == "fhv 2018"
        assert layout.spare == {}

    def test_the_second_may_be_said_to_be_another(self) -> None:
        rules = ColumnRules({"dispatching_base_num": "Affiliated_base_number"})

        layout = match(era("fhv 2018").published, month("fhv", 2018, 1), rules)

        assert layout.columns["Affiliated_base_number"] == "dispatching_base_num"
        assert layout.spare == {}


def test_what_azure_worked_out_from_the_pick_up_is_left_out() -> None:
    published = [*era("green, Azure Open Datasets").published, "puYear", "puMonth"]

    assert match(published, month("green", 2018, 1)).new_columns == ()


class TestRenames:
    def test_a_column_is_known_by_its_right_name_in_any_case(self) -> None:
        published = [" Provider " if name == "vendorid" else name for name in GREEN]

        layout = match(published, GREEN_2021, ColumnRules({"provider": "vendorID"}))

        assert layout.columns["VendorID"] == " Provider "
        assert layout.new_columns == ()

    def test_an_old_name_serves_as_well_as_today_s(self) -> None:
        published = ["by", *era("yellow 2009").published[1:]]

        layout = match(published, month("yellow", 2009, 1), ColumnRules({"by": "vendor_name"}))

        assert layout.columns["VendorID"] == "by"

    def test_a_new_column_may_be_one_of_another_era(self) -> None:
        layout = match([*GREEN, "toll"], GREEN_2021, ColumnRules({"toll": "cbd_congestion_fee"}))

        assert layout.columns["cbd_congestion_fee"] == "toll"

    def test_two_columns_may_not_be_one(self) -> None:
        with pytest.raises(SchemaError, match="one column twice: fee, extra"):
            match([*GREEN, "fee"], GREEN_2021, ColumnRules({"fee": "extra"}))
        with pytest.raises(SchemaError, match="one column twice: a, b"):
            match([*GREEN, "a", "b"], GREEN_2021, ColumnRules({"a": "extra", "b": "Extra"}))

    def test_the_new_name_has_to_be_known(self) -> None:
        with pytest.raises(UnknownNameError, match="no green column named 'VendrID'") as error:
            match(GREEN, GREEN_2021, ColumnRules({"vendorid": "VendrID"}))
        assert "Did you mean 'VendorID'?" in error.value.hint

    def test_the_old_one_has_to_be_there(self) -> None:
        with pytest.raises(ConfigError, match="green-2021-01 file has no column provider"):
            match(GREEN, GREEN_2021, ColumnRules({"provider": "VendorID"}))


class TestNewColumns:
    def test_they_may_be_left_out(self) -> None:
        layout = match([*GREEN, " Mood"], GREEN_2021, ColumnRules(new=NewColumns.IGNORE))

        assert layout.new_columns == ()
        assert layout.ignored == (" Mood",)

    def test_they_may_be_refused_by_name(self) -> None:
        with pytest.raises(SchemaError, match="columns that no era knows: Mood, Tune"):
            match([*GREEN, "Mood", "Tune"], GREEN_2021, ColumnRules(new=NewColumns.FAIL))

    def test_where_there_are_none_nothing_is_refused(self) -> None:
        assert match(GREEN, GREEN_2021, ColumnRules(new=NewColumns.FAIL)).new_columns == ()
