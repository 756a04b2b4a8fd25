"""Downloads that are cut, stalled, lied to, killed: the cache holds whole files or none."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from file_server import (
    Announce,
    Cut,
    Fault,
    FileServer,
    Ignore,
    ServedFile,
    Shift,
    Stall,
    Status,
)

from taxietl.errors import (
    Cancelled,
    CorruptFileError,
    SchemaError,
    SourceError,
    TargetError,
    TransferError,
)
from taxietl.extract.http import Http
from taxietl.extract.http.client import Patience
from taxietl.orchestrator import Cancellation
from taxietl.steps.values import SourceFile
from taxietl.tlc.trip_file import TripFile

JANUARY = TripFile("green", 2021, 1)
PARQUET, CSV_GZ, CSV = "trips.parquet", "trips.csv.gz", "trips.csv"
LINES = b"VendorID,fare_amount\r\n" + b"1,2.5\r\n" * 40_000


@pytest.fixture
def server(server: FileServer, parquet: bytes, csv_gz: bytes) -> FileServer:
    """With a month in each form."""
    server.put(PARQUET, parquet)
    server.put(CSV_GZ, csv_gz)
    server.put(CSV, LINES)
    return server


class Client:
    """Fetches from one server into one cache."""

    def __init__(self, server: FileServer, cache: Path) -> None:
        self.server, self.cache = server, cache

    def fetch(self, name: str, **options: object) -> SourceFile:
        source = self.source(name)
        return source.extract(source.probe(JANUARY), into=self.cache, **options)  # type: ignore[arg-type]

    def source(self, name: str) -> Http:
        address = f"{self.server.url}/{name}"
        return Http(address, address)

    def cut(self, name: str, fault: Fault) -> TransferError:
        """Fetch with that fault; the error."""
        self.server.faults.append(fault)
        with pytest.raises(TransferError) as error:
            self.fetch(name)
        assert self.finished() == []
        return error.value

    def finished(self) -> list[str]:
        """What a user of the cache would find."""
        return [
            each.name for each in self.cache.glob("*") if not each.name.endswith((".part", ".json"))
        ]


@pytest.fixture
def client(server: FileServer, cache: Path) -> Client:
    return Client(server, cache)


def is_whole(file: SourceFile, content: bytes) -> bool:
    assert (file.size_bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    return file.path.read_bytes() == content


@pytest.mark.parametrize("name", [PARQUET, CSV_GZ, CSV])
class TestEveryForm:
    def test_arrives_whole_with_its_sha256_and_leaves_nothing_else(
        self, client: Client, name: str
    ) -> None:
        file = client.fetch(name)

        assert is_whole(file, client.server.files[f"/{name}"].content)
        assert client.finished() == [file.path.name]
        assert list(client.cache.glob("*.part")) == []
        assert file.path.name.endswith(name.removeprefix("trips"))

    @pytest.mark.parametrize("hard", [False, True], ids=["closed", "reset"])
    def test_goes_on_where_it_was_cut(self, client: Client, name: str, hard: bool) -> None:
        content = client.server.files[f"/{name}"].content
        client.cut(name, Cut(after=40_000, hard=hard))
        (part,) = client.cache.glob("*.part")
        have = part.stat().st_size

        file = client.fetch(name)

        assert is_whole(file, content)
        asked = client.server.requests[-1]
        assert asked.headers["if-range"] == '"first"'
        if not hard:  # a reset may also drop what was still on its way
            assert have == 40_000
        assert asked.range == (f"bytes={have}-" if have else None)

    def test_goes_on_after_a_stall(self, client: Client, name: str) -> None:
        client.server.faults.append(Stall(after=30_000))
        version = client.source(name).probe(JANUARY)
        hasty = replace(client.source(name), patience=Patience(stall=1))
        with pytest.raises(TransferError, match="no byte came for 1 s"):
            hasty.extract(version, into=client.cache)
        assert client.finished() == []

        assert is_whole(client.fetch(name), client.server.files[f"/{name}"].content)
        assert client.server.requests[-1].range == "bytes=30000-"

    def test_of_another_version_begins_anew(self, client: Client, name: str) -> None:
        client.cut(name, Cut(after=40_000))
        old = client.server.files[f"/{name}"]
        content = old.content if name != CSV else old.content + b"2,7.5\r\n"
        client.server.files[f"/{name}"] = ServedFile(content, etag='"second"')

        file = client.fetch(name)

        assert is_whole(file, content)
        assert client.server.requests[-1].range is None

    def test_is_not_put_together_by_a_weak_etag(self, client: Client, name: str) -> None:
        client.server.files[f"/{name}"].etag = 'W/"first"'
        client.cut(name, Cut(after=40_000))

        assert is_whole(client.fetch(name), client.server.files[f"/{name}"].content)
        assert client.server.requests[-1].range is None

    @pytest.mark.parametrize("fault", [Ignore(), Shift(5), Shift(-5)], ids=repr)
    def test_survives_a_server_that_goes_on_elsewhere(
        self, client: Client, name: str, fault: Fault
    ) -> None:
        client.cut(name, Cut(after=40_000))
        client.server.faults.append(fault)

        assert is_whole(client.fetch(name), client.server.files[f"/{name}"].content)

    def test_that_lies_there_whole_is_checked_and_not_fetched_again(
        self, client: Client, name: str
    ) -> None:
        first = client.fetch(name)
        again = client.fetch(name)

        assert again == first
        assert len(client.server.asked("GET")) == 1

    def test_that_was_damaged_in_the_cache_is_fetched_again(
        self, client: Client, name: str
    ) -> None:
        file = client.fetch(name)
        damaged = bytearray(file.path.read_bytes())
        damaged[1000] ^= 1
        file.path.write_bytes(damaged)

        assert is_whole(client.fetch(name), client.server.files[f"/{name}"].content)

    def test_comes_in_chunks_without_a_length(self, client: Client, name: str) -> None:
        client.server.files[f"/{name}"].is_chunked = True

        assert is_whole(client.fetch(name), client.server.files[f"/{name}"].content)

    def test_in_chunks_that_stop_is_cut(self, client: Client, name: str) -> None:
        client.server.files[f"/{name}"].is_chunked = True
        client.cut(name, Cut(after=40_000))

        assert is_whole(client.fetch(name), client.server.files[f"/{name}"].content)


class TestWhatIsNotTheFile:
    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            (CSV_GZ, b"<!DOCTYPE html><title>Releases</title>", "web page or an error message"),
            (PARQUET, b"\n\n  <?xml version='1.0'?><Error/>", "web page or an error message"),
            (CSV, b"<html>" + b"x" * 9000, "web page or an error message"),
            (CSV_GZ, b"Not Found", "is not a gzip"),
            (PARQUET, LINES, "is not a Parquet file"),
            (CSV, b"PK\x03\x04\x00\x00", "is a zip archive"),
            (CSV_GZ, gzip.compress(gzip.compress(LINES)), "is gzip within gzip"),
            (CSV_GZ, gzip.compress(b"PAR1" + LINES), "is gzip around Parquet"),
            (CSV, b"", r"is empty \(0 bytes\)"),
        ],
        ids=[
            *("gz-html", "parquet-xml", "csv-html", "gz-text", "parquet-csv", "zip", "gz-gz"),
            *("gz-parquet", "empty"),
        ],
    )
    def test_is_refused_and_not_kept(
        self, client: Client, name: str, content: bytes, said: str
    ) -> None:
        client.server.put(name, content)

        with pytest.raises(CorruptFileError, match=said) as error:
            client.fetch(name)

        assert error.value.exit_code == 3
        assert client.finished() == []
        assert [part.stat().st_size for part in client.cache.glob("*.part")] == [0]

    def test_text_in_another_encoding_is_refused_as_data(self, client: Client) -> None:
        client.server.put(CSV, LINES.decode().encode("utf-16"))

        with pytest.raises(SchemaError, match="is encoded in UTF-16"):
            client.fetch(CSV)
        assert client.finished() == []

    @pytest.mark.parametrize("keep", [100, 40_000, -9, -1])
    def test_a_gzip_cut_before_it_was_published(self, client: Client, keep: int) -> None:
        client.server.files[f"/{CSV_GZ}"].content = client.server.files[f"/{CSV_GZ}"].content[:keep]

        with pytest.raises(CorruptFileError, match="gzip cut short"):
            client.fetch(CSV_GZ)
        assert client.finished() == []

    @pytest.mark.parametrize("at", [5000, -3, -6], ids=["data", "length", "check-sum"])
    def test_a_gzip_that_was_damaged(self, client: Client, at: int) -> None:
        damaged = bytearray(client.server.files[f"/{CSV_GZ}"].content)
        damaged[at] ^= 0x10
        client.server.files[f"/{CSV_GZ}"].content = bytes(damaged)

        with pytest.raises(CorruptFileError, match=r"damaged gzip|gzip cut short"):
            client.fetch(CSV_GZ)
        assert client.finished() == []

    def test_a_parquet_file_without_its_end(self, client: Client, parquet: bytes) -> None:
        client.server.files[f"/{PARQUET}"].content = parquet[:-100]

        with pytest.raises(CorruptFileError, match="cut short or damaged"):
            client.fetch(PARQUET)
        assert client.finished() == []

    def test_a_gzip_of_several_members_and_padding_is_whole(self, client: Client) -> None:
        content = gzip.compress(b"a,b\r\n") + gzip.compress(b"1,2\r\n" * 9999) + b"\x00" * 700
        client.server.files[f"/{CSV_GZ}"].content = content

        assert is_whole(client.fetch(CSV_GZ), content)

    def test_a_longer_body_than_was_announced(self, client: Client) -> None:
        version = client.source(CSV).probe(JANUARY)
        client.server.files[f"/{CSV}"].content += b"2,7.5\r\n"
        client.server.files[f"/{CSV}"].is_chunked = True

        with pytest.raises(CorruptFileError, match="longer than"):
            client.source(CSV).extract(version, into=client.cache)
        assert client.finished() == []

    def test_a_shorter_body_than_its_length(self, client: Client) -> None:
        error = client.cut(CSV, Announce(len(LINES) + 10))
        assert "another version" in error.message

    def test_a_csv_whose_end_nothing_proves(self, client: Client) -> None:
        client.server.put(CSV, LINES, until_close=True)

        with pytest.raises(CorruptFileError, match="came without its length"):
            client.fetch(CSV)
        assert client.finished() == []

    def test_a_gzip_proves_its_end_itself(self, client: Client) -> None:
        client.server.files[f"/{CSV_GZ}"].until_close = True

        assert is_whole(client.fetch(CSV_GZ), client.server.files[f"/{CSV_GZ}"].content)


class TestAnotherVersion:
    def test_that_comes_between_look_and_download_is_not_taken_for_the_first(
        self, client: Client
    ) -> None:
        version = client.source(CSV).probe(JANUARY)
        client.server.files[f"/{CSV}"] = ServedFile(LINES, etag='"second"')

        with pytest.raises(TransferError, match="another version"):
            client.source(CSV).extract(version, into=client.cache)
        assert client.finished() == []

    def test_leaves_the_old_one_where_it_is(self, client: Client) -> None:
        first = client.fetch(CSV)
        client.server.files[f"/{CSV}"] = ServedFile(LINES + b"9,9\r\n", etag='"second"')

        second = client.fetch(CSV)

        assert is_whole(first, LINES)
        assert is_whole(second, LINES + b"9,9\r\n")

    def test_without_any_etag_is_fetched_each_time(self, client: Client) -> None:
        client.server.put(CSV, LINES, etag=None)
        client.fetch(CSV)
        changed = LINES.replace(b"1,2.5", b"1,3.5")
        client.server.put(CSV, changed, etag=None)

        assert is_whole(client.fetch(CSV), changed)


class TestARefusedDownload:
    @pytest.mark.parametrize("status", [403, 404, 429, 500, 503])
    def test_of_a_file_that_was_there_a_moment_ago_is_worth_another_try(
        self, client: Client, status: int
    ) -> None:
        error = client.cut(CSV, Status(status, {"Retry-After": "7"}))

        assert f"HTTP {status}" in error.message
        assert error.retry_after_seconds == (7 if status in (429, 500, 503) else None)
        assert is_whole(client.fetch(CSV), LINES)

    def test_by_a_log_in_is_not(self, client: Client) -> None:
        client.server.faults.append(Status(401))

        with pytest.raises(SourceError, match="log-in") as error:
            client.fetch(CSV)
        assert not isinstance(error.value, TransferError)

    def test_of_a_part_leads_to_the_whole(self, client: Client) -> None:
        client.cut(CSV, Cut(after=40_000))
        client.server.faults.append(Status(416))

        assert is_whole(client.fetch(CSV), LINES)


class TestAPart:
    def test_of_the_wrong_bytes_is_found_out_and_dropped(self, client: Client) -> None:
        client.cut(CSV_GZ, Cut(after=40_000))
        (part,) = client.cache.glob("*.part")
        part.write_bytes(b"\x1f\x8b" + b"x" * 39_998)

        with pytest.raises(TransferError, match="damaged gzip"):
            client.fetch(CSV_GZ)

        assert is_whole(client.fetch(CSV_GZ), client.server.files[f"/{CSV_GZ}"].content)

    def test_with_a_note_that_cannot_be_read_is_dropped(self, client: Client) -> None:
        client.cut(CSV, Cut(after=40_000))
        (note,) = client.cache.glob("*.json")
        assert json.loads(note.read_text())["etag"] == '"first"'
        note.write_text("{")

        assert is_whole(client.fetch(CSV), LINES)
        assert client.server.requests[-1].range is None

    def test_that_is_all_there_needs_no_request(self, client: Client) -> None:
        client.cut(CSV, Cut(after=40_000))
        (part,) = client.cache.glob("*.part")
        part.write_bytes(LINES)

        assert is_whole(client.fetch(CSV), LINES)
        assert len(client.server.asked("GET")) == 1

    def test_belongs_to_one_download_at_a_time(self, client: Client) -> None:
        client.server.faults.append(Stall(after=30_000))
        cancellation = Cancellation()

        def first() -> None:
            with pytest.raises(Cancelled):
                client.fetch(CSV, cancellation=cancellation)

        with ThreadPoolExecutor() as pool:
            stalled = pool.submit(first)
            while client.server.sent_bytes < 30_000:
                time.sleep(0.001)
            second = client.fetch(CSV)
            assert not stalled.done()
            cancellation.request("enough")
            stalled.result()

        assert is_whole(second, LINES)
        assert client.server.requests[-1].range is None
        assert len(list(client.cache.glob("*.part"))) == 1
        assert is_whole(client.fetch(CSV), LINES)

    def test_of_a_killed_process_is_gone_on_with(self, client: Client) -> None:
        client.server.faults.append(Stall(after=30_000))
        address = f"{client.server.url}/{CSV}"
        process = subprocess.Popen([sys.executable, "-c", FETCH, address, str(client.cache)])
        while not any(part.stat().st_size == 30_000 for part in client.cache.glob("*.part")):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
        process.wait()

        assert is_whole(client.fetch(CSV), LINES)
        assert client.server.requests[-1].range == "bytes=30000-"


FETCH = """
import sys
from pathlib import Path
from taxietl.extract.http import Http
from taxietl.tlc.trip_file import TripFile

