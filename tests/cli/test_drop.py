"""`taxietl drop`: months go out whole, with their ledger rows, and come back by `ingest`."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Taxietl, check_refused
from documents import check

from taxietl.cli.session import profile_named
from taxietl.extract.synthetic import write
from taxietl.flows.ledger_rows import loaded_months
from taxietl.flows.warehouse import loader

GREEN = ("--color", "green", "--year", "2021")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    for month in (1, 2, 3):
        write(folder / f"green_tripdata_2021-{month:02d}.csv", "green", 2021, month, rows=80)
    return folder


@pytest.fixture
def loaded(taxietl: Taxietl, either_warehouse: str, files: Path) -> Path:
    """Three months in either warehouse; the folder they came from."""
    assert taxietl("ingest", *GREEN, "--month", "1-3", "--source", files).code == 0
    return files


def _count(taxietl: Taxietl, statement: str) -> int:
    rows = taxietl("sql", statement, "--json").document["rows"]
    return int(rows[0][0] if isinstance(rows[0], list) else next(iter(rows[0].values())))


def test_months_go_out_with_their_ledger_rows_and_come_back_by_ingest(
    taxietl: Taxietl, loaded: Path
) -> None:
    before = _count(taxietl, "SELECT count(*) FROM green_trips")

    done = taxietl("drop", *GREEN, "--month", "1,3", "--yes", "--json")

    check(done.document, "drop")
    assert done.code == 0
    dropped = {each["trip_file"]: each["rows"] for each in done.document["months"]}
    assert list(dropped) == ["green-2021-01", "green-2021-03"]
    left = _count(taxietl, "SELECT count(*) FROM green_trips")
    assert left == before - sum(dropped.values()) > 0
    assert _count(taxietl, "SELECT count(*) FROM taxietl_loads") == 3
    superseded = "SELECT count(*) FROM taxietl_loads WHERE superseded_at IS NOT NULL"
    assert _count(taxietl, superseded) == 2
    verified = taxietl("verify", "--color", "green", "--json").document["months"]
    assert [each["trip_file"] for each in verified] == ["green-2021-02"]
    check_refused(taxietl("inspect", *GREEN, "--month", 1), 2, "not loaded", "ingest")
    warehouse = loader(profile_named())
    assert list(loaded_months(warehouse, "green_trips", "green")) == ["2021-02"]

    again = taxietl("ingest", *GREEN, "--month", "1-3", "--source", loaded, "--json")

    actions = [each["action"] for each in again.document["months"]]
    assert actions == ["loaded", "nothing to do", "loaded"]
    assert _count(taxietl, "SELECT count(*) FROM green_trips") == before


def test_a_drop_is_a_run_and_what_is_out_already_is_nothing_to_do(
    taxietl: Taxietl, loaded: Path
) -> None:
    dropped = taxietl("drop", *GREEN, "--month", 2, "--yes")
    again = taxietl("drop", *GREEN, "--month", 2, "--yes", "--json")
    rest = taxietl("drop", *GREEN, "--month", "1,2", "--yes", "--json")

    assert dropped.out.startswith("green-2021-02  dropped: 8")
    assert taxietl("runs", "show", "drop-green-2021-02", "--json").document["flow"] == (
        "Drop a month"
    )
    check(again.document, "drop_plans")
    assert (again.code, again.document["plans"][0]["action"]) == (0, "nothing to do")
    assert [each["trip_file"] for each in rest.document["months"]] == ["green-2021-01"]


def test_without_a_month_all_of_the_colour_goes(taxietl: Taxietl, loaded: Path) -> None:
    plan = taxietl("drop", "--color", "all", "--dry-run", "--json")
    check(plan.document, "drop_plans")
    assert [each["action"] for each in plan.document["plans"]] == ["drop"] * 3
    assert _count(taxietl, "SELECT count(*) FROM taxietl_months") == 3

    taxietl("drop", "--color", "all", "--yes")

    assert _count(taxietl, "SELECT count(*) FROM taxietl_months") == 0
    assert "no such month" in taxietl("drop", "--color", "all", "--yes").out


def test_where_nobody_can_be_asked_it_needs_a_yes(taxietl: Taxietl, files: Path) -> None:
    taxietl("ingest", *GREEN, "--month", "1-2", "--source", files)

    check_refused(taxietl("drop", *GREEN), 2, "2 months with 1", "--yes", "--dry-run")
    assert _count(taxietl, "SELECT count(*) FROM taxietl_months") == 2


@pytest.mark.parametrize("answer", ["y", "n"])
def test_on_a_terminal_it_asks(
    taxietl: Taxietl, files: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    import os
    import pty

    taxietl("ingest", *GREEN, "--month", "1", "--source", files)
    leader, follower = pty.openpty()
    with os.fdopen(follower, "r") as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        os.write(leader, f"{answer}\n".encode())
        done = taxietl("drop", *GREEN)
    os.close(leader)

    assert "Take green-2021-01 with" in done.err
    assert done.code == (0 if answer == "y" else 130)
    months = _count(taxietl, "SELECT count(*) FROM taxietl_months")
    assert months == (0 if answer == "y" else 1)


def test_another_table_and_a_home_without_anything(taxietl: Taxietl, files: Path) -> None:
    assert "no such month" in taxietl("drop", "--color", "green", "--yes").out
    taxietl("ingest", *GREEN, "--month", "1-2", "--source", files, "--table", "mine")

    done = taxietl("drop", *GREEN, "--table", "mine", "--yes", "--json")

    assert [each["table"] for each in done.document["months"]] == ["mine", "mine"]


def test_a_warehouse_that_cannot_be_asked_is_not_taken_for_an_empty_one(taxietl: Taxietl) -> None:
    profile = 'type = "postgres"\nhost = "127.0.0.1"\nport = 1\ndatabase = "x"\nuser = "u"\n'
    Path("taxietl.toml").write_text(f"[profiles.warehouse]\n{profile}")

    for months in ((), ("--year", 2021, "--month", 1)):
        check_refused(taxietl("drop", "--color", "green", *months, "--yes"), 5, "127.0.0.1")
