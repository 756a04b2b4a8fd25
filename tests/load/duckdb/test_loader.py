"""Loading a month into DuckDB: once, whole, counted, and told to the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

import pyarrow as pa
import pytest
from months import BAD_LINE, FEBRUARY, JANUARY, ROUNDED, Duck, batch_of

from taxietl.errors import (
    RefusedLoadError,
    TargetError,
    TooManyRejectsError,
)
from taxietl.steps.values import Note, Transform
from taxietl.tlc.trip_file import TripFile


def counts(duck: Duck) -> tuple[int, int, int]:
    """Rows of the month, rows of the ledger, months that the ledger calls current."""
    return (
        duck.ask("SELECT count(*) FROM yellow_trips WHERE source_month = '2021-01-01'")[0][0],
        duck.ask("SELECT count(*) FROM taxietl_loads")[0][0],
        duck.ask("SELECT count(*) FROM taxietl_months")[0][0],
    )


def test_the_same_bytes_again_are_nothing_to_do_and_the_reason_names_what_was_compared(
    duck: Duck,
) -> None:
    first = duck.load(3, transforms=(ROUNDED,))

    again = duck.load(3, transforms=(ROUNDED,))

    assert again.action == "nothing to do"
    assert again.load_id == first.load_id
    contract = f"contract {JANUARY.dataset.contract_version}"
    for compared in ("SHA-256 aaaaaaaaaaaa", contract, "transforms rounded", "'amber-fox'"):
        assert compared in again.reason
    assert counts(duck) == (3, 1, 1)


def test_a_touched_file_with_the_same_bytes_is_nothing_to_do(duck: Duck) -> None:
    duck.load(3, etag="1")

    report = duck.load(3, etag="2")

    assert report.action == "nothing to do"
    assert "the source was touched" in report.reason


def test_a_dropped_table_is_loaded_again(duck: Duck) -> None:
    duck.load(3)
    duck.do("DROP TABLE yellow_trips")

    report = duck.load(3)

    assert (report.action, report.reason) == ("loaded", "the table is gone")
    assert counts(duck) == (3, 2, 1)


def test_another_source_replaces_with_force(duck: Duck) -> None:
    duck.load(3)

    duck.load(4, source="file:///elsewhere", sha256="b" * 64, force=True)

    assert counts(duck) == (4, 2, 1)
    assert duck.ask("SELECT source FROM taxietl_months") == [("file:///elsewhere",)]


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ((), (ROUNDED,), "other transforms: rounded instead of none"),
        ((ROUNDED,), (), "other transforms: none instead of rounded"),
        (
            (ROUNDED,),
            (Transform("rounded", "1", {"digits": 1}),),
            "the version or options of rounded changed",
        ),
        (
            (ROUNDED,),
            (Transform("rounded", "2", {"digits": 2}),),
            "the version or options of rounded changed",
        ),
    ],
    ids=["one more", "one less", "other options", "other version"],
)
def test_other_transforms_replace_the_month(
    duck: Duck, before: tuple[Transform, ...], after: tuple[Transform, ...], reason: str
) -> None:
    duck.load(3, transforms=before)

    report = duck.load(3, transforms=after)

    assert (report.action, report.reason) == ("replaced", reason)


def test_a_month_of_an_older_contract_is_replaced(duck: Duck) -> None:
    duck.load(3)
    duck.do("UPDATE taxietl_loads SET contract_version = '0'")

    report = duck.load(3)

    assert report.action == "replaced"
    now = JANUARY.dataset.contract_version
    assert report.reason == f"loaded under contract 0; the current one is {now}"


def test_dropped_and_rejected_rows_are_accounted_for_in_the_ledger(duck: Duck) -> None:
    report = duck.load(
        3,
        told={
            "rows_dropped": {"rule": 2},
            "rows_rejected": 1,
            "values_nulled": {"trip_distance": 4},
            "notes": (BAD_LINE,),
        },
        max_rejects=1,
    )

    assert (report.rows_read, report.rows_loaded, report.rows_rejected) == (6, 3, 1)
    assert duck.ask(
        "SELECT rows_read, rows_loaded, rows_dropped, rows_rejected, values_nulled "
        "FROM taxietl_months"
    ) == [(6, 3, '{"rule": 2}', 1, '{"trip_distance": 4}')]


def test_more_rejects_than_allowed_are_refused_with_the_first_of_them(duck: Duck) -> None:
    with pytest.raises(TooManyRejectsError, match="line 7: 3 fields instead of 18") as refused:
        duck.load(3, told={"rows_rejected": 2, "notes": (BAD_LINE,)}, max_rejects=1)

    assert refused.value.exit_code == 4
    assert "--max-rejects 2" in refused.value.hint
    assert duck.ask("SELECT table_name FROM duckdb_tables()") == []


def test_rejects_and_unreadable_cells_are_kept_and_their_text_is_cut(duck: Duck) -> None:
    cell = Note("value", 9, "trip_distance", "not a value of DOUBLE PRECISION", "x" * 5000)

    report = duck.load(3, told={"rows_rejected": 1, "notes": (BAD_LINE, cell)}, max_rejects=1)

    assert duck.ask("SELECT * FROM taxietl_rejects ORDER BY line") == [
        (report.load_id, "row", 7, None, "3 fields instead of 18", "1,2,3"),
        (report.load_id, "value", 9, "trip_distance", cell.reason, "x" * 4096),
    ]


def test_a_month_that_shrank_is_refused_until_that_much_is_allowed(duck: Duck) -> None:
    duck.load(100)
    before = duck.facts()

    with pytest.raises(RefusedLoadError, match=r"shrink by 6\.0%, from 100 rows to 94") as refused:
        duck.load(94, force=True)

    assert refused.value.exit_code == 4
    assert duck.facts() == before
    allowed = float(refused.value.hint.split("--max-shrink ")[1].rstrip("."))
    assert duck.load(94, force=True, max_shrink=allowed).rows_loaded == 94


def test_a_month_may_shrink_by_as_much_as_is_allowed(duck: Duck) -> None:
    duck.load(100)

    assert duck.load(95, force=True).rows_loaded == 95


def test_a_file_cut_short_does_not_hide_behind_rows_deleted_by_hand(duck: Duck) -> None:
    duck.load(100)
    duck.do("DELETE FROM yellow_trips WHERE rowid >= 10")

    with pytest.raises(RefusedLoadError, match="shrink by 50"):
        duck.load(50, etag="2", sha256="b" * 64)


def test_column_stats_are_the_nulls_and_exact_sums_of_what_was_loaded(duck: Duck) -> None:
    fares = [Decimal(f"{cents // 100}.{cents % 100:02d}") for cents in range(0, 60_000, 7)]
    fares[5] = Decimal("-12.34")
    miles = [Decimal(each) / 100 for each in range(len(fares))]
    batch = batch_of(
        "yellow",
        len(fares),
        fare_amount=[float(each) for each in fares],
        trip_distance=[None if each == 3 else float(each) for each in miles],
        passenger_count=[None, *[2] * (len(fares) - 1)],
        store_and_fwd_flag=[None, None, *["Y"] * (len(fares) - 2)],
    )

    stats = duck.load(batch.slice(start, 1000) for start in range(0, len(fares), 1000)).column_stats

    micros = [each.cast(pa.int64()).as_py() for each in batch.column("tpep_pickup_datetime")]
    assert (stats["fare_amount"].nulls, stats["fare_amount"].sum) == (0, int(sum(fares) * 100))
    assert stats["trip_distance"].nulls == 1
    assert stats["trip_distance"].sum == int((sum(miles) - 3) * 1_000_000)
    assert (stats["passenger_count"].nulls, stats["passenger_count"].sum) == (1, 2 * len(fares) - 2)
    assert (stats["store_and_fwd_flag"].nulls, stats["store_and_fwd_flag"].sum) == (2, None)
    assert stats["tpep_pickup_datetime"].sum == sum(each // 1_000_000 for each in micros)
    assert (stats["airport_fee"].nulls, stats["airport_fee"].sum) == (len(fares), None)
    (kept,) = duck.ask("SELECT column_stats FROM taxietl_months")
    assert json.loads(kept[0])["fare_amount"] == {"nulls": 0, "sum": int(sum(fares) * 100)}


def test_values_that_are_no_number_do_not_break_the_sums(duck: Duck) -> None:
    odd = [float("inf"), float("nan"), 1e300, -0.01]

    report = duck.load([batch_of("yellow", 4, fare_amount=odd)])

    assert report.column_stats["fare_amount"].sum == -1


def test_a_replaced_month_touches_no_other_month_and_no_other_colour(duck: Duck) -> None:
    months = [TripFile(color, 2021, month) for color in ("yellow", "green") for month in (1, 2, 3)]
    for each in months:
        duck.load(10 + each.month, each)
    others = "SELECT count(*), sum(hash(t)) FROM {} t WHERE source_month <> '2021-02-01'"
    before = [duck.ask(others.format(table)) for table in ("yellow_trips", "green_trips")]

    duck.load(20, FEBRUARY, force=True)

    assert [duck.ask(others.format(table)) for table in ("yellow_trips", "green_trips")] == before
    assert duck.ask(
        "SELECT color, month(source_month), rows_loaded FROM taxietl_months ORDER BY ALL"
    ) == [
        *(("green", 1, 11), ("green", 2, 12), ("green", 3, 13)),
        *(("yellow", 1, 11), ("yellow", 2, 20), ("yellow", 3, 13)),
    ]


def test_a_table_named_in_other_capitals_is_the_same_table(duck: Duck) -> None:
    duck.load(3)

    assert duck.load(3, table="Yellow_Trips").action == "nothing to do"
    assert duck.load(4, table="Yellow_Trips", force=True).action == "replaced"
    assert counts(duck) == (4, 2, 1)


def test_the_ledger_is_asked_without_making_a_file(duck: Duck) -> None:
    assert duck.loader.entry(JANUARY, "yellow_trips") is None
    assert not duck.path.exists()


def test_the_stream_is_closed_when_the_load_fails(duck: Duck) -> None:
    closed = []

    def endless() -> Iterator[pa.RecordBatch]:
        try:
            while True:
                yield batch_of("yellow", 10, passenger_count=[1000] * 10)
        finally:
            closed.append(True)

    duck.load(3)
    duck.do("ALTER TABLE yellow_trips ALTER passenger_count TYPE TINYINT")

    with pytest.raises(TargetError, match="1000"):
        duck.load(endless(), force=True)

    assert closed
