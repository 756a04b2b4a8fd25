"""What taxietl keeps in a DuckDB file, and what it never touches there."""

from __future__ import annotations

import duckdb
import pytest
from months import FEBRUARY, GREEN_JANUARY, JANUARY, Duck, batch_of

from taxietl.errors import ConfigError, NotOursError
from taxietl.load.views import view_select
from taxietl.tlc.datasets import DATASETS


def columns(duck: Duck, table: str) -> dict[str, str]:
    """A table's columns and types."""
    found = duck.ask(
        f"SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = '{table}'"
    )
    return {str(name): str(kind) for name, kind in found}


def test_a_table_has_the_contracts_columns_in_order_then_the_month(duck: Duck) -> None:
    duck.load(1)

    made = columns(duck, "yellow_trips")

    assert list(made) == [*DATASETS["yellow"].column_names, "source_month"]
    assert made["VendorID"] == "INTEGER"
    assert made["fare_amount"] == "DOUBLE"
    assert made["tpep_pickup_datetime"] == "TIMESTAMP"
    assert made["store_and_fwd_flag"] == "VARCHAR"
    assert made["source_month"] == "DATE"


def test_a_column_nobody_knows_is_added_as_text(duck: Duck) -> None:
    duck.load(2, FEBRUARY)

    report = duck.load(
        [batch_of("yellow", 2, **{'odd "name"': ["a", None]})],
        told={"new_columns": {'odd "name"': "TEXT"}},
    )

    assert report.new_columns == ('odd "name"',)
    assert columns(duck, "yellow_trips")['odd "name"'] == "VARCHAR"
    assert duck.ask('SELECT "odd ""name""" FROM yellow_trips ORDER BY ALL') == [
        *(("a",), (None,), (None,), (None,)),
    ]


def test_a_column_that_the_contract_grew_is_added_with_its_type(duck: Duck) -> None:
    duck.load(2, FEBRUARY)
    duck.do("DROP VIEW trips", "ALTER TABLE yellow_trips DROP COLUMN cbd_congestion_fee")

    duck.load([batch_of("yellow", 1, cbd_congestion_fee=[0.75])])

    assert columns(duck, "yellow_trips")["cbd_congestion_fee"] == "DOUBLE"
    assert duck.ask("SELECT sum(cbd_congestion_fee), count(*) FROM trips") == [(0.75, 3)]


def test_a_column_of_the_users_own_is_kept(duck: Duck) -> None:
    duck.load(2)
    duck.do("ALTER TABLE yellow_trips ADD COLUMN remark TEXT DEFAULT 'none'")
    duck.load(3, FEBRUARY)

    duck.load(4, force=True)

    assert duck.ask("SELECT remark, count(*) FROM yellow_trips GROUP BY ALL") == [("none", 7)]
    assert duck.load(3, FEBRUARY).action == "nothing to do"


def test_a_view_of_the_users_own_on_the_table_goes_on_working(duck: Duck) -> None:
    duck.load(2)
    duck.do("CREATE VIEW fares AS SELECT fare_amount, source_month FROM yellow_trips")

    duck.load([batch_of("yellow", 3, brand_new=["x"] * 3)], force=True)

    assert duck.ask("SELECT count(*), sum(fare_amount) FROM fares") == [(3, 7.5)]


def made_by_hand(duck: Duck) -> list[tuple[object, ...]]:
    """Every table and view, by what made it."""
    return duck.ask(
        "SELECT sql FROM duckdb_tables() UNION "
        "SELECT sql FROM duckdb_views() WHERE NOT internal ORDER BY ALL"
    )


@pytest.mark.parametrize(
    "made",
    [
        "CREATE TABLE yellow_trips (a INTEGER)",
        "CREATE TABLE YELLOW_TRIPS (a INTEGER)",
        "CREATE VIEW yellow_trips AS SELECT 1 AS a",
        "CREATE TABLE taxietl_loads (a INTEGER)",
        "CREATE TABLE taxietl_rejects (a INTEGER)",
        "CREATE VIEW taxietl_months AS SELECT 1 AS a",
    ],
    ids=["table", "capitals", "view", "ledger", "rejects", "months"],
)
def test_what_taxietl_did_not_make_is_never_touched(duck: Duck, made: str) -> None:
    duck.do(made)
    before = made_by_hand(duck)

    with pytest.raises(NotOursError, match="that taxietl did not make") as refused:
        duck.load(3)

    assert refused.value.exit_code == 5
    assert made_by_hand(duck) == before


