"""Loads into PostgreSQL that are killed, cut off or interrupted: the month old or new, never else.

Where the client is killed, and where the server ends the connection or itself.
"""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from months import Postgres
from postgres import Server
from postgres_binaries import binaries
from postgres_ingest import Ingest
from punctual import check_in_time

Process = subprocess.Popen[str]
ROWS = 60_000


def broken_off(
    ingest: Ingest, moments: int, seed: int, breaking: Callable[[Process, float], object]
) -> list[int]:
    """Break off so many loads, each at another moment; the exit codes of all.

    `breaking` is told the process and the share of a load's time to wait before.
    """
    rng = random.Random(seed)
    ingest.load()
    facts, seconds = ingest.facts(), ingest.seconds()
    codes = []
    for moment in range(moments):
        with ingest.begin() as process:
            begun = time.monotonic()
            breaking(process, (moment + rng.random()) / moments * seconds)
            if process.poll() == 0:  # the machine was busier when a load's time was taken
                seconds = min(seconds, time.monotonic() - begun)
            said = process.communicate()[1]
        ingest.wait_until_alone()
        assert ingest.facts() == facts
        assert ingest.server.left_behind() == []
        if process.returncode == 5:
            assert "error: " in said
            assert "hint: " in said
        assert "Traceback" not in said
        codes.append(process.returncode)
    assert ingest.load()["action"] == "replaced"
    assert ingest.facts() == facts
    return codes


def kill(process: Process, seconds: float) -> None:
    """As `kill -9` does, unless the process has ended before."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()


LOADING = (
    "FROM pg_stat_activity WHERE application_name LIKE 'taxietl green%' "
    "AND datname = current_database()"
)
"""The load's connection bears the run's name, the one that asks the ledger first does not."""


def wait_until_loading(process: Process, server: Postgres) -> None:
    """Until the load has its connection."""
    while not server.ask(f"SELECT 1 {LOADING}"):
        assert process.poll() is None


@pytest.mark.parametrize("moments", [4, pytest.param(40, marks=pytest.mark.torture)])
def test_a_load_killed_at_any_moment_leaves_the_month_whole(
    server: Postgres, tmp_path: Path, moments: int
) -> None:
    ingest = Ingest(tmp_path, server, ROWS)

    codes = broken_off(ingest, moments, 7, kill)

    assert set(codes) <= {-signal.SIGKILL, 0}
    assert codes.count(-signal.SIGKILL) >= moments / 3


@pytest.mark.parametrize("moments", [2, pytest.param(10, marks=pytest.mark.torture)])
def test_a_load_whose_connection_is_ended_at_any_moment_leaves_the_month_whole(
    server: Postgres, tmp_path: Path, moments: int
) -> None:
    ingest = Ingest(tmp_path, server, ROWS)

    def end_connections(process: Process, seconds: float) -> None:
        wait_until_loading(process, server)
        time.sleep(seconds / 4)
        server.do(f"SELECT pg_terminate_backend(pid) {LOADING}")

    codes = broken_off(ingest, moments, 8, end_connections)

    assert set(codes) <= {5, 0}
    assert 5 in codes


@pytest.mark.parametrize("moments", [2, pytest.param(5, marks=pytest.mark.torture)])
def test_a_server_that_crashes_at_any_moment_has_the_month_whole_when_it_is_back(
    tmp_path: Path, moments: int
) -> None:
    with Server(binaries(), tmp_path / "log", is_durable=True) as own:
        server = Postgres(own.url())
        ingest = Ingest(tmp_path, server, ROWS)

        def crash(process: Process, seconds: float) -> None:
            wait_until_loading(process, server)
            time.sleep(seconds / 4)
            own.stop("immediate")
            own.start()

        codes = broken_off(ingest, moments, 9, crash)

    assert set(codes) <= {5, 75, 0}
    assert 5 in codes


def test_an_interrupted_load_is_rolled_back_and_cancelled(server: Postgres, tmp_path: Path) -> None:
    ingest = Ingest(tmp_path, server, rows=600_000)

    def attempt(turn: int) -> float:
        with ingest.begin() as process:
            end = time.monotonic() + 60
            while not server.ask(
                "SELECT 1 FROM pg_stat_progress_copy WHERE tuples_processed > 5000"
            ):
                assert time.monotonic() < end
            process.send_signal(signal.SIGTERM)
            begun = time.monotonic()
            process.communicate()
            seconds = time.monotonic() - begun

        assert process.returncode == 143
        states = [run["state"] for run in ingest.document("runs", "ls")["runs"]]
        assert states == ["Cancelled"] * (turn + 1)
        ingest.wait_until_alone()
        assert server.left_behind() == []
        assert server.ask("SELECT to_regclass('green_trips'), to_regclass('taxietl_loads')") == [
            (None, None)
        ]
        return seconds

    check_in_time(2, attempt)


def test_a_question_that_takes_long_is_given_up_at_once(server: Postgres, tmp_path: Path) -> None:
    ingest = Ingest(tmp_path, server, rows=10)

    def attempt(_: int) -> float:
        with subprocess.Popen(ingest.command("sql", "SELECT pg_sleep(60)")) as process:
            end = time.monotonic() + 60
            while not server.ask("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"):
                assert time.monotonic() < end
            process.send_signal(signal.SIGINT)
            begun = time.monotonic()
            process.wait()
            seconds = time.monotonic() - begun

        assert process.returncode == 130
        ingest.wait_until_alone()
        return seconds

    check_in_time(2, attempt)
