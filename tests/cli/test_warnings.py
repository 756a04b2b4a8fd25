"""A warning about a month reaches whoever asked for it, in every output mode."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Taxietl
from documents import check

from taxietl.extract.synthetic import write

ASKED = ("--color", "green", "--year", "2021", "--month", "1")
NAMED = "green_tripdata_2021-02.csv is green-2021-02 by its name; it is taken for green-2021-01"
NEW = "green_tripdata_2021-02.csv has columns that no era knows, {}: mood"
NULLED = "green_tripdata_2021-02.csv has cells that could not be read, now null: 1 of VendorID"


@pytest.fixture
def odd(home: Path) -> Path:
    """A month under another's name, with a column that nobody knows and an unreadable cell."""
    Path("taxietl.toml").write_text("[profiles.lake]\ntype = 'folder'\npath = 'lake'\n")
    path = Path("green_tripdata_2021-02.csv")
    write(path, "green", 2021, 1, rows=200)
    header, *lines = path.read_text().splitlines()
    assert header.startswith("VendorID,")
    lines[0] = "x" + lines[0][lines[0].index(",") :]
    path.write_text("\n".join([header + ",mood", *(f"{line},fine" for line in lines)]) + "\n")
    return path


@pytest.mark.parametrize(
    ("command", "document", "fate"),
    [("ingest", "ingest", "added as text"), ("upload-gcs", "upload_gcs", "left out")],
)
def test_warnings_stand_in_the_summary_and_the_document(
    taxietl: Taxietl, odd: Path, command: str, document: str, fate: str
) -> None:
    asked = (command, *ASKED, "--source", odd)
    expected = [NAMED, NEW.format(fate), NULLED]

    planned = taxietl(*asked, "--dry-run", "--json")
    quiet = taxietl(*asked, "-q")
    again = taxietl(*asked, "-q")
    forced = taxietl(*asked, "--force", "--json", "-q")

    assert planned.document["plans"][0]["warnings"] == [NAMED]
    told = [line.strip() for line in quiet.out.splitlines() if "  warning: " in line]
    assert told == [f"warning: {each}" for each in expected]
    assert "run 'green-2021-01'" in quiet.out
    assert (quiet.err, forced.err) == ("", "")
    assert f"warning: {NAMED}" in again.out
    check(forced.document, document)
    assert forced.document["months"][0]["warnings"] == expected


@pytest.mark.parametrize("command", ["ingest", "upload-gcs"])
def test_a_month_that_fails_is_told_with_what_was_warned_of_before(
    taxietl: Taxietl, odd: Path, command: str
) -> None:
    header, *lines = odd.read_text().splitlines()
    odd.write_text("\n".join([header, *lines, "not,a,trip"]) + "\n")

    quiet = taxietl(command, *ASKED, "--source", odd, "-q")
    document = taxietl(command, *ASKED, "--source", odd, "--json").document

    told = [line for line in quiet.err.splitlines() if line.startswith("warning: ")]
    assert (quiet.code, told[0], len(told)) == (4, f"warning: {NAMED}", 3)
    check(document, "error")
    assert document["error"]["warnings"] == [each.removeprefix("warning: ") for each in told]


def test_one_month_of_several_keeps_its_warnings_when_it_fails(
    taxietl: Taxietl, home: Path, odd: Path
) -> None:
    folder = Path("files")
    folder.mkdir()
    odd.rename(folder / "green_tripdata_2021-01.csv")
    (folder / "green_tripdata_2021-02.csv").write_text("no,trips\n")

    done = taxietl("ingest", *ASKED, "--month", "2", "--source", folder, "-q", "--json")

    first, second = done.document["months"]
    assert (done.code, len(first["warnings"]), second["error"]["warnings"]) == (4, 2, [])
    check(done.document, "ingest")


def test_of_several_files_of_a_month_the_one_that_is_taken_is_told(
    taxietl: Taxietl, home: Path
) -> None:
    folder = Path("files")
    folder.mkdir()
    for ending in ("csv", "parquet"):
        write(folder / f"green_tripdata_2021-01.{ending}", "green", 2021, 1, rows=20)

    (month,) = taxietl("ingest", *ASKED, "--source", "files", "--json").document["months"]

    (warning,) = month["warnings"]
    assert "green_tripdata_2021-01.parquet is taken, green_tripdata_2021-01.csv left" in warning
