"""A replacing load that is cancelled or killed at any moment: before or after, never between."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import months
import numpy as np
import pyarrow as pa
import pytest
from months import FEBRUARY, Duck, batch_of
from punctual import check_in_time

from taxietl.errors import Cancelled
from taxietl.orchestrator.stop.cancellation import Cancellation


def cancelled_after(seconds: float) -> tuple[Cancellation, list[float]]:
    """A cancellation that is asked for then, and when that was."""
    cancellation = Cancellation()
    asked: list[float] = []

    def ask() -> None:
        asked.append(time.monotonic())
        cancellation.request("SIGINT")

    timer = threading.Timer(seconds, ask)
    timer.daemon = True
    timer.start()
    return cancellation, asked


def test_cancelling_ends_an_endless_stream_and_changes_nothing(duck: Duck) -> None:
    duck.load(3)
    before = duck.facts()
    batch = batch_of("yellow", 1000)

    def endless() -> Iterator[pa.RecordBatch]:
        while True:
            yield batch

    def attempt(_: int) -> float:
        cancellation, asked = cancelled_after(0.3)
        with pytest.raises(Cancelled):
            duck.load(endless(), force=True, cancellation=cancellation)
        seconds = time.monotonic() - asked[0]
        assert duck.facts() == before
        return seconds

    check_in_time(2, attempt)
    assert duck.load(4, force=True).rows_loaded == 4


@pytest.mark.parametrize("seconds", [0.05, 0.15])
def test_ctrl_c_outside_a_run_is_told_as_itself(duck: Duck, seconds: float) -> None:
    """Where no run takes the signal over, as in `inspect`, Python raises wherever it stands."""
    duck.load(3)  # in the midst of an import Python would leave files open
    before = duck.facts()
    batch = batch_of("yellow", 1000)
    timer = threading.Timer(seconds, signal.raise_signal, [signal.SIGINT])

    def endless() -> Iterator[pa.RecordBatch]:
        timer.start()
        while True:
            yield batch

    with pytest.raises(KeyboardInterrupt):
        duck.load(endless(), force=True)

    assert duck.facts() == before
    assert duck.load(4, force=True).rows_loaded == 4


def test_a_ctrl_c_that_a_stream_loses_is_none_the_less(duck: Duck) -> None:
    batch = batch_of("yellow", 10)

    def losing() -> Iterator[pa.RecordBatch]:
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        while True:
            yield batch

    with pytest.raises(KeyboardInterrupt):
        duck.load(losing())

    assert duck.load(4).rows_loaded == 4


def test_cancelling_interrupts_a_long_statement_and_changes_nothing(duck: Duck) -> None:
    """One batch, so that no pull stands between; an index makes its statement take 5 s and more."""
    rows = 4_000_000
    duck.load(3)
    duck.do(
        "UPDATE yellow_trips SET total_amount = -1 - rowid",
        "CREATE UNIQUE INDEX one_each ON yellow_trips (total_amount)",
    )
    before = duck.facts()
    batch = batch_of(
        "yellow",
        rows,
        tpep_pickup_datetime=pa.nulls(rows, pa.timestamp("us")),
        passenger_count=pa.nulls(rows, pa.int32()),
        fare_amount=pa.nulls(rows, pa.float64()),
        total_amount=pa.array(np.random.default_rng(1).permutation(rows) * 1.0),
    )

    def attempt(_: int) -> float:
        cancellation, asked = cancelled_after(0.5)
        with pytest.raises(Cancelled):
            duck.load([batch], force=True, cancellation=cancellation)
        seconds = time.monotonic() - asked[0]
        assert duck.facts() == before
        return seconds

    check_in_time(2, attempt)


def test_a_run_already_cancelled_loads_nothing(duck: Duck) -> None:
    duck.load(3)
    before = duck.facts()
    cancellation = Cancellation()
    cancellation.request("SIGTERM", signal_number=signal.SIGTERM)

    with pytest.raises(Cancelled) as stopped:
        duck.load(4, force=True, cancellation=cancellation)

    assert stopped.value.exit_code == 143
    assert duck.facts() == before


REPLACE = """
import sys, time
from pathlib import Path
from months import Duck, batch_of

