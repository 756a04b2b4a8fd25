"""The history as a check finds it, and that the check leaves it so."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from taxietl import flow
from taxietl.findings import Finding, State
from taxietl.orchestrator import Engine, History

Examine = Callable[..., list[Finding]]

DIES = """
import os, sys
from pathlib import Path
from taxietl import flow
from taxietl.orchestrator import Engine

@flow(run_name="amber-fox")
def dies():
    os._exit(9)

Engine(Path(sys.argv[1])).run(dies)
"""


@flow
def nothing() -> None:
    """Do nothing."""


@pytest.fixture
def ran(home: Path) -> Path:
    """The history of a home in which something ran."""
    engine = Engine(home)
    engine.run(nothing).result()
    engine.history.close()
    return home / "history.db"


def test_where_nothing_ran_nothing_is_made(found: Examine, home: Path) -> None:
    findings = found("history", "leftovers")

    assert [each.state for each in findings] == [State.OK, State.OK]
    assert "Nothing has run" in findings[0].message
    assert not home.exists()


def test_a_whole_history_is_told_with_its_runs(found: Examine, ran: Path) -> None:
    before = ran.read_bytes(), sorted(ran.parent.rglob("*"))

    only = found("history")[0]

    assert only.state is State.OK
    assert "history.db is whole (schema" in only.message
    assert "1 run)" in only.message
    assert (ran.read_bytes(), sorted(ran.parent.rglob("*"))) == before


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-9000])


def _scribble(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[5000:9000] = os.urandom(4000)
    file.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [_cut, _scribble, lambda file: file.write_text("a letter to somebody" * 99)],
    ids=["cut", "scribbled in", "another file"],
)
def test_a_damaged_history_is_a_problem(
    found: Examine, ran: Path, damage: Callable[[Path], object]
) -> None:
    damage(ran)

    (only,) = found("history")

    assert (only.state, only.exit_code) == (State.PROBLEM, 5)
    assert "damaged" in only.message
    assert "Move the file away" in only.hint


def test_a_history_of_a_newer_taxietl(found: Examine, ran: Path) -> None:
    with closing(sqlite3.connect(ran)) as connection:
        connection.execute("PRAGMA user_version = 99")

    (only,) = found("history")

    assert (only.state, only.exit_code) == (State.PROBLEM, 2)
    assert "newer taxietl" in only.message


def test_a_run_whose_process_died_is_told_and_not_marked(found: Examine, home: Path) -> None:
    done = subprocess.run([sys.executable, "-c", DIES, str(home)], check=False, timeout=60)
    assert done.returncode == 9

    findings = found("history", "leftovers")

    (dead, locks) = [each for each in findings if each.state is not State.OK]
    assert dead.state is State.WARNING
    assert "1 run ended without a word" in dead.message
    assert dead.hint == "taxietl runs resume amber-fox"
    assert "1 lock file without a holder" in locks.message
    assert list((home / "runs").glob("*.lock"))
    with History.opened(home) as history:  # which marks it
        assert history.run("amber-fox").state.name == "Crashed"


@pytest.mark.parametrize(("hours", "state"), [(2, State.OK), (48, State.WARNING)])
def test_partial_downloads_are_kept_for_a_day(
    found: Examine, home: Path, hours: int, state: State
) -> None:
    part = home / "cache" / "green_tripdata_2021-01.parquet.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"PAR1")
    begun = time.time() - hours * 3600
    os.utime(part, (begun, begun))

    (only,) = found("leftovers")

    assert only.state is state
    assert "1 partial download" in only.message
    assert only.hint == ("taxietl cache gc" if state is State.WARNING else "")
    assert part.exists()


def test_a_clock_that_is_behind_the_newest_run(found: Examine, ran: Path) -> None:
    yesterday = datetime.now(UTC) - timedelta(hours=30)

    _, *later = found("history", now=lambda: yesterday)

    (clock,) = [each for each in later if each.check == "clock"]
    assert clock.state is State.WARNING
    assert "A run began 30 hours from now" in clock.message
    assert "timedatectl" in clock.hint
