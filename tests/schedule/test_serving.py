from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from taxietl.schedule import outcomes
from taxietl.schedule.definition import Schedule, Starter, definition_file, save
from taxietl.schedule.outcomes import Outcome, Result
from taxietl.schedule.serving import Server

Make = Callable[..., Schedule]
NEW_YORK = ZoneInfo("America/New_York")


@dataclass
class World:
    """A clock, and runs that take as long as the test wants."""

    home: Path
    at: datetime
    zone: ZoneInfo = ZoneInfo("UTC")  # noqa: RUF009
    started: list[tuple[str, datetime]] = field(default_factory=list)
    runs: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = Server(
            self.home, self.zone, now=lambda: self.at, start=self.start, look_seconds=1800
        )

    def start(self, schedule: Schedule) -> subprocess.Popen[bytes]:
        self.started.append((schedule.name, self.at))
        self.runs.append(subprocess.Popen(["cat"], stdin=subprocess.PIPE))
        return self.runs[-1]

    def end_runs(self) -> None:
        for each in self.runs:
            each.communicate()

    def go(self, until: datetime) -> None:
        """As `serve` does it, without waiting; each run ends at once."""
        while self.at < until:
            wait = self.server.tick()
            assert wait > 0, "it would spin"
            self.end_runs()
            self.at += timedelta(seconds=wait)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "home", datetime(2027, 1, 5, 12, tzinfo=UTC))


def test_missed_ticks_come_to_one(world: World, make: Make) -> None:
    save(make())  # added on the 1st; due at 05:17 each day

    world.go(world.at + timedelta(days=2))

    assert [f"{at:%d %H:%M}" for _, at in world.started] == ["05 12:00", "06 05:17", "07 05:17"]


def test_a_restart_goes_on_from_the_last_run(world: World, make: Make) -> None:
    save(make())
    last = Outcome(Result.DONE, datetime(2027, 1, 5, 5, 17, tzinfo=UTC))
    outcomes.write(world.home, "nightly", last)

    world.go(world.at + timedelta(hours=17))
    assert world.started == []
    world.go(world.at + timedelta(hours=1))
    assert len(world.started) == 1


@pytest.mark.parametrize(
    ("cron", "day", "count"),
    [
        pytest.param("30 2 * * *", datetime(2027, 3, 14), 1, id="the hour that is left out"),
        pytest.param("30 1 * * *", datetime(2027, 11, 7), 1, id="the hour that comes twice"),
        pytest.param("*/20 * * * *", datetime(2027, 3, 14), 23 * 3, id="23 hours"),
        pytest.param("*/20 * * * *", datetime(2027, 11, 7), 25 * 3, id="25 hours"),
    ],
)
def test_both_changes_of_the_clock(
    tmp_path: Path, make: Make, cron: str, day: datetime, count: int
) -> None:
    midnight = day.replace(tzinfo=NEW_YORK).astimezone(UTC)
    end = (day + timedelta(days=1)).replace(tzinfo=NEW_YORK).astimezone(UTC)
    world = World(tmp_path / "home", midnight, NEW_YORK)
    save(make(cron=cron, added_at=midnight - timedelta(seconds=1)))

    world.go(end)

    assert len(world.started) == count


def test_what_is_still_running_is_left_alone(
    world: World, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    save(make(cron="* * * * *"))
    world.server.tick()
    for _ in range(3):
        world.at += timedelta(minutes=1)
        world.server.tick()
    assert len(world.started) == 1
    assert caplog.text.count("still running: left alone") == 3

    world.end_runs()
    world.server.tick()
    assert len(world.started) == 1, "what it missed is not made up for"
    world.at += timedelta(minutes=1)
    world.server.tick()
    assert len(world.started) == 2
    world.end_runs()


def test_schedules_come_change_and_go_while_it_runs(world: World, make: Make) -> None:
    assert world.server.tick() == 1800
    save(make(name="a", cron="0 13 * * *", added_at=world.at))
    save(make(name="b", cron="0 13 * * *", added_at=world.at, starter=Starter.CRON))
    world.go(world.at + timedelta(minutes=30))
    save(make(name="a", cron="0 14 * * *", added_at=world.at))
    definition_file(world.home, "c").write_text("{")
    world.go(world.at + timedelta(hours=2))
    definition_file(world.home, "a").unlink()
    world.go(world.at + timedelta(days=2))

    assert [f"{name} {at:%H:%M}" for name, at in world.started] == ["a 14:00"]


def test_a_clock_that_was_ahead_does_not_make_it_wait(world: World, make: Make) -> None:
    save(make(cron="* * * * *"))
    world.server.tick()
    world.end_runs()
    world.at -= timedelta(days=300)
    world.go(world.at + timedelta(minutes=3))

    assert len(world.started) >= 3


def test_sigterm_ends_the_runs_first(tmp_path: Path, make: Make) -> None:
    script = tmp_path / "own.py"
    script.write_text(
        "import signal, sys, time\n"
        "if 'exec' not in sys.argv:\n"
        "    raise SystemExit('odd')\n"
        "def stop(*_):\n"
        "    time.sleep(0.2)\n"
        "    print('stopped', flush=True)\n"
        "    sys.exit(143)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "print('started', flush=True)\n"
        "time.sleep(60)\n"
    )
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    save(make(program=(sys.executable, str(script)), added_at=long_ago))
    run = subprocess.Popen(
        [sys.executable, "-m", "taxietl", "--home", tmp_path / "home", "schedule", "run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    assert run.stdout
    assert run.stdout.readline() == "started\n"

    run.terminate()
    out, err = run.communicate()

    assert run.returncode == 0
    assert out == "stopped\nruns started: 1\n"
    assert "Schedule 'nightly' started" in err
    assert "Schedule 'nightly' ended with exit code 143" in err
