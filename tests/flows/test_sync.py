"""A sync whose source is busy, blocks, or is the wrong address: each month's answer, and all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from file_server import FileServer, Status

from taxietl.config import activate, load_settings
from taxietl.extract.synthetic import write
from taxietl.flows.sync import sync
from taxietl.flows.sync_options import SyncOptions
from taxietl.flows.sync_report import SyncFailedError, SyncReport
from taxietl.orchestrator import Engine

pytestmark = pytest.mark.dates

TODAY = date(2023, 6, 15)
LATEST = ["2022-10", "2022-11", "2022-12", "2023-01", "2023-02", "2023-03", "2023-04", "2023-05"]
BUSY = Status(503, {"Retry-After": "60"})


class Syncs:
    """Runs syncs in an engine that notes its waits instead of waiting."""

    def __init__(self, home: Path) -> None:
        self.waits: list[float] = []
        self._home = home

    def __call__(self, *, fail_fast: bool = False) -> SyncReport:
        options = SyncOptions.configured(["green"], transforms=("none",))
        with Engine(self._home, sleep=self.waits.append, rng=random.Random(1)) as engine:
            run = engine.run(sync, options, TODAY, fail_fast=fail_fast)
        return run.error.report if isinstance(run.error, SyncFailedError) else run.result()


def classes(report: SyncReport) -> dict[str, str]:
    return {f"{each.trip_file.source_month:%Y-%m}": str(each.month_class) for each in report.months}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FileServer]:
    """With January 2021, and the first three of the latest months."""
    with FileServer() as server:
        for month in ("2021-01", *LATEST[:3]):
            path = tmp_path / "month.parquet"
            write(path, "green", int(month[:4]), int(month[5:]), rows=60)
            server.put(f"green_tripdata_{month}.parquet", path.read_bytes(), etag=f'"{month}"')
        yield server


@pytest.fixture
def run(server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Syncs]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("TAXIETL_SOURCES__TLC__URL", server.template)
    monkeypatch.chdir(tmp_path)
    activate(load_settings(home=tmp_path / "home"))
    yield Syncs(tmp_path / "home")
    activate(None)


def test_a_month_that_the_source_is_too_busy_for_is_left_for_later(
    run: Syncs, server: FileServer
) -> None:
    server.answers[f"HEAD /green_tripdata_{LATEST[1]}.parquet"] = BUSY

    report = run()
    server.answers.clear()
    later = run()

    assert classes(report) == {
        **dict.fromkeys(LATEST, "not published"),
        **dict.fromkeys(LATEST[:3], "new"),
        LATEST[1]: "unknown",
    }
    assert (report.exit_code, later.exit_code) == (75, 0)
    assert run.waits == [60, 60, 60]  # four attempts, as the server asks for
    assert "busy" in str(report)
    assert classes(later)[LATEST[1]] == "new"


@pytest.mark.parametrize(
    "answer", [Status(404), Status(403), BUSY], ids=["wrong address", "blocked", "broken"]
)
def test_a_source_that_has_nothing_at_all_is_an_error(
    run: Syncs, server: FileServer, answer: Status
) -> None:
    server.answers["*"] = answer

    report = run()

    assert report.exit_code == 3
    assert set(classes(report).values()) == {"unknown"}
    assert len(server.requests) <= 7 * 8  # it gives up when four months one after the other failed


def test_fail_fast_begins_no_other_month(run: Syncs, server: FileServer) -> None:
    for month in LATEST[:3]:
        server.put(f"green_tripdata_{month}.parquet", b"PAR1 and no more PAR1", etag='"broken"')

    report = run(fail_fast=True)

    actions = [each.action for each in report.months[:3]]
    assert actions == ["failed", "failed", "not begun"]
    assert report.exit_code == 3
    assert "not begun" in str(report)
