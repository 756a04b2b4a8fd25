"""Which era a file is of, told by the names of its columns and its month."""

from __future__ import annotations

import pytest

from taxietl.errors import SchemaError
from taxietl.tlc.eras import ERAS, Era, contract_name, match
from taxietl.tlc.trip_file import TripFile


def era(name: str) -> Era:
    return next(each for each in ERAS if each.name == name)


def month(color: str, year: int, number: int) -> TripFile:
    return TripFile(color, year, number)


@pytest.mark.parametrize("era", ERAS, ids=[each.name for each in ERAS])
class TestEveryEra:
    def test_each_name_is_of_one_column_of_the_contract(self, era: Era) -> None:
        columns = [contract_name(name, era.dataset) for name in era.published]

        assert None not in columns
        assert len(set(columns)) == len(columns)

    def test_it_has_what_every_trip_has(self, era: Era) -> None:
        assert {era.dataset.started_at, era.dataset.ended_at} <= era.contract.keys()
        assert {"VendorID", "passenger_count", "total_amount"} <= era.contract.keys()

    def test_a_file_of_its_first_month_is_known_by_its_names_in_any_case(self, era: Era) -> None:
        published = [f" {name.upper()}" for name in era.published]

        layout = match(published, TripFile(era.color, *era.since))

        assert set(layout.era.published) == set(era.published)
        assert sorted(layout.columns.values()) == sorted(published)
        assert layout.new_columns == ()

    def test_it_is_not_met_before_its_colour_s_first_month(self, era: Era) -> None:
        assert era.since >= era.dataset.first_month


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

    def test_a_colour_without_eras(self) -> None:
        with pytest.raises(SchemaError, match="fhv cannot be read by this version") as error:
            match(["dispatching_base_num"], month("fhv", 2019, 1))
        assert error.value.hint == "It reads those of yellow, green."
