"""A file of another month than was asked for is not loaded, whichever way it would go."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Taxietl, check_refused

from taxietl.extract.synthetic import write


@pytest.fixture(autouse=True)
def lake(home: Path) -> Path:
    """A lake beside the default warehouse."""
    with Path("taxietl.toml").open("a") as config:
        config.write("[profiles.lake]\ntype = 'folder'\npath = 'lake'\n")
    return Path("lake")


def asked(color: str, month: str, *more: object) -> tuple[object, ...]:
    year, _, number = month.partition("-")
    return ("--color", color, "--year", year, "--month", int(number), *more)


@pytest.mark.parametrize("color", ["yellow", "green", "fhv", "fhvhv"])
@pytest.mark.parametrize("command", ["ingest", "upload-gcs", "upload-gcs --raw"])
def test_a_file_of_another_month_is_refused(
    taxietl: Taxietl, lake: Path, home: Path, color: str, command: str
) -> None:
    write(Path("trips.csv"), color, 2021, 1, rows=150)
    name, *raw = command.split()

    refused = taxietl(name, *raw, *asked(color, "2020-01", "--source", "trips.csv"))
    shown = taxietl("sql", "SELECT table_name FROM duckdb_tables()", "--json")
    right = taxietl(name, *raw, *asked(color, "2021-01", "--source", "trips.csv"))

    check_refused(refused, 4, f"{color}-2020-01", "of another month", "in 2021-01", "--force")
    assert not [each for each in lake.rglob("*") if each.is_file() and "2020" in str(each)]
    assert shown.code != 0 or shown.document["rows"] == []
    assert right.code == 0, right.err


@pytest.mark.parametrize("command", ["ingest", "upload-gcs", "upload-gcs --raw"])
def test_force_loads_it_and_the_summary_says_so(taxietl: Taxietl, command: str) -> None:
    write(Path("trips.csv"), "green", 2021, 1, rows=150)
    name, *raw = command.split()

    forced = taxietl(
        *(name, *raw, *asked("green", "2020-01", "--source", "trips.csv", "--force", "--json"))
    )

    (month,) = forced.document["months"]
    assert (forced.code, len(month["warnings"])) == (0, 1)
    assert "pick-ups in 2021-01" in month["warnings"][0]


def test_bytes_that_are_loaded_as_another_month_are_refused(
    taxietl: Taxietl, either_warehouse: str
) -> None:
    write(Path("trips.csv"), "green", 2021, 1, rows=150)
    loaded = taxietl("ingest", *asked("green", "2021-01", "--source", "trips.csv"))

    refused = taxietl("ingest", *asked("green", "2020-12", "--source", "trips.csv"))
    planned = taxietl("ingest", *asked("green", "2020-12", "--source", "trips.csv", "--dry-run"))
    elsewhere = taxietl(
        "ingest", *asked("green", "2020-12", "--source", "trips.csv", "--table", "other")
    )
    forced = taxietl("ingest", *asked("green", "2020-12", "--source", "trips.csv", "--force"))
    again = taxietl("ingest", *asked("green", "2020-12", "--source", "trips.csv"))

    assert loaded.code == 0, loaded.err
    check_refused(refused, 4, "loaded as green-2021-01", "--force")
    assert (planned.code, "refuse: " in planned.out) == (4, True)
    assert "loaded as green-2021-01" in planned.out
    check_refused(elsewhere, 4, "pick-ups in 2021-01")
    assert forced.code == 0, forced.err
    assert "nothing to do" in again.out
