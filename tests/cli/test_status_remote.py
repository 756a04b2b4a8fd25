"""`taxietl status --remote`: what the source has, held to what is here; nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from command import Done, Taxietl, check_refused
from documents import check
from file_server import FileServer, Status

from taxietl.extract.synthetic import write
from taxietl.flows.coverage import Coverage, CoveredMonth, MonthState, Remote, TableCoverage
from taxietl.flows.coverage_records import Reading
from taxietl.pictures.coverage_words import sync_line
from taxietl.tlc.trip_file import TripFile

pytestmark = pytest.mark.dates

GREEN = ("--color", "green", "--year", 2021)


def _name(month: int) -> str:
    return f"green_tripdata_2021-{month:02d}.parquet"


@pytest.fixture
def server(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """The TLC's server, with January to April."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    path = tmp_path / "month.parquet"
    with FileServer() as server:
        Path("taxietl.toml").write_text(f'[sources.tlc]\nurl = "{server.template}"\n')
        for month in (1, 2, 3, 4):
            write(path, "green", 2021, month, rows=20)
            server.put(_name(month), path.read_bytes())
        yield server


def _by_month(done: Done, what: str) -> dict[int, Any]:
    (table,) = done.document["tables"]
    return {int(each["trip_file"][-2:]): each[what] for each in table["months"]}


def test_each_month_is_told_as_the_source_has_it(taxietl: Taxietl, server: FileServer) -> None:
    taxietl("ingest", *GREEN, "--month", "1-4", "-q")
    taxietl("drop", *GREEN, "--month", 4, "--yes", "-q")
    server.put(
        _name(2),
        server.files[f"/{_name(2)}"].content,
        etag='"second"',
        last_modified=datetime(2024, 1, 2, tzinfo=UTC),
    )
    server.put(_name(5), b"there")
    del server.files[f"/{_name(3)}"]
    gets = len(server.asked("GET"))

    done = taxietl("status", *GREEN, "--remote", "--json")

    check(done.document, "status")
    assert done.code == 0
    assert list(_by_month(done, "state").values())[:7] == [
        *("loaded", "changed", "withdrawn", "dropped", "new", "overdue", "overdue")
    ]
    assert list(_by_month(done, "remote").values())[:6] == [
        *("unchanged", "changed", "withdrawn", None, "new", "overdue")
    ]
    assert done.document["remote"] == {
        "source": "tlc",
        "asked": 11,
        "from_elsewhere": 0,
        "unanswered": 0,
        "error": None,
    }
    assert len(server.asked("GET")) == gets
    text = taxietl("status", *GREEN, "--remote").out
    assert "green-2021-02  changed" in text
    assert "the source's file is of 2024-01-02 00:00 UTC; 19 rows of" in text


def test_a_month_that_was_found_to_be_only_touched_stays_so(
    taxietl: Taxietl, server: FileServer
) -> None:
    taxietl("ingest", *GREEN, "--month", 2, "-q")
    server.put(_name(2), server.files[f"/{_name(2)}"].content, etag='"second"')
    before = _by_month(taxietl("status", *GREEN, "--remote", "--json"), "remote")[2]
    taxietl("ingest", *GREEN, "--month", 2, "-q")  # fetches it, to compare its bytes

    after = taxietl("status", *GREEN, "--remote", "--json")

    assert (before, _by_month(after, "remote")[2]) == ("changed", "touched")
    assert _by_month(after, "state")[2] == "loaded"


