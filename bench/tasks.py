"""What a task costs that does nothing, with its full history: prints ms a task.

    python bench/tasks.py [tasks] [runs]

Called one after the other, and submitted all at once. Also prints how long a process takes
that runs a flow of one task, imports included.
"""

from __future__ import annotations

import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from taxietl.orchestrator import Engine, configure_logging, flow, task

ONE_TASK = """
from taxietl import flow, task

@task
def nothing():
    return None

@flow
def one():
    nothing()

one()
"""


@task
def nothing(number: int) -> int:
    """Do nothing."""
    return number


@flow
def many(count: int) -> float:
    """Call it that often; returns the milliseconds of one call."""
    began = time.perf_counter()
    for number in range(count):
        nothing(number)
    return (time.perf_counter() - began) * 1000 / count


@flow
def submitted(count: int) -> float:
    """Submit it that often, and wait for all; returns the milliseconds of one."""
    began = time.perf_counter()
    nothing.map(range(count)).wait()
    return (time.perf_counter() - began) * 1000 / count


def whole_process(home: str) -> float:
    """Seconds from start to end of a process that runs one task."""
    environment = {**os.environ, "TAXIETL_HOME": home}
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", ONE_TASK], env=environment, check=True, capture_output=True
    )
    return time.perf_counter() - began


def main() -> None:
    """Measure both."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as home, open(os.devnull, "w") as nowhere:  # noqa: PTH123
        configure_logging(logging.INFO, nowhere)
        with Engine(Path(home)) as engine:
            for how in (many, submitted):
                costs = [engine.run(how, count).result() for _ in range(repeats)]
                least, most = min(costs), max(costs)
                print(f"no-op task, {how.name}: {least:.3f} to {most:.3f} ms ({repeats} x {count})")
        times = [whole_process(home) for _ in range(repeats)]
        print(f"process with one task: {statistics.median(times):.3f} s (median of {repeats})")


if __name__ == "__main__":
    main()
