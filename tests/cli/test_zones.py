"""`taxietl zones`: the table in the warehouse, once; a second run finds nothing to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Taxietl, check_refused
from documents import check
from gcs import Gcs

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


def test_a_dry_run_says_what_would_be_done_and_force_does_it(
    taxietl: Taxietl, profile: str, folder: Path, home: Path
) -> None:
    arguments = ("zones", "--source", folder)

    before = taxietl(*arguments, "--dry-run", "--json")
    runs = taxietl("runs", "ls", "--json").document["runs"]
    taxietl(*arguments)
    after = taxietl(*arguments, "--dry-run")
    forced = taxietl(*arguments, "--force", "--dry-run", "--json")
    done = taxietl(*arguments, "--force", "--json")

    check(before.document, "zones_plan")
    assert before.document["plan"]["action"] == "load"
    assert (runs, len(taxietl("runs", "ls", "--json").document["runs"])) == ([], 2)
    assert after.out.startswith("taxi_zones  nothing to do: the same file")
    assert forced.document["plan"]["action"] == "replace"
    assert (done.document["zones"]["action"], done.document["zones"]["reason"]) == (
        "replaced",
        "--force",
    )


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
    broken.write_text("a,b\n1,2\n")
    page = folder / "page.csv"
    page.write_text("<html>")

    check_refused(taxietl("zones", "--source", page, "-q"), 3, "page.csv is an HTML")
    check_refused(taxietl("zones", "--source", broken, "-q"), 4, "broken.csv", "taxi_zone_lookup")
    check_refused(taxietl("zones", "--source", folder / "none.csv", "-q"), 3, "none.csv")
    check_refused(taxietl("zones", "--source", folder, "--to", "wherehouse"), 2, "'warehouse'?")
    assert taxietl("sql", "SELECT count(*) FROM zones", "--json").document["rows"] == [[2]]


@pytest.fixture(params=["bucket", "folder"])
def lake(request: pytest.FixtureRequest, home: Path, tmp_path: Path) -> Iterator[str]:
    """A configured lake of either kind; its address."""
    toml = Path("taxietl.toml")
    if request.param == "folder":
        root = tmp_path / "lake"
        toml.write_text(f"[profiles.lake]\ntype = 'folder'\npath = '{root}'\n")
        yield str(root)
        return
    service = Gcs()
    service.bucket("lake")
    with service.serving():
        toml.write_text(
            "[profiles.lake]\ntype = 'gcs'\nbucket = 'lake'\ncredentials = 'nobody'\n"
            f"endpoint = '{service.url}'\n"
            "[profiles.nobody]\ntype = 'gcp-credentials'\nanonymous = true\n"
        )
        yield "gs://lake"


def test_they_go_into_a_lake_once(taxietl: Taxietl, lake: str, folder: Path) -> None:
    first, second = (
        taxietl("zones", "--source", folder, "--to", "lake", "--json") for _ in range(2)
    )

    check(first.document, "zones")
    check(second.document, "zones")
    assert [each.document["zones"]["action"] for each in (first, second)] == [
        "loaded",
        "nothing to do",
    ]
    assert first.document["zones"]["target"] == f"{lake}/data/zones/taxi_zone_lookup.parquet"
    listed = taxietl("lake", "ls", "--json").document
    check(listed, "lake_ls")
    assert (listed["months"], listed["zones"]["rows"]) == ([], 2)
    assert "zones" in taxietl("lake", "ls").out
    assert taxietl("lake", "ls", "--color", "green", "--json").document["zones"] is None
    verified = taxietl("lake", "verify", "--json")
    check(verified.document, "lake_verify")
    assert [each["ok"] for each in verified.document["objects"]] == [True]
    assert taxietl("lake", "gc", "--json").document["removed"] == []
    rows = taxietl("sql", "--on", "lake", "SELECT * FROM taxi_zones ORDER BY ALL", "--json")
    assert [row[:2] for row in rows.document["rows"]] == [[1, "EWR"], [264, "Unknown"]]


def test_something_of_the_users_own_in_the_lake_stays(
    taxietl: Taxietl, home: Path, tmp_path: Path, folder: Path
) -> None:
    theirs = tmp_path / "lake/data/zones/taxi_zone_lookup.parquet"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"theirs")
    Path("taxietl.toml").write_text(
        f"[profiles.lake]\ntype = 'folder'\npath = '{tmp_path / 'lake'}'\n"
    )

    done = taxietl("zones", "--source", folder, "--to", "lake", "-q")

    check_refused(done, 5, "taxi_zone_lookup.parquet was not put there", "Move it away")
    assert theirs.read_bytes() == b"theirs"


def test_a_lakes_task_holds_a_slot_of_the_tag_gcs(
    taxietl: Taxietl, home: Path, tmp_path: Path, folder: Path
) -> None:
    Path("taxietl.toml").write_text(
        f"[limits]\ngcs = 0\n[profiles.lake]\ntype = 'folder'\npath = '{tmp_path / 'lake'}'\n"
    )

    done = taxietl("zones", "--source", folder, "--to", "lake", "-q")

    assert done.code == 2
    assert "gcs" in done.err
