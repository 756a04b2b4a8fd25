"""Sources that fail now and then: how often they are asked, after how long, and how it ends."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from file_server import Announce, Cut, FileServer, Status

from taxietl.config import activate, load_settings
from taxietl.errors import CorruptFileError, SourceError, TaxietlError, TransferError
from taxietl.extract.synthetic import write
from taxietl.flows.ingest import IngestOptions, ingest
from taxietl.orchestrator import Engine
from taxietl.steps.values import LoadReport
from taxietl.tlc.trip_file import TripFile

pytestmark = pytest.mark.dates

FEBRUARY, MARCH = TripFile("green", 2021, 2), TripFile("green", 2021, 3)
NAME = "/green_tripdata_2021-02.parquet"


class Ingest:
    """Runs the flow in an engine that notes its waits instead of waiting."""

    def __init__(self, home: Path) -> None:
        self.waits: list[float] = []
        self._home = home
        self.cache = home / "cache"

    def __call__(self, trip_file: TripFile = FEBRUARY) -> LoadReport:
        with Engine(self._home, sleep=self.waits.append, rng=random.Random(1)) as engine:
            run = engine.run(ingest, trip_file, IngestOptions(source="tlc"))
        return run.result()

    def fails(self, kind: type[TaxietlError], trip_file: TripFile = FEBRUARY) -> TaxietlError:
        with pytest.raises(kind) as error:
            self(trip_file)
        return error.value


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FileServer]:
    """With February 2021 of green."""
    write(tmp_path / "month.parquet", "green", 2021, 2, rows=2000)
    with FileServer() as server:
        server.put(NAME.removeprefix("/"), (tmp_path / "month.parquet").read_bytes())
        yield server


@pytest.fixture
def run(server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ingest]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("TAXIETL_SOURCES__TLC__URL", server.template)
    monkeypatch.chdir(tmp_path)
    activate(load_settings(home=tmp_path / "home"))
    yield Ingest(tmp_path / "home")
    activate(None)


def test_a_machine_that_is_blocked_asks_eight_times_in_all(run: Ingest, server: FileServer) -> None:
    server.answers["*"] = Status(403)

    error = run.fails(TransferError)

    assert "blocks or throttles" in error.message
    assert error.exit_code == 3
    assert len(server.requests) == 8  # four attempts, each with its control
    assert len(run.waits) == 3
    for waited, delay in zip(run.waits, (2, 4, 8), strict=True):
        assert delay <= waited <= delay * 1.5


def test_a_block_that_is_lifted_is_waited_out(run: Ingest, server: FileServer) -> None:
    server.head_faults.extend([Status(403)] * 4)

    assert run().rows_read == 2000
    assert len(run.waits) == 2


def test_a_busy_server_is_asked_again(run: Ingest, server: FileServer) -> None:
    server.head_faults.extend([Status(503), Status(429, {"Retry-After": "1"})])
    server.faults.extend([Status(500), Cut(after=20_000), Cut(after=10_000, hard=True)])

    assert run().rows_read == 2000
    assert len(run.waits) == 5


@pytest.mark.parametrize("status", [400, 401, 410])
def test_what_another_try_would_not_change_is_asked_for_once(
    run: Ingest, server: FileServer, status: int
) -> None:
    server.answers["*"] = Status(status)

    run.fails(SourceError)

    assert len(server.requests) <= 3
    assert run.waits == []


def test_a_corrupt_file_is_not_fetched_again(run: Ingest, server: FileServer) -> None:
    server.files[NAME].content = server.files[NAME].content[:-50]

    run.fails(CorruptFileError)

    assert len(server.asked("GET")) == 1


def test_a_server_that_never_sends_all_is_left_after_four_attempts(
    run: Ingest, server: FileServer
) -> None:
    server.faults.extend([Cut(after=10_000)] * 9)

    run.fails(TransferError)

    assert len(server.asked("GET")) == 4
    assert list(run.cache.glob("*.parquet")) == []


def test_what_came_in_one_run_is_not_fetched_by_the_next(run: Ingest, server: FileServer) -> None:
    server.faults.extend([Cut(after=10_000)] * 4)
    run.fails(TransferError)

    assert run().rows_read == 2000
    assert server.sent_bytes == len(server.files[NAME].content)


def test_a_source_without_etags_is_fetched_each_time_and_never_taken_from_the_cache(
    run: Ingest, server: FileServer, tmp_path: Path
) -> None:
    server.files[NAME].etag = None
    first = run()
    write(tmp_path / "other.parquet", "green", 2021, 2, rows=2000, seed=9)
    server.put(NAME.removeprefix("/"), (tmp_path / "other.parquet").read_bytes(), etag=None)

    second = run()

    assert second.action == "replaced"
    assert second.source_sha256 != first.source_sha256
    assert len(server.asked("GET")) == 2


def test_a_wrong_length_is_no_file(run: Ingest, server: FileServer) -> None:
    server.faults.extend([Announce(10)] * 4)

    run.fails(TransferError)

    assert list(run.cache.glob("*.parquet")) == []
