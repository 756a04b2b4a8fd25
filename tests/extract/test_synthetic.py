"""The trips that are made: how many, how clean, and the same every time."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from taxietl.errors import ConfigError
from taxietl.extract.synthetic import batches

ROWS = 200_000
MONEY = [
    "fare_amount",
    "extra",
    "mta_tax",
    "tip_amount",
    "tolls_amount",
    "improvement_surcharge",
    "total_amount",
    "congestion_surcharge",
]


@pytest.fixture(scope="module")
def yellow() -> pa.Table:
    """January 2021, yellow, with fewer rows."""
    return made("yellow", 2021, 1, rows=ROWS)


@pytest.fixture(scope="module")
def complete(yellow: pa.Table) -> pa.Table:
    """Its rows but for the last block."""
    return yellow.slice(0, ROWS - yellow["passenger_count"].null_count)


def made(color: str, year: int, month: int, *, rows: int, seed: int = 2021) -> pa.Table:
    return pa.Table.from_batches(list(batches(color, year, month, rows=rows, seed=seed)))


def share(matching: pa.ChunkedArray) -> float:
    """The share of true values; missing ones count as false."""
    return pc.sum(matching).as_py() / len(matching)


@pytest.mark.parametrize(("color", "rows"), [("yellow", 1_369_765), ("green", 76_518)])
def test_a_month_has_as_many_rows_as_january_2021(color: str, rows: int) -> None:
    assert sum(batch.num_rows for batch in batches(color, 2021, 1)) == rows


@pytest.mark.parametrize(("color", "incomplete"), [("yellow", 98_246), ("green", 35_951)])
def test_the_last_block_is_as_large_as_that_of_january_2021(color: str, incomplete: int) -> None:
    missing = sum(batch["passenger_count"].null_count for batch in batches(color, 2021, 1))

    assert missing == incomplete


def test_the_incomplete_rows_lie_in_one_piece_at_the_end(yellow: pa.Table) -> None:
    missing = pc.is_null(yellow["passenger_count"])
    count = yellow["passenger_count"].null_count

    assert count == round(ROWS * 98_246 / 1_369_765)
    assert pc.sum(missing.slice(ROWS - count)).as_py() == count


def test_no_batch_is_larger_than_a_chunk() -> None:
    assert max(batch.num_rows for batch in batches("yellow", 2021, 1, rows=300_000)) == 131_072


@pytest.mark.parametrize("rows", [1, 2, 3, 8, 131_073])
def test_any_number_of_rows_can_be_made(rows: int) -> None:
    assert made("green", 2021, 1, rows=rows).num_rows == rows


def test_the_same_arguments_make_the_same_rows() -> None:
    assert made("yellow", 2021, 1, rows=5_000).equals(made("yellow", 2021, 1, rows=5_000))


@pytest.mark.parametrize(
    "other",
    [("yellow", 2021, 2, 2021), ("yellow", 2021, 1, 7), ("green", 2021, 1, 2021)],
    ids=["month", "seed", "colour"],
)
def test_other_arguments_make_other_rows(other: tuple[str, int, int, int]) -> None:
    color, year, month, seed = other
    distances = made("yellow", 2021, 1, rows=1_000)["trip_distance"]

    assert made(color, year, month, rows=1_000, seed=seed)["trip_distance"] != distances


def test_chunks_do_not_repeat_one_another() -> None:
    first, second, *_ = batches("yellow", 2021, 1, rows=300_000)

    assert first["trip_distance"] != second["trip_distance"]


def test_two_percent_of_the_complete_rows_have_no_passengers(complete: pa.Table) -> None:
    assert share(pc.equal(complete["passenger_count"], 0)) == pytest.approx(0.0204, abs=0.002)


def test_refunds_are_exact_reversals_of_the_row_before_them(complete: pa.Table) -> None:
    at = pc.indices_nonzero(pc.less(complete["total_amount"], 0))
    refunds, originals = complete.take(at), complete.take(pc.subtract(at, 1))

    assert len(at) / complete.num_rows == pytest.approx(0.005, abs=0.001)
    for name in MONEY:
        assert refunds[name] == pc.negate(originals[name]), name
    others = [name for name in complete.column_names if name not in MONEY]
    assert refunds.select(others).equals(originals.select(others))


def test_amounts_add_up_to_the_total(yellow: pa.Table) -> None:
    # Vendor 1 shows the congestion surcharge within extra too, and the last block not at all.
    vendor_2 = yellow.filter(
        pc.and_(pc.equal(yellow["VendorID"], 2), pc.is_valid(yellow["congestion_surcharge"]))
    )
    parts = sum(in_cents(vendor_2, name) for name in MONEY if name != "total_amount")

    assert (parts == in_cents(vendor_2, "total_amount")).all()


def in_cents(table: pa.Table, name: str) -> pa.Array:
    return pc.round(pc.multiply(table[name], 100)).to_numpy()


def test_a_few_pickups_lie_outside_the_month(yellow: pa.Table) -> None:
    months = pc.strftime(yellow["tpep_pickup_datetime"], "%Y-%m")
    strays = pc.sum(pc.not_equal(months, "2021-01")).as_py()

    assert 5 <= strays <= 20


def test_some_trips_are_absurdly_long_and_some_have_no_length(complete: pa.Table) -> None:
    assert 2 <= pc.sum(pc.greater(complete["trip_distance"], 100_000)).as_py() <= 6
    assert share(pc.equal(complete["trip_distance"], 0)) == pytest.approx(0.012, abs=0.002)


def test_only_dispatched_trips_end_before_they_start(yellow: pa.Table, complete: pa.Table) -> None:
    backwards = pc.less(yellow["tpep_dropoff_datetime"], yellow["tpep_pickup_datetime"])
    last_block = ROWS - complete.num_rows

    assert pc.sum(backwards.slice(0, complete.num_rows)).as_py() == 0
    assert pc.sum(backwards).as_py() / last_block == pytest.approx(0.05, abs=0.01)


def test_complete_rows_are_in_the_order_of_the_hour(complete: pa.Table) -> None:
    pickups = complete["tpep_pickup_datetime"]
    inside = pc.equal(pc.strftime(pickups, "%Y-%m"), "2021-01")
    hours = pc.floor_temporal(pickups.filter(inside), unit="hour").to_numpy()

    assert (hours[1:] >= hours[:-1]).all()
    assert hours[0] < hours[-1]


def test_no_two_rows_are_alike(yellow: pa.Table) -> None:
    assert yellow.group_by(yellow.column_names).aggregate([]).num_rows == ROWS


@pytest.mark.parametrize(
    ("color", "year", "month"),
    [
        ("fhvhv", 2019, 1),
        ("yelow", 2021, 1),
        ("yellow", 2008, 12),
        ("green", 2021, 0),
        ("green", 2021, 13),
    ],
)
def test_a_month_that_cannot_be_made_is_a_configuration_error(
    color: str, year: int, month: int
) -> None:
    with pytest.raises(ConfigError) as caught:
        batches(color, year, month)

    assert caught.value.hint


def test_a_month_too_early_says_from_when_it_goes() -> None:
    with pytest.raises(ConfigError) as caught:
        batches("yellow", 2008, 12)

    assert "2009-01" in caught.value.hint


def test_no_rows_at_all_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="0 rows"):
        batches("yellow", 2021, 1, rows=0)
