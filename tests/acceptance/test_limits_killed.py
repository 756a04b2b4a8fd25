"""`kill -9` of whoever holds or awaits slots: never too many at a time, and never stuck."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from taxietl.orchestrator.query.standings import standings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="counts by flock")

LIMITS = {"tlc": 2, "warehouse": 1}

# How many are inside is counted apart from taxietl: who is in has a lock on a file of its own, and
# whoever comes in counts the locked ones, alone. The files are opened before the engine is: the
# system closes a killed process's files in that order, so its mark goes before its run's lock, and
# nobody who comes in its place can still see it.
WORKER = """
import contextvars, fcntl, os, random, sys, threading, time
from pathlib import Path
from taxietl.orchestrator import Engine, configure_logging, flow, task

folder, name, threads, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
TAGS = {"tlc": 2, "warehouse": 1}

def opened(path):
    return os.open(path, os.O_RDWR | os.O_CREAT)

marks = {(number, tag): opened(folder / f"{name}-{number}.{tag}")
         for number in range(threads) for tag in TAGS}
turns = [opened(folder / "turn") for _ in range(threads)]
log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def is_locked(path):
    look = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(look, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(look)
    return False

def stay(number, tags):
    fcntl.flock(turns[number], fcntl.LOCK_EX)
    for tag in tags:
        fcntl.flock(marks[number, tag], fcntl.LOCK_EX | fcntl.LOCK_NB)
    for tag in tags:
        inside = sum(is_locked(path) for path in folder.glob(f"*.{tag}"))
        os.write(log, f"{tag} {inside}\\n".encode())
    fcntl.flock(turns[number], fcntl.LOCK_UN)
    time.sleep(random.random() * 0.03)
    for tag in tags:
        fcntl.flock(marks[number, tag], fcntl.LOCK_UN)

@task(tags={"tlc"})
def fetch(number):
    stay(number, ["tlc"])

@task(tags={"tlc", "warehouse"})
def copy(number):
    stay(number, ["tlc", "warehouse"])

@task(tags={"warehouse"})
def load(number):
    stay(number, ["warehouse"])

def loop(number):
    rng = random.Random(f"{seed}-{number}")
    while True:
        rng.choice([fetch, fetch, copy, load])(number)
        if (folder / "stop").exists():
            return

@flow
def many() -> int:
    started = [threading.Thread(target=contextvars.copy_context().run, args=(loop, number))
               for number in range(threads)]
    for each in started:
        each.start()
    for each in started:
        each.join()
    return len(started)

watchdog = threading.Timer(300, os._exit, [1])
watchdog.daemon = True
watchdog.start()
configure_logging(40)
ended = Engine(folder / "home", limits=TAGS).run(many)
ended.result()
sys.exit(ended.state.name != "Completed")
"""


def torture(folder: Path, *, processes: int, threads: int, kills: int, seed: int) -> None:
    """Kill a process at random, start another one in its place; at last, all come to an end."""
    rng = random.Random(seed)

    def start(place: int) -> subprocess.Popen[bytes]:
        arguments = [str(folder), str(place), str(threads), str(rng.random())]
        return subprocess.Popen([sys.executable, "-c", WORKER, *arguments])

    running = [start(place) for place in range(processes)]
    killed: Counter[str] = Counter()
    try:
        for _ in range(kills):
            # Long enough for a process to begin, most of the time, and to be amid anything.
            time.sleep(rng.uniform(0.1, 0.8))
            place = rng.randrange(processes)
            found = standings(folder / "home", LIMITS)
            killed["holders"] += running[place].pid in [
                each.pid for tag in found for each in tag.holders
            ]
            killed["waiters"] += running[place].pid in [
                each.pid for tag in found for each in tag.waiters
            ]
            running[place].kill()
            running[place].wait()
            running[place] = start(place)
        (folder / "stop").touch()
        assert [each.wait(60) for each in running] == [0] * processes
    finally:
        for each in running:
            each.kill()
            each.wait()

    entries = (folder / "log").read_text().splitlines()
    most = {tag: max(int(line.split()[1]) for line in entries if tag in line) for tag in LIMITS}
    print(
        f"\nseed {seed}: {processes} processes of {threads}, {kills} killed (holders among them"
        f" {killed['holders']}, waiters {killed['waiters']}), {len(entries)} slots taken,"
        f" at most {most} at a time"
    )
    assert most == LIMITS
    assert [(each.holders, each.waiters) for each in standings(folder / "home", LIMITS)] == [
        ([], []),
        ([], []),
    ]


def test_killed_processes_leave_no_slot_too_many_or_too_few(tmp_path: Path) -> None:
    torture(tmp_path, processes=3, threads=4, kills=5, seed=20210101)


@pytest.mark.torture
@pytest.mark.parametrize(
    ("processes", "threads", "kills"),
    [(3, 4, 150), (12, 1, 150)],
    ids=["threads", "processes"],
)
def test_torture_of_killed_holders_and_waiters(
    tmp_path: Path, processes: int, threads: int, kills: int
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    torture(tmp_path, processes=processes, threads=threads, kills=kills, seed=seed)
