"""Loading a month into PostgreSQL: once, whole, counted, and told to the ledger."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest
from months import BAD_LINE, JANUARY, Duck, Postgres, batch_of

from taxietl.errors import (
    CorruptFileError,
    DataError,
    TooManyRejectsError,
)
from taxietl.steps.values import Note


def counts(server: Postgres) -> tuple[int, int, int]:
    """Rows of the month, rows of the ledger, months that the ledger calls current."""
    return (
        server.ask("SELECT count(*) FROM yellow_trips WHERE source_month = '2021-01-01'")[0][0],
        server.ask("SELECT count(*) FROM taxietl_loads")[0][0],
        server.ask("SELECT count(*) FROM taxietl_months")[0][0],
    )


def test_a_first_load_makes_the_table_and_tells_the_ledger(server: Postgres) -> None:
    report = server.load(3)

    assert (report.action, report.reason) == ("loaded", "not loaded yet")
    assert counts(server) == (3, 1, 1)
    assert server.ask(
        "SELECT load_id, table_name, color, source_month::text, source_sha256, rows_loaded, "
        "run_name FROM taxietl_months"
    ) == [(report.load_id, "yellow_trips", "yellow", "2021-01-01", "a" * 64, 3, "amber-fox")]
    assert server.left_behind() == []


def test_force_leaves_the_same_rows_a_second_ledger_row_and_one_partition(
    server: Postgres,
) -> None:
    first = server.load(3)

    forced = server.load(3, force=True)

    assert (forced.action, forced.reason) == ("replaced", "--force")
    assert forced.replaced is not None
    assert (forced.replaced.load_id, forced.replaced.rows_loaded) == (first.load_id, 3)
    assert counts(server) == (3, 2, 1)
    assert server.ask(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'taxietl_parts'::regnamespace "
        "AND relkind = 'r'"
    ) == [(1,)]


@pytest.mark.parametrize(
    ("by_hand", "reason"),
    [
        ("DROP TABLE yellow_trips CASCADE", "the table is gone"),
        ("DROP SCHEMA taxietl_parts CASCADE", "the table holds 0 of the 3 rows"),
    ],
    ids=["table dropped", "partitions dropped"],
)
def test_what_was_changed_by_hand_is_repaired_and_the_reason_says_so(
    server: Postgres, by_hand: str, reason: str
) -> None:
    batch = batch_of("yellow", 3, passenger_count=[1, 2, 2])
    server.load([batch])
    server.do(by_hand)

    report = server.load([batch])

    assert report.reason.startswith(reason)
    assert counts(server) == (3, 2, 1)
    assert server.ask("SELECT count(*) FROM trips") == [(3,)]


def test_rejects_and_unreadable_cells_are_kept_and_their_text_made_storable(
    server: Postgres,
) -> None:
    cell = Note("value", 9, "trip_distance", "not a value", "a\0\ud800%s" + "x" * 5000)

    report = server.load(3, told={"rows_rejected": 1, "notes": (BAD_LINE, cell)}, max_rejects=1)

    kept = server.ask("SELECT * FROM taxietl_rejects ORDER BY line")
    assert kept[0] == (report.load_id, "row", 7, None, "3 fields instead of 18", "1,2,3")
    assert kept[1][:5] == (report.load_id, "value", 9, "trip_distance", "not a value")
    assert kept[1][5].startswith("a\\x00\\ud800%sxxx")


def test_more_rejects_than_allowed_leave_nothing_but_the_empty_schema(server: Postgres) -> None:
    with pytest.raises(TooManyRejectsError):
        server.load(3, told={"rows_rejected": 2, "notes": (BAD_LINE,)}, max_rejects=1)

    assert (
        server.ask(
            "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
            "WHERE nspname IN ('public', 'taxietl_parts')"
        )
        == []
    )


def test_a_value_that_postgres_cannot_store_is_refused_and_named(server: Postgres) -> None:
    with pytest.raises(DataError, match=r"NUL character.*'N.x00'"):
        server.load([batch_of("yellow", 2, store_and_fwd_flag=["Y", "N\0"])])

    assert server.left_behind() == []


def test_the_same_stream_has_the_same_stats_in_duckdb(server: Postgres, duck: Duck) -> None:
    odd = [float("inf"), float("-inf"), float("nan"), 1e300, -0.005, 0.125, 9e12, -9e12, None, 7.1]
    batch = batch_of(
        "yellow",
        10,
        fare_amount=odd,
        trip_distance=odd,
        pickup_longitude=[-73.9876543215] * 10,
        passenger_count=[None, *range(9)],
        store_and_fwd_flag=["Y", None] * 5,
        tpep_dropoff_datetime=pa.array([-1, 1, 999_999, 10**15, *[None] * 6], pa.timestamp("us")),
    )

    by_server, by_duck = (each.load([batch]).column_stats for each in (server, duck))

    assert by_server == by_duck
    assert by_server["fare_amount"].sum == 0 + 13 + 710
    assert by_server["airport_fee"].sum is None


def test_the_ledger_is_asked_without_making_anything(server: Postgres) -> None:
    assert server.loader.entry(JANUARY, "yellow_trips") is None
    assert server.ask("SELECT count(*) FROM pg_namespace WHERE nspname = 'taxietl_parts'") == [(0,)]


def test_a_month_lies_in_each_table_it_was_loaded_into(server: Postgres) -> None:
    server.load(3)

    report = server.load(4, table="my % trips 'é'" + "x" * 40)

    assert report.action == "loaded"
    name = report.table.replace('"', '""')
    assert server.ask(f'SELECT count(*) FROM "{name}"') == [(4,)]
    assert server.load(4, table=report.table).action == "nothing to do"
    assert counts(server) == (3, 2, 2)


@pytest.mark.parametrize("good_batches", [0, 1, 3])
@pytest.mark.parametrize(
    "error", [CorruptFileError("cut"), ValueError("a bug"), KeyboardInterrupt()]
)
def test_an_error_inside_the_stream_comes_out_as_itself_and_changes_nothing(
    server: Postgres, good_batches: int, error: BaseException
) -> None:
    server.load(3)
    before = server.facts()

    def broken() -> Iterator[pa.RecordBatch]:
        for _ in range(good_batches):
            yield batch_of("yellow", 1000, **{"brand new": ["x"] * 1000})
        raise error

    with pytest.raises(type(error)) as raised:
        server.load(broken(), force=True)

    assert raised.value is error
    assert server.facts() == before
    assert server.left_behind() == []
