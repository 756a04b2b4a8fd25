"""`taxietl ingest` from a server: by name, by default, by address; restated, blocked, not yet."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command import Taxietl, check_refused
from documents import check
from file_server import Cut, FileServer, Status

from taxietl.extract.synthetic import write

pytestmark = pytest.mark.dates

MONTH = ("--color", "green", "--year", "2021", "--month", "2")
FEBRUARY = "green_tripdata_2021-02.parquet"
ROWS = 2000


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as server:
        yield server


@pytest.fixture(scope="module")
def february(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("months") / FEBRUARY
    write(path, "green", 2021, 2, rows=ROWS)
    return path.read_bytes()


@pytest.fixture(autouse=True)
def _published(
    home: Path, server: FileServer, february: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The TLC's server is one on loopback."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (Path.cwd() / "taxietl.toml").write_text(
        f'[sources.tlc]\nurl = "{server.template}"\n'
        f'[sources.company]\nurl = "{server.template}?token=hunter2"\n'
    )
    server.put(FEBRUARY, february)
    server.put("green_tripdata_2021-01.parquet", b"there")


def restated(server: FileServer, path: Path, *, rows: int = ROWS + 10) -> None:
    write(path, "green", 2021, 2, rows=rows)
    modified = datetime(2024, 1, 2, tzinfo=UTC)
    server.put(FEBRUARY, path.read_bytes(), etag='"second"', last_modified=modified)


def test_the_tlc_is_where_months_come_from(taxietl: Taxietl, server: FileServer) -> None:
    done = taxietl("ingest", *MONTH, "--json")

    (month,) = done.document["months"]
    assert (done.code, month["action"], month["rows_read"]) == (0, "loaded", ROWS)
    assert (month["source"], month["source_etag"]) == ("tlc", '"first"')
    assert month["source_url"] == f"{server.url}/{FEBRUARY}"
    assert "\r" not in done.err  # no bar where there is no terminal
    check(done.document, "ingest")


def test_the_second_time_only_the_headers_are_asked_for(
    taxietl: Taxietl, server: FileServer
) -> None:
    taxietl("ingest", *MONTH)

    done = taxietl("ingest", *MONTH, "--json")

    assert done.document["months"][0]["action"] == "nothing to do"
    assert [each.method for each in server.requests] == ["HEAD", "GET", "HEAD"]


def test_by_its_whole_address(taxietl: Taxietl, server: FileServer) -> None:
    done = taxietl("ingest", *MONTH, "--source", f"{server.url}/{FEBRUARY}", "--json")

    assert (done.code, done.document["months"][0]["rows_read"]) == (0, ROWS)


def test_a_token_in_a_configured_address_is_nowhere_to_be_read(
    taxietl: Taxietl, server: FileServer, home: Path
) -> None:
    done = taxietl("ingest", *MONTH, "--source", "company", "--debug")
    taxietl("ingest", "--color", "green", "--year", 2021, "--month", 3, "--source", "company")

    assert done.code == 0
    assert "token=hunter2" in server.requests[-1].path
    assert "hunter2" not in done.out + done.err
    for path in home.rglob("*"):
        assert not path.is_file() or b"hunter2" not in path.read_bytes(), path


def test_a_cut_download_goes_on_within_the_run(
    taxietl: Taxietl, server: FileServer, february: bytes
) -> None:
    server.faults.append(Cut(after=30_000))

    done = taxietl("ingest", *MONTH, "--json")

    assert done.code == 0
    assert [each.range for each in server.asked("GET")] == [None, "bytes=30000-"]
    assert "Attempt 1 of 4 failed" not in done.out
    assert server.sent_bytes == len(february)


class TestARestatedMonth:
    def test_replaces_the_old_one_and_says_so(
        self, taxietl: Taxietl, server: FileServer, tmp_path: Path, home: Path
    ) -> None:
        (before,) = taxietl("ingest", *MONTH, "--json").document["months"]
        restated(server, tmp_path / "new.parquet")

        (after,) = taxietl("ingest", *MONTH, "--json").document["months"]

        assert after["action"] == "replaced"
        assert after["reason"] == (
            f"restated: SHA-256 {before['source_sha256'][:12]} became {after['source_sha256'][:12]}"
        )
        assert after["rows_read"] == ROWS + 10
        assert after["replaced"]["rows_read"] == ROWS
        assert after["replaced"]["source_sha256"] == before["source_sha256"]
        assert len(list((home / "cache").glob("*.parquet"))) == 2

    def test_is_announced_by_a_dry_run_without_a_download(
        self, taxietl: Taxietl, server: FileServer, tmp_path: Path
    ) -> None:
        taxietl("ingest", *MONTH)
        restated(server, tmp_path / "new.parquet")
        sent = server.sent_bytes

        done = taxietl("ingest", *MONTH, "--dry-run", "--json")

        (plan,) = done.document["plans"]
        check(done.document, "plans")
        assert plan["action"] == "compare"
        assert plan["rows"] == ROWS + 10
        assert server.sent_bytes - sent <= 64 * 1024

    def test_whose_bytes_are_the_same_was_only_touched(
        self, taxietl: Taxietl, server: FileServer, february: bytes
    ) -> None:
        taxietl("ingest", *MONTH)
        server.put(FEBRUARY, february, etag='"touched"')

        (month,) = taxietl("ingest", *MONTH, "--json").document["months"]

        assert month["action"] == "nothing to do"
        assert "touched" in month["reason"]

    @pytest.mark.parametrize("command", ["ingest", "upload-gcs"])
    def test_that_was_only_touched_is_fetched_once(
        self,
        taxietl: Taxietl,
        server: FileServer,
        february: bytes,
        home: Path,
        tmp_path: Path,
        command: str,
    ) -> None:
        """Also when its file has made room for others: the ledger keeps the old version."""
        lake = f'[profiles.lake]\ntype = "folder"\npath = "{tmp_path}/lake"\n'
        with Path("taxietl.toml").open("a") as config:
            config.write(lake)
        taxietl(command, *MONTH)
        server.put(FEBRUARY, february, etag='"touched"')
        for _ in range(2):
            done = taxietl(command, *MONTH, "--json")
            assert "touched" in done.document["months"][0]["reason"]
            shutil.rmtree(home / "cache", ignore_errors=True)

        assert len(server.asked("GET")) == 2

    def test_is_not_taken_back_by_an_edge_that_is_behind(
        self, taxietl: Taxietl, server: FileServer, tmp_path: Path, february: bytes
    ) -> None:
        restated(server, tmp_path / "new.parquet")
        taxietl("ingest", *MONTH)
        older = datetime(2024, 1, 2, tzinfo=UTC) - timedelta(days=30)
        server.put(FEBRUARY, february, last_modified=older)

        done = taxietl("ingest", *MONTH, "--json")

        (month,) = done.document["months"]
        assert (done.code, month["action"]) == (0, "nothing to do")
        assert "the source shows an older file, of 2023-12-03 00:00, ignored" in month["reason"]
        assert len(server.asked("GET")) == 1


def test_a_dry_run_tells_rows_columns_and_era_by_the_end_of_the_file(
    taxietl: Taxietl, server: FileServer, home: Path
) -> None:
    done = taxietl("ingest", *MONTH, "--dry-run", "--json")
    text = taxietl("ingest", *MONTH, "--dry-run")

    (plan,) = done.document["plans"]
    check(done.document, "plans")
    assert (plan["action"], plan["rows"]) == ("load", ROWS)
    assert plan["era"].startswith("green")
    assert "lpep_pickup_datetime" in plan["columns"]
    assert all(each.range == "bytes=-65536" for each in server.asked("GET"))
    assert f"{ROWS:,} rows, {len(plan['columns'])} columns of {plan['era']}" in text.out
    assert not (home / "cache").exists()


@pytest.mark.parametrize("status", [403, 404])
def test_a_month_that_is_not_published_yet_is_for_later(
    taxietl: Taxietl, server: FileServer, status: int
) -> None:
    today = datetime.now(tz=UTC).date()
    server.answers[f"/green_tripdata_{today:%Y-%m}.parquet"] = Status(status)

    done = taxietl("ingest", "--color", "green", "--year", today.year, "--month", today.month)

    check_refused(done, 75, f"green-{today:%Y-%m} is not published yet", "later")
    assert len(server.requests) == 3


def test_months_that_are_there_are_loaded_though_others_are_not(
    taxietl: Taxietl, server: FileServer
) -> None:
    done = taxietl("ingest", "--color", "green", "--year", 2021, "--month", "2,3", "--json")

    assert done.code == 3  # not 75: March 2021 will not come any more
    assert [each["action"] for each in done.document["months"]] == ["loaded", "failed"]
    assert done.document["months"][1]["error"]["kind"] == "MissingFileError"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://me:hunter2@127.0.0.1/a.csv", "no user name and no password"),
        ("https://127.0.0.1/a.csv?token=hunter2", "has a query"),
        ("gopher://127.0.0.1/a.csv", "must begin with http"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_before_a_run(
    taxietl: Taxietl, home: Path, address: str, said: str
) -> None:
    done = taxietl("ingest", *MONTH, "--source", address)

    check_refused(done, 2, said)
    assert "hunter2" not in done.err
    assert not (home / "history.db").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_terminal_is_shown_the_download_until_it_ends(home: Path, february: bytes) -> None:
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "taxietl", "--home", str(home), "ingest", *MONTH],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # how Linux says that the other end was closed
        while piece := os.read(ours, 65_536):
            shown += piece
    os.close(ours)

    assert process.wait() == 0
    assert f"of {len(february) / 1e6:.1f} MB".encode() in shown
    assert b"MB" not in shown.rpartition(b"\x1b[2K")[2]