def test_a_foreign_table_is_told_before_anything_is_fetched(duck: Duck) -> None:
    duck.do("CREATE TABLE yellow_trips (a INTEGER)")

    with pytest.raises(NotOursError):
        duck.loader.entry(JANUARY, "yellow_trips")


@pytest.mark.parametrize("name", ["taxietl_loads", "Taxietl_Rejects", "taxietl_months", "trips"])
def test_months_are_not_loaded_into_taxietls_own_tables(duck: Duck, name: str) -> None:
    duck.load(3)
    before = duck.facts()

    with pytest.raises(ConfigError, match=name):
        duck.load(3, table=name)

    assert duck.facts() == before


def test_the_ledgers_name_is_taken_even_before_there_is_a_ledger(duck: Duck) -> None:
    with pytest.raises(ConfigError):
        duck.load(3, table="taxietl_loads")

    assert duck.ask("SELECT count(*) FROM duckdb_tables()") == [(0,)]


def test_a_table_of_one_colour_takes_no_other(duck: Duck) -> None:
    duck.load(3, table="mine")

    with pytest.raises(ConfigError, match="yellow trips") as refused:
        duck.load(2, GREEN_JANUARY, table="mine")

    assert "--table" in refused.value.hint
    assert duck.ask("SELECT count(*) FROM mine") == [(3,)]


def test_a_lost_ledger_is_made_anew_and_the_month_is_not_doubled(duck: Duck) -> None:
    duck.load(3)
    duck.do("DROP TABLE taxietl_loads")

    report = duck.load(3)

    assert report.action == "loaded"
    assert duck.ask("SELECT count(*) FROM yellow_trips") == [(3,)]
    assert duck.ask("SELECT count(*) FROM taxietl_months") == [(1,)]


def test_trips_shows_both_colours_under_plain_names(duck: Duck) -> None:
    duck.load([batch_of("yellow", 1, PULocationID=[132], airport_fee=[1.25])])
    assert duck.ask("SELECT color, pickup_location_id FROM trips") == [("yellow", 132)]

    duck.load([batch_of("green", 1, DOLocationID=[7], trip_type=[2])], GREEN_JANUARY)

    assert duck.ask(
        "SELECT color, pickup_datetime::TEXT, pickup_location_id, dropoff_location_id, "
        "airport_fee, trip_type, source_month::TEXT FROM trips ORDER BY color"
    ) == [
        ("green", "2021-01-01 12:00:00", None, 7, None, 2, "2021-01-01"),
        ("yellow", "2021-01-01 12:00:00", 132, None, 1.25, None, "2021-01-01"),
    ]


def test_trips_is_mended_when_a_table_was_dropped(duck: Duck) -> None:
    duck.load(3)
    duck.load(2, GREEN_JANUARY)
    duck.do("DROP TABLE green_trips")

    duck.load(4, force=True)

    assert duck.ask("SELECT color, count(*) FROM trips GROUP BY ALL") == [("yellow", 4)]


@pytest.mark.parametrize(
    "made", ["CREATE TABLE trips (a INTEGER)", "CREATE VIEW trips AS SELECT 1 AS a"]
)
def test_a_table_or_view_trips_of_the_users_own_stays(duck: Duck, made: str) -> None:
    duck.do(made)

    duck.load(3)

    assert columns(duck, "trips") == {"a": "INTEGER"}


def test_a_table_of_another_name_is_not_shown_in_trips(duck: Duck) -> None:
    duck.load(3, table="mine")

    assert duck.ask("SELECT view_name FROM duckdb_views() WHERE view_name = 'trips'") == []


@pytest.mark.parametrize("color", list(DATASETS))
def test_every_view_over_every_colours_table_has_plain_names(color: str) -> None:
    of = DATASETS[color]
    listed = ", ".join(f'"{each.name}" {each.kind.sql_type}' for each in of.columns)
    present = {color: {each.lower() for each in of.column_names}}

    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE {of.table} ({listed}, source_month DATE)")
        connection.execute(view_select(DATASETS[color].view, present))
        names = [each[0] for each in connection.description or ()]

    assert {"color", "pickup_datetime", "dropoff_datetime", "source_month"} <= set(names)
    assert all(name == name.lower() for name in names)
    assert len(set(names)) == len(names)