duck, fare, rows = Duck(Path(sys.argv[1])), float(sys.argv[2]), int(sys.argv[3])
batch = batch_of(
    "yellow", 20_000, fare_amount=[fare] * 20_000, trip_distance=[n / 7 for n in range(20_000)]
)
sys.stdout.write("ready\\n")
sys.stdout.flush()
begun = time.monotonic()
duck.load([batch] * (rows // 20_000), force=True)
sys.stdout.write(f"{time.monotonic() - begun}\\n")
"""


class Killed:
    """Loads of one month, each by a process of its own that may be killed."""

    def __init__(self, duck: Duck, rows: int) -> None:
        self.duck = duck
        self.rows = rows
        duck.load(100, FEBRUARY)
        self.seconds = float(self.replace(1.0) or 0)
        self.first = self.facts()

    def replace(self, fare: float, *, kill_after: float | None = None) -> str:
        """Load that fare; what the process printed when done, nothing if it was killed before."""
        with subprocess.Popen(
            [sys.executable, "-c", REPLACE, str(self.duck.path), str(fare), str(self.rows)],
            env=os.environ | {"PYTHONPATH": str(Path(months.__file__).parent)},
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            if kill_after is not None:
                time.sleep(kill_after)
                process.kill()
            return process.communicate()[0]

    def facts(self) -> tuple[int, float, int]:
        """The month's rows, its one fare and the loads in the ledger; all must agree."""
        ((rows, lowest, highest),) = self.duck.ask(
            "SELECT count(*), min(fare_amount), max(fare_amount) FROM yellow_trips "
            "WHERE source_month = '2021-01-01'"
        )
        ((loads,),) = self.duck.ask(
            "SELECT count(*) FROM taxietl_loads WHERE source_month = '2021-01-01'"
        )
        current = self.duck.ask(
            "SELECT rows_loaded, (column_stats->'fare_amount'->>'sum')::HUGEINT "
            "FROM taxietl_months WHERE source_month = '2021-01-01'"
        )
        assert lowest == highest, "rows of two loads lie side by side"
        assert current == [(rows, rows * lowest * 100)]
        assert self.duck.ask(
            "SELECT count(*) FROM yellow_trips WHERE source_month = '2021-02-01'"
        ) == [(100,)]
        return rows, lowest, loads

    def at_moments(self, moments: int, seed: int) -> tuple[int, int]:
        """Kill so many loads over a load's duration; how many had committed, how many had not."""
        rng = random.Random(seed)
        committed = 0
        for moment in range(moments):
            rows, fare, loads = self.facts()
            wanted = 3.0 - fare  # 1 and 2 in turn
            share = (moment + rng.random()) / moments
            self.replace(wanted, kill_after=share * self.seconds * 1.1)
            after = self.facts()
            assert after in {(rows, fare, loads), (rows, wanted, loads + 1)}
            committed += after[2] > loads
        self.replace(5.0)
        assert self.facts()[:2] == (self.rows, 5.0)
        return committed, moments - committed


def test_a_load_killed_at_any_moment_leaves_the_month_before_or_after(duck: Duck) -> None:
    killed = Killed(duck, rows=100_000)

    _, undone = killed.at_moments(4, seed=2021)

    assert undone, "no load was killed in time"


def test_a_first_load_killed_at_any_moment_can_be_done_again(duck: Duck) -> None:
    killed = Killed(duck, rows=40_000)

    for share in (0.3, 0.9):
        duck.path.unlink()
        duck.path.with_name(f"{duck.path.name}.wal").unlink(missing_ok=True)
        killed.replace(1.0, kill_after=share * killed.seconds)
        assert killed.replace(2.0)
        assert duck.ask("SELECT count(*), min(fare_amount) FROM yellow_trips") == [(40_000, 2.0)]


@pytest.mark.torture
def test_torture_of_killed_loads(duck: Duck) -> None:
    seed = int(os.environ.get("TAXIETL_TORTURE_SEED", time.time()))
    killed = Killed(duck, rows=400_000)

    committed, undone = killed.at_moments(300, seed)

    print(f"seed {seed}: 300 loads killed, {committed} had committed, {undone} had not")
    assert committed
    assert undone
