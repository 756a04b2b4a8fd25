"""`taxietl.months()` and `taxietl.connect()`, of DuckDB and of PostgreSQL alike."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pandas as pd
import psycopg2
import pytest
import sqlalchemy
from psycopg2.extensions import parse_dsn

import taxietl
from taxietl.errors import ConfigError, NoWarehouseError, TargetError, TryLaterError


def test_the_ledger_is_a_frame_with_types(either_warehouse: str, files: Path) -> None:
    taxietl.ingest(["green", "yellow"], "2021-01", source=files)

    frame = taxietl.months()

    assert list(frame["color"]) == ["green", "yellow"]
    assert list(frame["source_month"]) == [pd.Timestamp("2021-01-01")] * 2
    assert list(frame["rows_read"]) == [100, 140]
    assert frame["rows_dropped"][0].keys() == {"drop-zero-passengers"}
    assert frame["column_stats"][0]["trip_distance"]["nulls"] >= 0
    types = {name: str(each) for name, each in frame.dtypes.items()}
    assert (types["source_month"], types["loaded_at"]) == ("datetime64[us]", "datetime64[us, UTC]")
    assert (types["rows_read"], types["source_bytes"]) == ("int64", "Int64")
    assert (types["run_name"], types["superseded_at"]) == ("string", "datetime64[us, UTC]")


def test_what_was_replaced_is_there_on_demand(either_warehouse: str, files: Path) -> None:
    taxietl.ingest("green", "2021-01", source=files)
    taxietl.ingest("green", "2021-01", source=files, force=True)

    assert len(taxietl.months()) == 1
    every = taxietl.months(superseded=True)
    assert list(every["superseded_at"].isna()) == [False, True]


def test_a_colour_narrows_it(home: Path, files: Path) -> None:
    taxietl.ingest(["green", "yellow"], "2021-01", source=files)

    assert list(taxietl.months("yellow")["color"]) == ["yellow"]
    assert list(taxietl.months(["fhv", "green"])["color"]) == ["green"]


def test_an_empty_warehouse_has_no_months_but_their_columns(either_warehouse: str) -> None:
    frame = taxietl.months()

    assert len(frame) == 0
    assert str(frame["loaded_at"].dtype) == "datetime64[us, UTC]"
    assert str(frame["rows_loaded"].dtype) == "int64"


def test_pandas_reads_from_either_database(either_warehouse: str, files: Path) -> None:
    taxietl.ingest("green", ["2021-01", "2021-02"], source=files, transforms="none")
    warehouse = taxietl.connect()

    counts = pd.read_sql(
        "SELECT source_month, count(*) AS trips FROM green_trips GROUP BY 1 ORDER BY 1", warehouse
    )
    found = warehouse.execute(
        sqlalchemy.text("SELECT count(*) FROM green_trips WHERE source_month >= :day"),
        {"day": "2021-02-01"},
    ).scalar_one()
    warehouse.close()

    assert list(counts["trips"]) == [100, 120]
    assert found == 120


def test_it_only_reads(either_warehouse: str, files: Path) -> None:
    taxietl.ingest("green", "2021-01", source=files)

    with (
        taxietl.connect() as connection,
        pytest.raises(sqlalchemy.exc.DBAPIError, match="read-only"),
    ):
        connection.execute(sqlalchemy.text("DELETE FROM green_trips"))


def test_one_that_is_kept_keeps_nobody_from_loading(either_warehouse: str, files: Path) -> None:
    taxietl.ingest("green", "2021-01", source=files)
    with taxietl.connect() as warehouse:
        assert len(pd.read_sql("SELECT * FROM taxietl_months", warehouse)) == 1

        (report,) = taxietl.ingest("green", "2021-02", source=files)

        assert report.action == "loaded"
        assert len(pd.read_sql("SELECT * FROM taxietl_months", warehouse)) == 2


def test_one_that_is_forgotten_leaves_the_file_free(home: Path, files: Path) -> None:
    taxietl.ingest("green", "2021-01", source=files)
    pd.read_sql("SELECT 1 AS one", taxietl.connect())

    with taxietl.profile("warehouse").connect() as writing:  # type: ignore[attr-defined]
        writing.execute("DELETE FROM green_trips")


def test_a_schema_of_its_own_is_looked_into(warehouse: str, home: Path, files: Path) -> None:
    with closing(psycopg2.connect(warehouse)) as connection:
        connection.autocommit = True
        connection.cursor().execute('CREATE SCHEMA "Taxi ""x"""')
    given = parse_dsn(warehouse)
    given = {"type": "postgres", "schema": 'Taxi "x"', "database": given.pop("dbname")} | given
    lines = "".join(f"{name} = '{value}'\n" for name, value in given.items() if name != "port")
    Path("taxietl.toml").write_text(f"[profiles.mine]\n{lines}port = {given['port']}\n")
    taxietl.ingest("green", "2021-01", source=files, to="mine", transforms="none")

    with taxietl.connect("mine") as connection:
        counts = pd.read_sql("SELECT count(*) AS trips FROM green_trips", connection)

    assert list(counts["trips"]) == [100]


def test_what_cannot_be_reached_says_so_at_once(home: Path) -> None:
    with pytest.raises(NoWarehouseError, match="There is no DuckDB file"):
        taxietl.connect()
    with pytest.raises(TargetError, match="Profile 'postgresql://nobody@"):
        taxietl.connect("postgresql://nobody@127.0.0.1:1/none")


def test_a_file_that_this_process_has_open_to_write_says_so(home: Path, files: Path) -> None:
    taxietl.ingest("green", "2021-01", source=files)

    with (
        taxietl.profile("warehouse").connect(),  # type: ignore[attr-defined]
        pytest.raises(TryLaterError, match=r"this process has .* open"),
    ):
        taxietl.connect()


def test_a_lake_is_no_warehouse(home: Path) -> None:
    Path("taxietl.toml").write_text('[profiles.lake]\ntype = "folder"\npath = "lake"\n')

    for ask in (taxietl.connect, lambda on: taxietl.months(on=on)):
        with pytest.raises(ConfigError, match="Profile 'lake' is of type 'folder'"):
            ask("lake")
