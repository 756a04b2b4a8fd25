"""`kill -9` at any moment of a replacing load: before or after, never between, and told so."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest
from command import document

from taxietl.extract.synthetic import write
from taxietl.orchestrator import History

MONTH = ("--color", "green", "--year", "2021", "--month", "1")


class Killed:
    """A home with a loaded month, and a command that replaces it."""

    def __init__(self, folder: Path, rows: int) -> None:
        self.home = folder / "home"
        self.files = folder / "files"
        self.files.mkdir()
        write(self.files / "green_tripdata_2021-01.csv.gz", "green", 2021, 1, rows=rows)
        self.document("ingest", *MONTH, "--source", self.files)
        self.document("ingest", *MONTH, "--source", self.files, "--force")
        self.seconds = self._seconds_of_the_last_run()

    def command(self, *arguments: object) -> list[str]:
        return [
            *(sys.executable, "-m", "taxietl", "--home", str(self.home)),
            *(str(each) for each in arguments),
        ]

    def document(self, *arguments: object) -> Any:
        return document("--home", self.home, *arguments)

    def kill_after(self, seconds: float) -> int:
        """Kill a replacing load so long after its run began; its exit code (-9 if in time)."""
        with subprocess.Popen(
            self.command("ingest", *MONTH, "--source", self.files, "--force"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            process.stderr.readline()
            begun = time.monotonic()
            try:
                code = process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                return process.wait()
            # It was not in time: the machine was busier when a load's time was taken.
            self.seconds = min(self.seconds, time.monotonic() - begun)
            return code

    def _seconds_of_the_last_run(self) -> float:
        with History.opened(self.home) as history:
            (run,) = history.runs(limit=1)
        assert run.started_at
        assert run.ended_at
        return (run.ended_at - run.started_at).total_seconds()

    def states(self) -> set[str]:
        """How the runs ended, as whoever looks now is told."""
        with History.opened(self.home) as history:
            return {str(run.state.name) for run in history.runs(limit=500)}

    def facts(self) -> tuple[tuple[object, ...], tuple[object, ...]]:
        """The table's rows and their sum; the ledger's count of all loads and of current ones."""
        with duckdb.connect(str(self.home / "taxi.duckdb"), read_only=True) as connection:
            table = connection.execute(
                "SELECT count(*), sum(hash(green_trips)) FROM green_trips"
            ).fetchone()
            ledger = connection.execute(
                "SELECT count(*), count(*) FILTER (superseded_at IS NULL), "
                "max(rows_loaded) FILTER (superseded_at IS NULL) FROM taxietl_loads"
            ).fetchone()
        assert table is not None
        assert ledger is not None
        return table, ledger


def _killed_at_every_moment(killed: Killed, moments: int, seed: int) -> int:
    """Kill so many loads; returns how many were killed in time."""
    rng = random.Random(seed)
    table, (loads, _, rows) = killed.facts()
    in_time = 0
    for moment in range(moments):
        share = (moment + rng.random()) / moments
        in_time += killed.kill_after(share * killed.seconds * 1.05) == -signal.SIGKILL

        assert killed.states() <= {"Completed", "Crashed"}
        now, (loads_now, current, rows_now) = killed.facts()
        assert now == table
        assert (current, rows_now) == (1, rows)
        assert loads_now in (loads, loads + 1)  # type: ignore[operator]
        loads = loads_now
    done = killed.document("ingest", *MONTH, "--source", killed.files, "--force")
    assert done["months"][0]["action"] == "replaced"
    assert killed.facts()[0] == table
    return in_time


def test_a_load_killed_at_any_of_6_moments_leaves_the_month_whole(tmp_path: Path) -> None:
    killed = Killed(tmp_path, rows=60_000)

    in_time = _killed_at_every_moment(killed, 6, seed=5)

    assert in_time >= 2
    listed = killed.document("runs", "ls", "--limit", 50)["runs"]
    assert "Crashed" in {run["state"] for run in listed}


@pytest.mark.torture
def test_a_load_killed_at_any_of_200_moments_leaves_the_month_whole(tmp_path: Path) -> None:
    killed = Killed(tmp_path, rows=300_000)

    in_time = _killed_at_every_moment(killed, 200, seed=6)

    print(f"seed 6: {in_time} of 200 loads killed in time, the month whole each time")
