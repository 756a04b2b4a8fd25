"""`taxietl status`: the grid, the lines, the document and the page; where they are read."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Done, Taxietl, check_refused
from documents import check
from markup import Page

from taxietl.extract.synthetic import write

GREEN = ("--color", "green", "--year", 2021)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    for month in (1, 2, 3):
        write(folder / f"green_tripdata_2021-{month:02d}.csv", "green", 2021, month, rows=80)
    (folder / "green_tripdata_2021-04.csv").write_text("a,<b>\n1,2\n")
    return folder


def states(done: Done) -> dict[str, str]:
    """Of each month, in its table; those missing left out."""
    return {
        f"{month['trip_file'][-7:]} {table['table']}": month["state"]
        for table in done.document["tables"]
        for month in table["months"]
        if month["state"] not in ("missing", "unknown", "not published")
    }


def _load(taxietl: Taxietl, files: Path) -> None:
    """January to March are loaded, February is dropped again, April is refused."""
    taxietl("ingest", *GREEN, "--month", "1-4", "--source", files, "-q")
    taxietl("drop", *GREEN, "--month", 2, "--yes", "-q")


EXPECTED = {
    "2021-01 green_trips": "loaded",
    "2021-02 green_trips": "dropped",
    "2021-03 green_trips": "loaded",
    "2021-04 green_trips": "refused",
}


def test_a_warehouse_by_its_ledger(taxietl: Taxietl, either_warehouse: str, files: Path) -> None:
    _load(taxietl, files)

    done = taxietl("status", "--json")

    check(done.document, "status")
    assert (done.code, done.document["read_from"]) == (0, "ledger")
    assert states(done) == EXPECTED
    (table,) = done.document["tables"]
    assert (table["newest"], table["months_there"]) == ("green-2021-03", 2)
    assert table["rows"] == sum(each["rows"] or 0 for each in table["months"]) > 0


@pytest.fixture
def held(home: Path, taxietl: Taxietl, files: Path) -> Iterator[int]:
    """Another process has the DuckDB file, with a transaction open; gives its number."""
    _load(taxietl, files)
    code = (
        "import sys, duckdb; c = duckdb.connect(sys.argv[1]); c.execute('BEGIN; CREATE TABLE x "
        "(a INT)'); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(home / "taxi.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stdin
        process.stdout.readline()
        yield process.pid
        process.stdin.close()


def test_a_duckdb_file_that_another_process_has_is_told_of_by_the_history(
    taxietl: Taxietl, held: int
) -> None:
    began = time.monotonic()

    done = taxietl("status", *GREEN, "--json")

    assert time.monotonic() - began < 2
    check(done.document, "status")
    assert (done.document["read_from"], done.document["held_by"]) == ("history", f"process {held}")
    assert states(done) == EXPECTED
    (table,) = done.document["tables"]
    assert {each["state"] for each in table["months"][4:]} == {"unknown"}
    assert f"open in process {held}" in taxietl("status").err


def test_reading_it_changes_nothing(taxietl: Taxietl, home: Path, files: Path) -> None:
    _load(taxietl, files)
    before = (home / "taxi.duckdb").read_bytes()

    done = taxietl("status", "--json")

    assert done.document["read_from"] == "ledger"
    assert (home / "taxi.duckdb").read_bytes() == before


def test_a_lake_by_its_manifests(taxietl: Taxietl, files: Path, tmp_path: Path) -> None:
    Path("taxietl.toml").write_text('[profiles.lake]\ntype = "folder"\npath = "lake"\n')
    taxietl("upload-gcs", *GREEN, "--month", "1-2,4", "--source", files, "-q")
    taxietl("upload-gcs", *GREEN, "--month", 3, "--source", files, "--raw", "-q")
    Path("lake/data/green/green_tripdata_2021-02.parquet").unlink()

    done = taxietl("status", "--on", "lake", "--json")

    check(done.document, "status")
    assert (done.code, done.document["read_from"]) == (0, "manifests")
    assert states(done) == {
        "2021-01 parquet": "loaded",
        "2021-02 parquet": "broken",
        "2021-04 parquet": "refused",
        "2021-03 raw": "loaded",
    }


def test_a_line_a_month_where_it_is_no_terminal(taxietl: Taxietl, files: Path) -> None:
    _load(taxietl, files)

    done = taxietl("status", *GREEN)

    assert "\x1b" not in done.out
    lines = [line.split() for line in done.out.splitlines()]
    assert lines[0] == ["month", "state", "rows", "loaded", "table", "run", "reason"]
    assert [line[:2] for line in lines[1:6]] == [
        ["green-2021-01", "loaded"],
        ["green-2021-02", "dropped"],
        ["green-2021-03", "loaded"],
        ["green-2021-04", "refused"],
        ["green-2021-05", "missing"],
    ]
    assert lines[4][7:9] == ["'green-2021-04':", "SchemaError:"]
    assert "by its ledger" in done.err


def test_times_are_utc_in_any_zone(taxietl: Taxietl, home: Path, files: Path) -> None:
    _load(taxietl, files)

    done = subprocess.run(
        [sys.executable, "-m", "taxietl", "--home", str(home), "status", "--json"],
        env=os.environ | {"TZ": "America/New_York"},
        stdout=subprocess.PIPE,
        check=True,
    )

    (table,) = json.loads(done.stdout)["tables"]
    assert table["loaded_at"].endswith("+00:00")


def test_the_lines_end_with_what_is_known_unless_months_are_named(
    taxietl: Taxietl, files: Path
) -> None:
    _load(taxietl, files)

    done, of_years = taxietl("status"), taxietl("status", "--color", "green", "--since", "2020-12")

    assert [line.split()[0] for line in done.out.splitlines()[1:]] == [
        f"green-2021-0{month}" for month in range(1, 5)
    ]
    assert "months before and after these are not listed" in done.err
    assert of_years.out.splitlines()[1].startswith("green-2020-12  missing")
    assert "not listed" not in of_years.err


def _on_a_terminal(*line: str) -> str:
    """What a terminal of 80 columns is shown."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80"}
    with subprocess.Popen(
        [sys.executable, "-m", "taxietl", *line], stdout=follower, env=environment
    ) as process:
        os.close(follower)
        shown = b""
        try:
            while some := os.read(leader, 65536):
                shown += some
        except OSError:  # the other end is closed
            pass
    os.close(leader)
    assert process.returncode == 0
    return shown.decode().replace("\r\n", "\n")


