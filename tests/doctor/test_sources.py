"""What a source's answers mean, from a real server on loopback."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from file_server import FileServer, Hang, Status

from taxietl.config import load_settings
from taxietl.doctor.examination import examine
from taxietl.doctor.sources import source_checks
from taxietl.findings import Finding, State

Examine = Callable[..., list[Finding]]

CONTROL = "yellow_tripdata_2021-01.parquet"
WEB_PAGE = Status(200, {"Content-Type": "text/html"})


def utc_now() -> datetime:
    return datetime.now(UTC)


def latest() -> str:
    today = utc_now().date()
    number = 12 * today.year + today.month - 3
    return f"yellow_tripdata_{number // 12}-{number % 12 + 1:02}.parquet"


@pytest.fixture
def tlc(home: Path) -> FileServer:  # type: ignore[misc]
    """A server in the place of the TLC's own."""
    with FileServer() as server:
        Path("taxietl.toml").write_text(f'[sources.tlc]\nurl = "{server.template}"\n')
        yield server


@pytest.mark.parametrize(
    ("there", "otherwise", "state", "code", "words"),
    [
        pytest.param("both", 403, State.OK, 0, "It answers, and has yellow-", id="all there"),
        pytest.param("control", 403, State.OK, 0, "not published yet", id="403: not yet"),
        pytest.param("none", 403, State.PROBLEM, 3, "blocks or throttles", id="403: blocked"),
        pytest.param("none", 404, State.PROBLEM, 3, "has no file", id="moved"),
        pytest.param("none", 503, State.PROBLEM, 3, "busy or broken", id="busy"),
        pytest.param("none", WEB_PAGE, State.PROBLEM, 3, "web page", id="a log-in page"),
    ],
)
def test_what_an_answer_means(
    found: Examine,
    tlc: FileServer,
    there: str,
    otherwise: int | Status,
    state: State,
    code: int,
    words: str,
) -> None:
    wrong = otherwise if isinstance(otherwise, Status) else Status(otherwise)
    for name in (CONTROL, latest()):
        if there == "both" or (there == "control" and name == CONTROL):
            tlc.put(name, b"PAR1")
        else:
            tlc.answers[f"/{name}"] = wrong

    clock, source = found("source")

    assert (clock.check, clock.state) == ("clock", State.OK)
    assert (source.subject, source.state, source.exit_code) == ("tlc", state, code)
    assert words in source.message
    assert {each.method for each in tlc.requests} == {"HEAD"}


def test_a_server_of_ones_own_need_not_have_every_month(found: Examine, home: Path) -> None:
    with FileServer() as server:
        config = f'[ingest]\nsource = "own"\n[sources.own]\nurl = "{server.template}"\n'

        _, source = found("source", config=config)

    assert source.state is State.WARNING
    assert source.message.startswith("It answers. own has no file of yellow-2021-01")


def test_offline_is_told_and_no_problem(found: Examine, home: Path) -> None:
    config = '[sources.tlc]\nurl = "http://127.0.0.1:1/{color}-{year}-{month}.parquet"\n'

    (only,) = found("source", config=config)

    assert only.state is State.WARNING
    assert "cannot be reached from here" in only.message
    assert "--source FOLDER" in only.hint


def test_a_server_that_says_nothing_is_not_waited_for(tlc: FileServer, home: Path) -> None:
    tlc.head_faults.extend([Hang()] * 4)

    (only,) = examine(source_checks(load_settings(home=home), utc_now, seconds=0.2))

    assert only.state is State.WARNING
    assert "No answer within 0.2 s" in only.message


@pytest.mark.parametrize(
    ("off", "words"),
    [
        (timedelta(hours=3), "3 hours ahead of tlc's"),
        (timedelta(minutes=-20), "20 minutes behind tlc's"),
    ],
)
def test_a_wrong_clock(found: Examine, tlc: FileServer, off: timedelta, words: str) -> None:
    tlc.put(CONTROL, b"PAR1")

    clock, _ = found("source", now=lambda: utc_now() + off)

    assert clock.state is State.WARNING
    assert words in clock.message
    assert "timedatectl" in clock.hint


def test_a_cached_answer_is_as_old_as_it_says(found: Examine, tlc: FileServer) -> None:
    tlc.answers[f"/{CONTROL}"] = Status(403, {"Age": "86400"})

    clock, _ = found("source")

    assert "24 hours behind tlc's" in clock.message


def test_a_folder_needs_no_network(found: Examine, tmp_path: Path) -> None:
    (only,) = found("source", config=f'[ingest]\nsource = "{tmp_path}"\n')

    assert only.state is State.OK


def test_a_folder_that_is_not_there_is_a_problem(found: Examine, tmp_path: Path) -> None:
    (only,) = found("source", config=f'[ingest]\nsource = "{tmp_path}/none"\n')

    assert (only.state, only.exit_code) == (State.PROBLEM, 3)