def test_a_folder_is_compared_by_its_bytes(taxietl: Taxietl, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for month in (1, 2):
        write(files / f"green_tripdata_2021-{month:02d}.csv", "green", 2021, month, rows=20)
    taxietl("ingest", *GREEN, "--month", "1-2", "--source", files, "-q")
    (files / "green_tripdata_2021-01.csv").touch()
    write(files / "green_tripdata_2021-02.csv", "green", 2021, 2, rows=21)

    done = taxietl("status", *GREEN, "--remote", "--source", files, "--json")

    assert list(_by_month(done, "remote").values())[:2] == ["touched", "restated"]
    assert list(_by_month(done, "state").values())[:2] == ["loaded", "restated"]


def test_nothing_is_made_to_be_compared(taxietl: Taxietl, home: Path) -> None:
    taxietl("ingest", *GREEN, "--month", 1, "--source", "synthetic", "-q")
    with duckdb.connect(str(home / "taxi.duckdb")) as connection:
        connection.execute("UPDATE taxietl_loads SET source_etag = 'of an earlier taxietl'")
    made = sorted((home / "cache").rglob("*"))
    for each in made:
        each.unlink(missing_ok=True)

    done = taxietl("status", *GREEN, "--remote", "--source", "synthetic", "--json")

    assert _by_month(done, "remote")[1] == "changed"
    assert not [each for each in made if each.exists()]


def test_without_months_it_asks_for_what_is_there_the_gaps_and_the_latest(
    taxietl: Taxietl, server: FileServer
) -> None:
    taxietl("ingest", *GREEN, "--month", 1, "-q")
    before = len(server.asked("HEAD"))

    done = taxietl("status", "--remote", "--json")

    asked = {each.path.rpartition("/")[2] for each in server.asked("HEAD")[before:]}
    assert _name(1) in asked
    assert "green_tripdata_2020-12.parquet" not in asked
    assert {each[:5] for each in asked} == {"green"}
    assert done.document["remote"]["asked"] == len(asked)


def test_what_was_loaded_from_elsewhere_is_not_compared(
    taxietl: Taxietl, server: FileServer, tmp_path: Path
) -> None:
    path = tmp_path / "green_tripdata_2021-03.csv"
    write(path, "green", 2021, 3, rows=20)
    taxietl("ingest", *GREEN, "--month", 3, "--source", path, "-q")
    del server.files[f"/{_name(3)}"]

    done = taxietl("status", *GREEN, "--remote", "--json")

    assert (_by_month(done, "remote")[3], _by_month(done, "state")[3]) == ("other source", "loaded")
    assert "1 month was not loaded from tlc" in taxietl("status", *GREEN, "--remote").err


def test_a_source_that_does_not_answer_is_left_alone_and_the_rest_is_shown(
    taxietl: Taxietl, server: FileServer
) -> None:
    taxietl("ingest", *GREEN, "--month", 1, "-q")
    server.answers["*"] = Status(503)
    before = len(server.asked("HEAD"))

    done = taxietl("status", *GREEN, "--remote", "--json")

    check(done.document, "status")
    assert (done.code, done.document["remote"]["unanswered"]) == (3, 12)
    assert _by_month(done, "state")[1] == "loaded"
    assert _by_month(done, "remote")[1] == "unknown"
    assert len(server.asked("HEAD")) - before < 12
    assert "did not answer for 12 of 12 months" in done.err


def test_a_source_that_has_nothing_at_all_proves_nothing(taxietl: Taxietl, tmp_path: Path) -> None:
    month = tmp_path / "files" / "green_tripdata_2021-01.csv"
    month.parent.mkdir()
    write(month, "green", 2021, 1, rows=20)
    taxietl("ingest", *GREEN, "--month", 1, "--source", month.parent, "-q")
    month.unlink()

    done = taxietl("status", *GREEN, "--remote", "--source", month.parent, "--json")

    assert (done.code, _by_month(done, "state")[1]) == (3, "loaded")
    assert set(_by_month(done, "remote").values()) == {"unknown"}


@pytest.mark.parametrize(
    ("profile", "source", "line"),
    [
        ("warehouse", "tlc", "taxietl sync --color green"),
        ("lake", "./files", "taxietl sync --color green --to lake --source ./files"),
    ],
)
def test_what_loads_it_is_said(profile: str, source: str, line: str) -> None:
    month = CoveredMonth(TripFile("green", 2021, 1), MonthState.NEW)
    table = TableCoverage("green", "green_trips", is_usual=True, months=(month,))
    reading = Reading(profile, "here", "ledger", {}, (), ())
    now = datetime(2021, 7, 15, tzinfo=UTC)

    found = Coverage(reading, now, (table,), (), Remote(source, 1, 0, 0, None))

    assert sync_line(found) == line
    assert sync_line(replace(found, remote=None)) == ""


def test_a_source_goes_with_remote(taxietl: Taxietl) -> None:
    check_refused(taxietl("status", "--source", "tlc"), 2, "--remote")
    refused = taxietl("status", *GREEN, "--remote", "--source", "nowhere")
    assert refused.code == 2
