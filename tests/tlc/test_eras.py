"""Every era holds together: its names, its contract, its months."""

from __future__ import annotations

import pytest

from taxietl.tlc.datasets import DATASETS
from taxietl.tlc.eras import ERAS, Era, contract_name
from taxietl.tlc.layouts import match
from taxietl.tlc.trip_file import TripFile

ALWAYS = {
    "yellow": {"VendorID", "tpep_dropoff_datetime", "passenger_count", "total_amount"},
    "green": {"VendorID", "lpep_dropoff_datetime", "passenger_count", "total_amount"},
    "fhv": {"dispatching_base_num", "PUlocationID"},
    "fhvhv": {"dispatching_base_num", "dropoff_datetime", "PULocationID", "DOLocationID"},
}


@pytest.mark.parametrize("era", ERAS, ids=[each.name for each in ERAS])
class TestEveryEra:
    def test_each_name_is_of_one_column_of_the_contract(self, era: Era) -> None:
        columns = [contract_name(name, era.dataset) for name in era.published]

        assert None not in columns
        assert len(set(columns)) == len(columns) - len(era.spare)
        assert set(columns) == era.contract.keys()

    def test_it_has_what_every_trip_has(self, era: Era) -> None:
        assert era.dataset.started_at in era.contract
        assert era.contract.keys() >= ALWAYS[era.color]

    def test_a_file_of_its_first_month_is_known_by_its_names_in_any_case(self, era: Era) -> None:
        published = [f" {name.upper()}" for name in era.published]

        layout = match(published, TripFile(era.color, *era.since))

        assert set(layout.era.published) == set(era.published)
        assert sorted([*layout.columns.values(), *layout.spare.values()]) == sorted(published)
        assert layout.new_columns == ()

    def test_it_is_not_met_before_its_colour_s_first_month(self, era: Era) -> None:
        assert era.since >= era.dataset.first_month


@pytest.mark.parametrize("color", DATASETS)
def test_every_month_of_a_colour_has_an_era(color: str) -> None:
    year, number = DATASETS[color].first_month
    months = [(year, each) for each in range(number, 13)]
    months += [(after, each) for after in range(year + 1, 2031) for each in range(1, 13)]

    for month in months:
        of = TripFile(color, *month)
        assert [era.name for era in ERAS if era.color == color and era.covers(of)], of


def test_no_two_eras_have_one_name() -> None:
    assert len({era.name for era in ERAS}) == len(ERAS)
