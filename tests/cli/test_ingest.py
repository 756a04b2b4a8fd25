"""`taxietl ingest` from the outside: what it prints, counts, leaves and refuses."""

from __future__ import annotations

import gzip
import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from command import Taxietl, check_refused

from taxietl.extract.synthetic import write
from taxietl.tlc.datasets import dataset

MONTH = ("--color", "green", "--year", "2021", "--month", "1")
ROWS = 3000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with January 2021 of green."""
    folder = tmp_path / "files"
    folder.mkdir()
    write(folder / "green_tripdata_2021-01.parquet", "green", 2021, 1, rows=ROWS)
    return folder


def rows_of(home: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(home / "taxi.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_a_month_is_loaded_and_every_row_accounted_for(
    taxietl: Taxietl, home: Path, folder: Path
) -> None:
    done = taxietl("ingest", *MONTH, "--source", folder, "--json")

    (month,) = done.document["months"]
    dropped = month["rows_dropped"]["drop-zero-passengers"]
    assert done.code == 0
    assert month["action"] == "loaded"
    assert month["rows_read"] == ROWS == month["rows_loaded"] + dropped + month["rows_rejected"]
    assert dropped > 0
    assert rows_of(home, "SELECT count(*), min(source_month)::TEXT FROM green_trips") == [
        (month["rows_loaded"], "2021-01-01")
    ]
    (run,) = taxietl("runs", "show", "green-2021-01", "--json").document["attachments"]
    counts = dict(zip(run["content"]["columns"], *run["content"]["rows"], strict=True))
    assert counts == {
        "read": ROWS,
        "loaded": month["rows_loaded"],
        "dropped": dropped,
        "rejected": month["rows_rejected"],
    }
    assert "+ table    rows, 1 row\n" in taxietl("runs", "show", "green-2021-01").out


def test_the_text_names_the_rule_that_left_rows_out_and_the_way_to_keep_them(
    taxietl: Taxietl, home: Path, folder: Path
) -> None:
    done = taxietl("ingest", *MONTH, "--source", folder)

    assert "rows left out by drop-zero-passengers; --transform none keeps them" in done.out
    assert f"in table green_trips of {home / 'taxi.duckdb'}" in done.out.replace("rows in", "in")
    assert "post: missing passenger count: 0" in done.err


def test_a_second_run_has_nothing_to_do_and_says_what_it_compared(
    taxietl: Taxietl, folder: Path
) -> None:
    taxietl("ingest", *MONTH, "--source", folder)

    done = taxietl("ingest", *MONTH, "--source", folder, "--json")

    (month,) = done.document["months"]
    assert (done.code, month["action"]) == (0, "nothing to do")
    assert "version is unchanged" in month["reason"]
    assert f"contract {dataset('green').contract_version}, transforms drop-zero" in month["reason"]


def test_force_loads_the_same_rows_again_and_supersedes_the_ledger_row(
    taxietl: Taxietl, home: Path, folder: Path
) -> None:
    taxietl("ingest", *MONTH, "--source", folder)
    before = rows_of(home, "SELECT count(*), sum(hash(green_trips)) FROM green_trips")

    done = taxietl("ingest", *MONTH, "--source", folder, "--force", "--json")

    assert done.document["months"][0]["action"] == "replaced"
    assert rows_of(home, "SELECT count(*), sum(hash(green_trips)) FROM green_trips") == before
    assert rows_of(home, "SELECT count(*), count(superseded_at) FROM taxietl_loads") == [(2, 1)]
    assert rows_of(home, "SELECT count(*) FROM taxietl_months") == [(1,)]


def test_after_the_table_was_dropped_it_is_loaded_again(
    taxietl: Taxietl, home: Path, folder: Path
) -> None:
    taxietl("ingest", *MONTH, "--source", folder)
    with duckdb.connect(str(home / "taxi.duckdb")) as connection:
        connection.execute("DROP TABLE green_trips")

    done = taxietl("ingest", *MONTH, "--source", folder, "--json")

    assert (done.code, done.document["months"][0]["action"]) == (0, "loaded")


def test_other_bytes_at_the_same_place_are_a_restatement(
    taxietl: Taxietl, home: Path, folder: Path
) -> None:
    taxietl("ingest", *MONTH, "--source", folder)
    write(folder / "green_tripdata_2021-01.parquet", "green", 2021, 1, rows=ROWS + 10)

    done = taxietl("ingest", *MONTH, "--source", folder, "--json")

    (month,) = done.document["months"]
    assert month["action"] == "replaced"
    assert month["reason"].startswith("restated: SHA-256 ")
    assert month["replaced"]["rows_read"] == ROWS
    assert month["replaced"]["source_sha256"] != month["source_sha256"]


def test_other_bytes_from_another_folder_are_another_source(
    taxietl: Taxietl, home: Path, folder: Path, tmp_path: Path
) -> None:
    taxietl("ingest", *MONTH, "--source", folder)
    other = tmp_path / "other"
    other.mkdir()
    write(other / "green_tripdata_2021-01.parquet", "green", 2021, 1, rows=ROWS, seed=7)

    refused = taxietl("ingest", *MONTH, "--source", other)
    forced = taxietl("ingest", *MONTH, "--source", other, "--force", "--json")

    assert refused.code == 4
    assert "loaded from another source" in refused.err
    assert "--force" in refused.err
    assert forced.document["months"][0]["action"] == "replaced"


def test_the_same_bytes_from_another_folder_are_nothing_to_do(
    taxietl: Taxietl, folder: Path, tmp_path: Path
) -> None:
    taxietl("ingest", *MONTH, "--source", folder)
    shutil.copytree(folder, tmp_path / "moved")

    done = taxietl("ingest", *MONTH, "--source", tmp_path / "moved", "--json")

    assert done.document["months"][0]["action"] == "nothing to do"


def test_no_transform_keeps_every_row(taxietl: Taxietl, home: Path, folder: Path) -> None:
    taxietl("ingest", *MONTH, "--source", folder)

    done = taxietl("ingest", *MONTH, "--source", folder, "--transform", "none", "--json")

    (month,) = done.document["months"]
    assert "other transforms" in month["reason"]
    assert (month["rows_loaded"], month["rows_dropped"]) == (ROWS, {})


def test_a_warehouse_with_one_connection_is_not_asked_for_several(
    taxietl: Taxietl, folder: Path
) -> None:
    done = taxietl("ingest", *MONTH, "--source", folder, "--connections", "2")

    assert done.code == 2
    assert "takes rows over one connection only" in done.err
    assert "--connections is for PostgreSQL" in done.err


def test_a_dry_run_says_what_would_be_done_and_leaves_nothing(
    taxietl: Taxietl, home: Path, folder: Path
) -> None:
    done = taxietl("ingest", *MONTH, "--source", folder, "--dry-run", "--json")

    (plan,) = done.document["plans"]
    assert (done.code, plan["action"], plan["reason"]) == (0, "load", "not loaded yet")
    assert not (home / "taxi.duckdb").exists()


def test_of_several_months_the_good_ones_are_loaded_and_the_worst_code_counts(
    taxietl: Taxietl, home: Path, folder: Path
) -> None:
    write(folder / "green_tripdata_2021-03.csv.gz", "green", 2021, 3, rows=200)
    months = ("--color", "green", "--year", "2021", "--month", "1-3")

    done = taxietl("ingest", *months, "--source", folder, "--json")

    assert done.code == done.document["exit_code"] == 3
    assert [each["action"] for each in done.document["months"]] == ["loaded", "failed", "loaded"]
    assert "no file of green-2021-02" in done.document["months"][1]["error"]["message"]
    assert rows_of(home, "SELECT count(DISTINCT source_month) FROM green_trips") == [(2,)]


def test_a_synthetic_month_is_made_once_and_loaded_once(taxietl: Taxietl, home: Path) -> None:
    options = ("--color", "green", "--year", "2024", "--month", "2", "--source", "synthetic")

    first = taxietl("ingest", *options, "--json")
    again = taxietl("ingest", *options, "--json")

    assert first.document["months"][0]["rows_read"] == 76_518
    assert again.document["months"][0]["action"] == "nothing to do"


# Bad input: one clear error, its exit code, and nothing changed.


@pytest.mark.parametrize(
    ("color", "year", "month", "words"),
    [
        pytest.param("green", 2021, 13, ["month 13"], id="month 13"),
        pytest.param("yellow", 2008, 12, ["2008-12", "2009-01"], id="before the first month"),
        pytest.param("purple", 2021, 1, ["purple", "yellow"], id="no such colour"),
        pytest.param("gren", 2021, 1, ["Did you mean 'green'"], id="mistyped colour"),
    ],
)
def test_a_month_that_cannot_be_ischeck_refused(
    taxietl: Taxietl, home: Path, color: str, year: int, month: int, words: list[str]
) -> None:
    done = taxietl("ingest", "--color", color, "--year", year, "--month", month)

    check_refused(done, 2, *words)
    assert not home.exists()


def _spoil_nothing(path: Path) -> None:
    path.unlink()


def _cut_gzip(path: Path) -> None:
    whole = gzip.compress(b"x,y\n" * 100_000)
    path.with_name("green_tripdata_2021-01.csv.gz").write_bytes(whole[: len(whole) // 2])
    path.unlink()


def _html(path: Path) -> None:
    path.with_name("green_tripdata_2021-01.csv.gz").write_text("<!DOCTYPE html><html></html>")
    path.unlink()


def _cut_parquet(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2000])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _header_only(path: Path) -> None:
    names = ",".join(pq.read_schema(path).names)
    path.with_name("green_tripdata_2021-01.csv").write_text(f"{names}\r\n")
    path.unlink()


def _without_a_column(path: Path) -> None:
    pq.write_table(pq.read_table(path).drop_columns(["fare_amount"]), path)


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        pytest.param(_spoil_nothing, 3, ["no file of green-2021-01"], id="no file"),
        pytest.param(_cut_gzip, 3, ["unpacked"], id="cut gzip"),
        pytest.param(_html, 3, ["HTML"], id="HTML"),
        pytest.param(_cut_parquet, 3, ["cut short"], id="cut Parquet"),
        pytest.param(_empty, 3, ["empty"], id="empty"),
        pytest.param(_header_only, 4, ["no rows"], id="header only"),
        pytest.param(_without_a_column, 4, ["fare_amount"], id="missing column"),
    ],
)
def test_a_bad_file_is_refused_and_the_loaded_month_stays(
    taxietl: Taxietl, home: Path, folder: Path, spoil: object, code: int, words: list[str]
) -> None:
    taxietl("ingest", *MONTH, "--source", folder)
    before = rows_of(home, "SELECT count(*), sum(hash(green_trips)) FROM green_trips")
    spoil(folder / "green_tripdata_2021-01.parquet")  # type: ignore[operator]

    done = taxietl("ingest", *MONTH, "--source", folder)

    check_refused(done, code, *words)
    assert rows_of(home, "SELECT count(*), sum(hash(green_trips)) FROM green_trips") == before
    assert rows_of(home, "SELECT count(*) FROM taxietl_loads") == [(1,)]


def test_unreadable_lines_are_refused_listed_and_left_out_on_demand(
    taxietl: Taxietl, home: Path, folder: Path
) -> None:
    path = folder / "green_tripdata_2021-02.csv"
    write(path, "green", 2021, 2, rows=500)
    lines = path.read_text().splitlines()
    lines[10] = "1,2,3"
    path.write_text("\n".join(lines) + "\n")
    month = ("--color", "green", "--year", "2021", "--month", "2", "--source", folder)

    refused = taxietl("ingest", *month)
    allowed = taxietl("ingest", *month, "--max-rejects", 1, "--json")

    listed = next((home / "rejects").glob("*.csv"))
    check_refused(refused, 4, "line 11", "--max-rejects 1", str(listed))
    assert "row,11,,3 fields instead of 20" in listed.read_text()
    (loaded,) = allowed.document["months"]
    assert loaded["rows_rejected"] == 1
    assert rows_of(home, "SELECT kind, line, raw FROM taxietl_rejects") == [("row", 11, "1,2,3")]


def test_an_unknown_profile_is_guessed(taxietl: Taxietl, folder: Path) -> None:
    done = taxietl("ingest", *MONTH, "--source", folder, "--to", "warehose")

    check_refused(done, 2, "Did you mean 'warehouse'")


def test_a_mistyped_key_is_named_and_the_password_beside_it_is_not(
    taxietl: Taxietl, folder: Path
) -> None:
    Path("taxietl.toml").write_text(
        textwrap.dedent(
            """
            [profiles.warehouse]
            type = "postgres"
            hots = "localhost"
            password = "planted-s3cret"
            """
        )
    )

    done = taxietl("ingest", *MONTH, "--source", folder, "--debug")

    assert done.code == 2
    assert "profiles.warehouse.hots" in done.err
    assert "host" in done.err
    assert "planted-s3cret" not in done.err + done.out


def test_an_unknown_source_is_told_from_a_path_at_which_nothing_lies(taxietl: Taxietl) -> None:
    check_refused(taxietl("ingest", *MONTH, "--source", "sintetic"), 2, "'synthetic'")
    check_refused(taxietl("ingest", *MONTH, "--source", "./nowhere"), 3, "nowhere")


def test_a_file_that_is_no_duckdb_database_is_left_alone(
    taxietl: Taxietl, home: Path, folder: Path
) -> None:
    home.mkdir()
    with closing(sqlite3.connect(home / "taxi.duckdb")) as connection:
        connection.execute("CREATE TABLE mine (a)")
    before = (home / "taxi.duckdb").read_bytes()

    done = taxietl("ingest", *MONTH, "--source", folder)

    check_refused(done, 5, "not a DuckDB database")
    assert (home / "taxi.duckdb").read_bytes() == before


def test_a_table_of_that_name_made_by_somebody_else_is_left_alone(
    taxietl: Taxietl, home: Path, folder: Path
) -> None:
    home.mkdir()
    with duckdb.connect(str(home / "taxi.duckdb")) as connection:
        connection.execute("CREATE TABLE green_trips AS SELECT 1 AS a")

    done = taxietl("ingest", *MONTH, "--source", folder)

    check_refused(done, 5, "green_trips", "did not make", "--table")
    assert rows_of(home, "SELECT a FROM green_trips") == [(1,)]


HOLDER = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


def test_a_duckdb_file_held_by_another_process_is_a_matter_of_later(
    taxietl: Taxietl, home: Path, folder: Path
) -> None:
    taxietl("ingest", *MONTH, "--source", folder)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home / "taxi.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout
        holder.stdout.readline()

        done = taxietl("ingest", *MONTH, "--source", folder)

        holder.terminate()
    check_refused(done, 75, f"process {holder.pid}")


HOLDING_FLOW = """
import sys
from taxietl import flow, profile

