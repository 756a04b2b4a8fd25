"""`taxietl verify`: what was changed behind the ledger's back is found and named."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import psycopg2
import pytest
from command import Taxietl, check_refused
from documents import check

from taxietl.extract.synthetic import write

MONTHS = ("--color", "green", "--year", "2021", "--month", "1-2")


@pytest.fixture
def loaded(taxietl: Taxietl, home: Path, tmp_path: Path) -> Path:
    """A warehouse with two months; its file."""
    folder = tmp_path / "files"
    folder.mkdir()
    for month in (1, 2):
        write(folder / f"green_tripdata_2021-{month:02d}.parquet", "green", 2021, month, rows=400)
    taxietl("ingest", *MONTHS, "--source", folder, "--workers", 1)
    return home / "taxi.duckdb"


def _change(path: Path, statement: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(statement)


def test_what_was_loaded_is_as_it_was_loaded(taxietl: Taxietl, loaded: Path) -> None:
    done = taxietl("verify", "--color", "green", "--json")

    check(done.document, "verify")
    assert done.code == 0
    assert [(each["trip_file"], each["ok"]) for each in done.document["months"]] == [
        ("green-2021-01", True),
        ("green-2021-02", True),
    ]
    assert "ok: " in taxietl("verify", "--color", "green", "--year", 2021, "--month", 2).out


@pytest.mark.parametrize(
    ("statement", "what", "column"),
    [
        pytest.param("DELETE FROM green_trips WHERE rowid = 5", "rows", None, id="a row lost"),
        pytest.param(
            "INSERT INTO green_trips FROM green_trips WHERE rowid = 5", "rows", None, id="doubled"
        ),
        pytest.param(
            "UPDATE green_trips SET tip_amount = tip_amount + 0.01 WHERE rowid = 5",
            "sum",
            "tip_amount",
            id="a cent",
        ),
        pytest.param(
            "UPDATE green_trips SET lpep_pickup_datetime = lpep_pickup_datetime + INTERVAL 1 SECOND"
            " WHERE rowid = 5",
            "sum",
            "lpep_pickup_datetime",
            id="a second",
        ),
        pytest.param(
            "UPDATE green_trips SET store_and_fwd_flag = NULL WHERE rowid = 5",
            "nulls",
            "store_and_fwd_flag",
            id="a text lost",
        ),
    ],
)
def test_a_change_behind_the_ledgers_back_is_found(
    taxietl: Taxietl, loaded: Path, statement: str, what: str, column: str | None
) -> None:
    _change(loaded, statement)

    done = taxietl("verify", "--color", "green", "--json")

    check(done.document, "verify")
    first, second = done.document["months"]
    assert (done.code, second["ok"]) == (4, True)
    assert (what, column) in [(each["what"], each["column"]) for each in first["differences"]]


def test_rows_of_a_month_that_was_never_loaded_are_told(taxietl: Taxietl, loaded: Path) -> None:
    _change(
        loaded,
        "INSERT INTO green_trips BY NAME SELECT * REPLACE (DATE '2020-05-01' AS source_month) "
        "FROM green_trips WHERE rowid < 3",
    )

    done = taxietl("verify", "--color", "green")

    assert done.code == 4
    assert "green-2020-05  differs in table green_trips:" in done.out
    assert "rows: 0 in the ledger, 3 now" in done.out


def test_a_colour_that_was_never_loaded_is_refused(taxietl: Taxietl, loaded: Path) -> None:
    check_refused(taxietl("verify", "--color", "yellow"), 2, "yellow", "--table")
    check_refused(taxietl("verify", "--color", "green", "--month", "1"), 2, "--year")


def test_a_warehouse_that_refused_its_only_load_is_told_apart(
    taxietl: Taxietl, home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "fhv_tripdata_2015-01.csv"
    file.write_text(
        "dispatching_base_num,Pickup_date,locationID\nB00013,2015-01-01 00:30:00,1\nbroken\n"
    )
    fhv = ("--color", "fhv", "--year", 2015, "--month", 1)
    assert taxietl("ingest", *fhv, "--source", file).code == 4

    check_refused(taxietl("verify", "--color", "fhv"), 2, "No fhv month was loaded")


@pytest.mark.parametrize("options", [(), ("--connections", 2)], ids=["plain", "connections"])
def test_a_column_that_was_added_is_verified_too(
    taxietl: Taxietl, either_warehouse: str, options: tuple[object, ...]
) -> None:
    if options and either_warehouse == "duckdb":
        return  # takes one connection only
    do = _doer(either_warehouse)
    months = ("--color", "green", "--year", "2021", "--month")
    for month in (1, 2):
        path = Path(f"{month}.csv")
        write(path, "green", 2021, month, rows=200)
        if month == 1:
            header, *lines = path.read_text().splitlines()
            path.write_text("\n".join([header + ",mood", *(f"{each},fine" for each in lines)]))
        loaded = taxietl("ingest", *months, month, "--source", path, *options, "--json")
        assert loaded.code == 0, loaded.err
    stats = loaded.document["months"][0]["column_stats"]
    whole = taxietl("verify", "--color", "green", "--json")

    do("UPDATE green_trips SET mood = NULL")
    lost = taxietl("verify", "--color", "green", "--json")
    do("UPDATE green_trips SET mood = 'fine'")
    added = taxietl("verify", "--color", "green")
    do("ALTER TABLE green_trips DROP COLUMN mood CASCADE")
    gone = taxietl("verify", "--color", "green", "--year", 2021, "--month", 1)
    do("UPDATE taxietl_loads SET column_stats = '{}'")
    unproved = taxietl("verify", "--color", "green", "--json")

    assert "mood" not in stats
    assert (whole.code, lost.code, added.code, gone.code) == (0, 4, 4, 4)
    rows = whole.document["months"][0]["rows"]
    difference = {"what": "nulls", "column": "mood", "ledger": 0, "table": rows}
    assert [each["differences"] for each in lost.document["months"]] == [[difference], []]
    assert "green-2021-01  ok" in added.out
    assert "nulls of mood" in added.out
    assert "nulls of mood" in gone.out
    check(unproved.document, "verify")
    assert "not verified: mood" in unproved.document["months"][0]["warnings"][0]


def test_one_added_column_may_be_spelt_in_two_ways(taxietl: Taxietl, either_warehouse: str) -> None:
    for month, name in ((1, "Mood"), (2, "mood")):
        path = Path(f"{month}.csv")
        write(path, "green", 2021, month, rows=5)
        header, *lines = path.read_text().splitlines()
        path.write_text("\n".join([f"{header},{name}", *(f"{each},fine" for each in lines), ""]))
        months = ("--color", "green", "--year", 2021, "--month", month)
        assert taxietl("ingest", *months, "--source", path).code == 0

    whole = taxietl("verify", "--color", "green")
    _doer(either_warehouse)("UPDATE green_trips SET mood = NULL")

    assert whole.code == 0, whole.out
    assert taxietl("verify", "--color", "green").code == 4


def _doer(kind: str) -> Callable[[str], None]:
    """What a user does by hand to either warehouse."""

    def do(statement: str) -> None:
        if kind == "duckdb":
            views = "DROP VIEW IF EXISTS trips; " if "DROP" in statement else ""
            return _change(Path("../home/taxi.duckdb"), views + statement)
        url = tomllib.loads(Path("taxietl.toml").read_text())["profiles"]["warehouse"]["url"]
        with closing(psycopg2.connect(url)) as server, server, server.cursor() as cursor:
            cursor.execute(statement)
        return None

    return do


@pytest.mark.parametrize(
    "cell",
    ["column_stats = '[]'", "column_stats = '{\"x\": 1}'", "rows_dropped = '[1]'",
     "transforms = '{\"name\": 1}'", "new_columns = '7'", "superseded_at = NULL"],
)  # fmt: skip
def test_a_ledger_row_changed_by_hand_is_named_and_repaired_by_force(
    taxietl: Taxietl, either_warehouse: str, cell: str
) -> None:
    write(Path("trips.csv"), "green", 2021, 1, rows=50)
    asked = ("ingest", "--color", "green", "--year", 2021, "--month", 1, "--source", "trips.csv")
    taxietl(*asked)
    (loaded,) = taxietl(*asked, "--force", "--json").document["months"]
    _doer(either_warehouse)(f"UPDATE taxietl_loads SET {cell}")

    refused = taxietl(*asked)
    doubted = taxietl("verify", "--color", "green")
    forced = taxietl(*asked, "--force")
    verified = taxietl("verify", "--color", "green")

    check_refused(refused, 5, "of taxietl_loads", "--force")
    assert loaded["load_id"] in refused.err or "superseded" in cell
    if "rows_dropped" not in cell and "transforms" not in cell:  # which it need not read
        check_refused(doubted, 5, "of taxietl_loads", "--force")
    assert forced.code == 0, forced.err
    assert verified.code == 0, verified.err


def test_a_table_of_a_schema_is_loaded_verified_and_inspected(
    taxietl: Taxietl, either_warehouse: str
) -> None:
    write(Path("trips.csv"), "green", 2021, 1, rows=200)
    month = ("--color", "green", "--year", 2021, "--month", 1)
    table = ("--table", "raw.green")

    loaded = taxietl("ingest", *month, "--source", "trips.csv", *table, "--json")
    planned = taxietl("ingest", *month, "--source", "trips.csv", *table, "--dry-run")
    whole = taxietl("verify", "--color", "green", *table, "--json")
    inspected = taxietl("inspect", *month, *table, "--json")
    _doer(either_warehouse)("UPDATE raw.green SET tip_amount = NULL")
    lost = taxietl("verify", "--color", "green", *table)
    refused = taxietl("ingest", *month, "--source", "trips.csv", "--table", 'x"; DROP TABLE y')

    assert (loaded.code, loaded.document["months"][0]["table"]) == (0, "raw.green")
    assert "nothing to do" in planned.out
    assert (whole.code, whole.document["months"][0]["table"]) == (0, "raw.green")
    assert inspected.document["table"] == "raw.green"
    assert (lost.code, "nulls of tip_amount" in lost.out) == (4, True)
    check_refused(refused, 2, "SCHEMA.NAME")