source = Http(sys.argv[1], sys.argv[1])
source.extract(source.probe(TripFile("green", 2021, 1)), into=Path(sys.argv[2]))
"""


class TestARequestToStop:
    def test_ends_a_stalled_download_at_once_and_keeps_what_came(self, client: Client) -> None:
        client.server.faults.append(Stall(after=30_000))
        source = replace(client.source(CSV), patience=Patience(stall=60))
        cancellation = Cancellation()
        asked_at: list[float] = []

        def ask_to_stop() -> None:
            while not any(part.stat().st_size == 30_000 for part in client.cache.glob("*.part")):
                time.sleep(0.001)
            asked_at.append(time.monotonic())
            cancellation.request("enough")

        thread = threading.Thread(target=ask_to_stop)
        thread.start()
        with pytest.raises(Cancelled):
            source.extract(source.probe(JANUARY), into=client.cache, cancellation=cancellation)
        seconds = time.monotonic() - asked_at[0]
        thread.join()

        assert seconds < 10  # of 60, and it takes some milliseconds
        assert is_whole(client.fetch(CSV), LINES)
        assert client.server.requests[-1].range == "bytes=30000-"

    def test_made_before_asks_for_nothing(self, client: Client) -> None:
        version = client.source(CSV).probe(JANUARY)
        cancellation = Cancellation()
        cancellation.request("enough")

        with pytest.raises(Cancelled):
            client.source(CSV).extract(version, into=client.cache, cancellation=cancellation)
        assert client.server.asked("GET") == []


def test_progress_is_told_up_to_the_end(client: Client) -> None:
    told: list[tuple[int, int | None]] = []

    client.fetch(CSV, progress=lambda done, total: told.append((done, total)))

    assert told[-1] == (len(LINES), len(LINES))
    assert told == sorted(told)


def test_a_cache_that_cannot_be_made_is_the_targets_fault(client: Client) -> None:
    client.cache.write_text("a file")

    with pytest.raises(TargetError, match="cannot be written") as error:
        client.fetch(CSV)
    assert error.value.exit_code == 5


LIMITED = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are a thing of Unix")
def test_a_disk_that_takes_no_more_is_the_targets_fault_and_keeps_what_came(
    client: Client,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED + FETCH, f"{client.server.url}/{CSV}", str(client.cache)],
        capture_output=True,
        text=True,
    )

    assert "TargetError: The cache" in done.stderr
    assert "File too large" in done.stderr
    assert client.finished() == []
    assert is_whole(client.fetch(CSV), LINES)
    assert client.server.requests[-1].range == "bytes=50000-"


def test_a_head_that_does_not_know_the_length_is_no_empty_file(client: Client) -> None:
    client.server.head_faults.append(Announce(0))

    assert is_whole(client.fetch(CSV), LINES)


class TestTheTail:
    def test_is_had_without_the_rest(self, client: Client) -> None:
        source = client.source(CSV)

        assert source.tail(source.probe(JANUARY), 100) == LINES[-100:]
        assert client.server.sent_bytes == 100

    def test_of_a_small_file_is_all_of_it(self, client: Client) -> None:
        client.server.put(CSV, b"a,b\r\n")
        source = client.source(CSV)

        assert source.tail(source.probe(JANUARY), 100) == b"a,b\r\n"

    def test_is_not_had_where_the_server_sends_no_parts(self, client: Client) -> None:
        client.server.put(CSV, LINES, has_ranges=False)
        source = client.source(CSV)

        assert source.tail(source.probe(JANUARY), 100) is None

    def test_is_not_had_of_another_version(self, client: Client) -> None:
        source = client.source(CSV)
        version = source.probe(JANUARY)
        client.server.put(CSV, LINES, etag='"second"')

        assert source.tail(version, 100) is None