def test_a_grid_of_letters_on_a_terminal(
    taxietl: Taxietl, files: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _load(taxietl, files)

    coloured = _on_a_terminal("--home", str(home), "status")
    monkeypatch.setenv("NO_COLOR", "1")
    plain = _on_a_terminal("--home", str(home), "status")

    assert "\x1b[30;42m L " in coloured
    assert "\x1b[30;42m" not in plain
    lines = re.sub(r"\x1b\[[0-9;]*m", "", plain).splitlines()
    assert lines == re.sub(r"\x1b\[[0-9;]*m", "", coloured).splitlines()
    assert max(map(len, lines[1:])) <= 80  # the first has the warehouse's path
    (row,) = [line.split() for line in lines if line.startswith("2021 ")]
    assert row[1:13] == ["L", "D", "L", "X", *["."] * 8]
    assert any(line.startswith("2013 to 2020: 89 months missing") for line in lines)
    assert any(line.startswith("green-2021-04  refused  run") for line in lines)
    assert any(" X  refused for its data" in line for line in lines)
    assert lines[-1] == "Nothing of yellow, fhv, fhvhv; --color all shows them."


def test_the_page_stands_alone_and_repeats_no_markup(
    taxietl: Taxietl, files: Path, tmp_path: Path
) -> None:
    _load(taxietl, files)
    out = tmp_path / "status.html"

    done = taxietl("status", "--html", out, "--json")

    assert done.document["html"] == str(out)
    text = out.read_text(encoding="utf-8")
    page = Page(text)
    assert (page.open, page.loads) == ([], [])
    assert not page.tags & {"script", "link", "img", "iframe", "b>", "object"}
    assert "@import" not in text
    assert "url(" not in text
    assert "unknown are <b>, a" in page.text
    assert text.count('class="month loaded') == 2
    assert "green-2021-01: loaded" in text


def test_where_nothing_is_it_says_what_to_type(taxietl: Taxietl, home: Path) -> None:
    done = taxietl("status", "--json")

    check(done.document, "status")
    assert (done.code, done.document["tables"]) == (0, [])
    assert not home.exists()
    assert taxietl("status", "--color", "fhvhv", "--year", 2020).out.count("missing") == 12


def test_what_it_refuses(taxietl: Taxietl, tmp_path: Path) -> None:
    profile = 'type = "postgres"\nhost = "127.0.0.1"\nport = 1\ndatabase = "x"\nuser = "u"\n'
    Path("taxietl.toml").write_text(
        f'[profiles.gone]\n{profile}[profiles.bq]\ntype = "bigquery"\nproject = "p"\n'
        'dataset = "d"\n'
    )

    check_refused(taxietl("status", "--on", "gone"), 5, "127.0.0.1")
    check_refused(taxietl("status", "--on", "gonne"), 2, "gone")
    check_refused(taxietl("status", "--on", "bq"), 2, "no warehouse")
    check_refused(taxietl("status", "--html", tmp_path / "no" / "a.html"), 2, "--html")
    check_refused(taxietl("status", "--color", "blue"), 2, "yellow")
