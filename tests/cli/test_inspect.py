"""`taxietl inspect`: the report as tables, as JSON and as a page; what it refuses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command import Taxietl, check_refused
from documents import check
from markup import Page

from taxietl.extract.synthetic import write

GREEN = ("--color", "green", "--year", 2021, "--month", 1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A month with an own column whose values would be markup."""
    path = tmp_path / "files" / "green_tripdata_2021-01.csv"
    path.parent.mkdir()
    write(path, "green", 2021, 1, rows=300)
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([f"{header},own<b>", *(f"{each},<i>&\"x'" for each in lines)]))
    return path


@pytest.mark.parametrize("kind", ["duckdb", "postgres", "file"])
def test_the_document_is_as_described(
    taxietl: Taxietl, file: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    if kind == "postgres":
        url = request.getfixturevalue("warehouse")
        Path("taxietl.toml").write_text(f'[profiles.warehouse]\ntype = "postgres"\nurl = "{url}"\n')
    if kind != "file":
        taxietl("ingest", *GREEN, "--source", file.parent, "--transform", "none")

    done = taxietl("inspect", *((file,) if kind == "file" else GREEN), "--json")

    check(done.document, "inspect")
    assert (done.code, done.document["rows"]) == (0, 300)
    assert done.document["origin"] == ("file" if kind == "file" else "table")
    (own,) = [each for each in done.document["columns"] if each["name"] == "own<b>"]
    assert own["values"] == [{"value": "<i>&\"x'", "rows": 300}]


def test_the_tables_tell_findings_and_columns(taxietl: Taxietl, file: Path) -> None:
    taxietl("ingest", *GREEN, "--source", file.parent, "--transform", "none")

    done = taxietl("inspect", *GREEN)

    assert done.code == 0
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert lines[0] == "green-2021-01 300 rows"
    assert "loaded by run 'green-2021-01'" in lines[1]
    assert "0 rows equal to another one in every column" in lines
    assert any(line.startswith("total_amount ") for line in lines)
    assert any(line.startswith("Empty: ehail_fee, ") for line in lines)


def test_the_page_stands_alone_and_repeats_no_markup(
    taxietl: Taxietl, file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "report.html"

    done = taxietl("inspect", file, "--html", out, "--json")

    assert done.document["html"] == str(out)
    text = out.read_text(encoding="utf-8")
    page = Page(text)
    assert (page.open, page.loads) == ([], [])
    assert not page.tags & {"script", "link", "img", "iframe", "i", "object"}
    assert "@import" not in text
    assert not re.search(r"<th[^>]*></th>", text)  # nothing for a screen reader
    assert "url(" not in text
    assert "<i>&\"x'" in page.text
    assert "own<b>" in page.text
    for heading in ("Trips by day of the month", "How long trips lasted, minutes", "Findings"):
        assert heading in page.text
    assert text.count("<svg") > 20


def test_a_file_named_as_the_tlc_does_says_its_month(taxietl: Taxietl, file: Path) -> None:
    renamed = file.rename(file.with_name("january.csv"))

    check_refused(taxietl("inspect", renamed), 2, "Which month", "--color green")
    assert taxietl("inspect", renamed, *GREEN, "--json").document["rows"] == 300
    assert taxietl("inspect", *GREEN, "--source", renamed, "--json").document["rows"] == 300


def test_nothing_is_changed(taxietl: Taxietl, file: Path, home: Path) -> None:
    taxietl("ingest", *GREEN, "--source", file.parent)
    before = (home / "taxi.duckdb").read_bytes()

    taxietl("inspect", *GREEN)
    taxietl("inspect", file)

    assert (home / "taxi.duckdb").read_bytes() == before
    assert len(taxietl("runs", "ls", "--json").document["runs"]) == 1


def test_what_cannot_be_is_refused(taxietl: Taxietl, file: Path, tmp_path: Path) -> None:
    taxietl("ingest", *GREEN, "--source", file.parent, "--to", "warehouse")

    check_refused(taxietl("inspect", "--color", "green", "--year", 2021, "--month", 2), 2, "ingest")
    check_refused(taxietl("inspect", "--color", "gren", "--year", 2021, "--month", 1), 2, "'green'")
    check_refused(taxietl("inspect", *GREEN, "--on", "nowhere"), 2, "nowhere")
    check_refused(taxietl("inspect", file, "--on", "warehouse"), 2, "--on")
    check_refused(taxietl("inspect", file, "--source", file), 2, "--source")
    check_refused(taxietl("inspect", file.with_name("green_tripdata_2021-03.csv")), 3, "2021-03")
    check_refused(taxietl("inspect", *GREEN, "--html", tmp_path / "no" / "a.html"), 2, "--html")


def test_a_pipe_gets_no_colour(taxietl: Taxietl, file: Path) -> None:
    assert "\x1b[" not in taxietl("inspect", file).out