@flow(name="Look at it")
def look() -> int:
    with profile("warehouse").connect():
        print("open", flush=True)
        sys.stdin.read()
    return 1

look()
"""


@pytest.mark.usefixtures("impatient")
def test_the_run_that_holds_the_duckdb_file_is_named(
    taxietl: Taxietl, home: Path, folder: Path
) -> None:
    taxietl("ingest", *MONTH, "--source", folder)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDING_FLOW],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"TAXIETL_HOME": str(home)},
        text=True,
    )
    with holder:
        assert holder.stdout
        holder.stdout.readline()

        done = taxietl("ingest", *MONTH, "--source", folder)

        runs = taxietl("runs", "ls", "--state", "running", "--json").document["runs"]
        holder.communicate()
    assert [run["flow"] for run in runs] == ["Look at it"]
    check_refused(done, 75, f"run '{runs[0]['name']}' (process {holder.pid})")


@pytest.mark.skipif(sys.platform != "linux", reason="/sys is Linux's")
def test_a_home_that_cannot_be_written_is_refused(taxietl: Taxietl, folder: Path) -> None:
    # Not even root may make a folder there.
    done = taxietl("--home", "/sys/taxietl", "ingest", *MONTH, "--source", folder)

    check_refused(done, 2, "/sys/taxietl", "--home")


def test_a_month_of_which_the_rules_leave_nothing_is_refused(
    taxietl: Taxietl, either_warehouse: str, tmp_path: Path
) -> None:
    path = tmp_path / "trips.parquet"
    write(path, "green", 2021, 1, rows=200)
    another = ("--color", "green", "--year", 2021, "--month", 2)

    asked = ("ingest", *another, "--source", path, "--transform", "drop-outside-month")
    done = taxietl(*asked, "--force")

    check_refused(done, 4, "no row is left to load", "--transform")


@pytest.mark.parametrize("command", ["ingest", "upload-gcs"])
@pytest.mark.parametrize(
    ("name", "month", "count"),
    [("any.csv", "1-3", 3), ("https://127.0.0.1:9/trips.parquet", "all", 12)],
)
def test_one_file_is_not_loaded_as_several_months(
    taxietl: Taxietl, command: str, name: str, month: str, count: int
) -> None:
    Path("taxietl.toml").write_text("[profiles.lake]\ntype = 'folder'\npath = 'lake'\n")
    if "://" not in name:
        write(Path(name), "green", 2021, 1, rows=20)
    asked = ("--color", "green", "--year", 2021, "--month", month)

    refused = taxietl(command, *asked, "--source", name)

    check_refused(refused, 2, "one file", f"{count} months", "folder")
    assert taxietl("runs", "ls", "--json").document["runs"] == []
