"""`taxietl zones`: the table in the warehouse, once; a second run finds nothing to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Taxietl, check_refused
from documents import check

TABLE = (
    '"LocationID","Borough","Zone","service_zone"\r\n'
    '1,"EWR","Newark Airport","EWR"\r\n264,"Unknown","N/A","N/A"\r\n'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "taxi_zone_lookup.csv").write_bytes(TABLE.encode())
    return folder


@pytest.fixture(params=["duckdb", "postgres"])
def profile(request: pytest.FixtureRequest, home: Path) -> str:
    """The default warehouse, of each kind."""
    if request.param == "postgres":
        url = request.getfixturevalue("warehouse")
        Path("taxietl.toml").write_text(f'[profiles.warehouse]\ntype = "postgres"\nurl = "{url}"\n')
    return str(request.param)


def test_a_second_run_finds_nothing_to_do(taxietl: Taxietl, profile: str, folder: Path) -> None:
    first, second = (taxietl("zones", "--source", folder, "--json") for _ in range(2))
    third = taxietl("zones", "--source", folder / "taxi_zone_lookup.csv", "-q")

    check(first.document, "zones")
    check(second.document, "zones")
    assert [each.document["zones"]["action"] for each in (first, second)] == [
        "loaded",
        "nothing to do",
    ]
    assert third.out.startswith("taxi_zones  nothing to do: the same file (SHA-256 ")
    rows = taxietl("sql", "SELECT * FROM zones ORDER BY location_id", "--json").document["rows"]
    assert rows == [[1, "EWR", "Newark Airport", "EWR"], [264, "Unknown", "N/A", "N/A"]]


def test_a_restated_file_replaces_the_table(taxietl: Taxietl, folder: Path) -> None:
    taxietl("zones", "--source", folder)
    path = folder / "taxi_zone_lookup.csv"
    path.write_bytes(TABLE.replace("N/A", "NV").encode())

    done = taxietl("zones", "--source", folder)

    assert "taxi_zones  replaced: 2 zones into" in done.out
    assert "restated" in done.out
    run = taxietl("runs", "ls", "--json").document["runs"][0]
    assert (run["flow"], run["state"]) == ("Load zones", "Completed")


def test_what_goes_wrong_is_told_and_leaves_the_table(taxietl: Taxietl, folder: Path) -> None:
    taxietl("zones", "--source", folder)
    broken = folder / "broken.csv"
    broken.write_text("<html>")

    check_refused(taxietl("zones", "--source", broken, "-q"), 4, "broken.csv", "taxi_zone_lookup")
    check_refused(taxietl("zones", "--source", folder / "none.csv", "-q"), 3, "none.csv")
    check_refused(taxietl("zones", "--source", folder, "--to", "wherehouse"), 2, "'warehouse'?")
    assert taxietl("sql", "SELECT count(*) FROM zones", "--json").document["rows"] == [[2]]
