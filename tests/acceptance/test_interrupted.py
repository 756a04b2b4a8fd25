"""Ctrl-C and SIGTERM in the middle of a load: rolled back, `Cancelled`, the shells' exit codes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest
from command import document
from punctual import check_in_time

from taxietl.extract.synthetic import write

MONTH = ("--color", "yellow", "--year", "2021", "--month", "1")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A month that takes a second or two to load."""
    folder = tmp_path_factory.mktemp("files")
    write(folder / "yellow_tripdata_2021-01.csv", "yellow", 2021, 1, rows=1_000_000)
    return folder


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_an_interrupted_load_is_rolled_back_and_cancelled(
    files: Path, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    def attempt(turn: int) -> float:
        home = tmp_path / str(turn)
        command = [sys.executable, "-m", "taxietl", "--home", str(home)]
        process = subprocess.Popen(
            [*command, "ingest", *MONTH, "--source", str(files)],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stderr is not None
            while "Created task run 'transform-0'" not in process.stderr.readline():
                assert process.poll() is None
            time.sleep(0.1)
            process.send_signal(sent)
            begun = time.monotonic()
            process.communicate()
            seconds = time.monotonic() - begun

        assert process.returncode == code
        listed = document("--home", home, "runs", "ls")["runs"]
        assert [run["state"] for run in listed] == ["Cancelled"]
        with duckdb.connect(str(home / "taxi.duckdb")) as connection:
            tables = connection.execute("SELECT count(*) FROM duckdb_tables()").fetchone()
        assert tables == (0,)
        return seconds

    check_in_time(2, attempt)
