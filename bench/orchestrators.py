"""What 1,000 tasks that do nothing cost, beside Prefect 3 and Luigi: whole processes.

    python bench/orchestrators.py [TASKS] [ROUNDS]

Each process runs a flow of one task first, so that what starts only once (Prefect's own server)
is told apart, then the flow of many, one task after the other, logging as by default. Every
process gets an empty home of its own; the task runs that its history holds once it has ended are
counted (Prefect's server, which ends with the process, stores them later). The peers are
installed into virtual environments that are removed afterwards; one that cannot be installed, or
does not run, is said to be left out. Prefect runs 3 rounds at most: it takes its time to start.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

FLOW = """
import sys, time
from {package} import flow, task

@task
def nothing(number):
    return number

@flow
def many(count):
    for number in range(count):
        nothing(number)

for count in (1, int(sys.argv[1])):
    begun = time.perf_counter()
    many(count)
    print("took", time.perf_counter() - begun)
"""
LUIGI = """
import sys, time
import luigi
from luigi.mock import MockTarget

class Nothing(luigi.Task):
    number = luigi.IntParameter()

    def output(self):
        return MockTarget(f"nothing-{self.number}")

    def run(self):
        with self.output().open("w") as file:
            file.write("done")

class Many(luigi.WrapperTask):
    first = luigi.IntParameter()
    count = luigi.IntParameter()

    def requires(self):
        return [Nothing(self.first + number) for number in range(self.count)]

first = 0
for count in (1, int(sys.argv[1])):
    begun = time.perf_counter()
    assert luigi.build([Many(first, count)], local_scheduler=True, workers=1)
    print("took", time.perf_counter() - begun)
    first += count
"""


@dataclass(frozen=True)
class Case:
    """One orchestrator: what to install, what to run, and where it keeps its task runs."""

    name: str
    code: str
    packages: tuple[str, ...] = ()
    """Left out: it runs in this environment."""
    home: str | None = None
    """The variable that names its home."""
    settings: Mapping[str, str] = field(default_factory=dict)
    history: tuple[str, str] | None = None
    """A SQLite file in its home, and the table of task runs."""
    rounds: int = 10


CASES = (
    Case(
        "taxietl",
        FLOW.format(package="taxietl"),
        home="TAXIETL_HOME",
        history=("history.db", "task_runs"),
    ),
    Case(
        "Prefect 3.8.8",
        FLOW.format(package="prefect"),
        # Newer releases of FastAPI keep its server from starting.
        packages=("prefect==3.8.8", "fastapi<0.150"),
        home="PREFECT_HOME",
        settings={"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"},
        history=("prefect.db", "task_run"),
        rounds=3,
    ),
    Case("Luigi 3.8.1", LUIGI, packages=("luigi==3.8.1",)),
)


@dataclass(frozen=True)
class Round:
    """Seconds of one process, and of its two flows; task runs kept, if any are."""

    process: float
    first: float
    many: float
    kept: int | None


def installed(case: Case, folder: Path) -> Path:
    """The interpreter that has it; RuntimeError, in pip's words, if it cannot be had."""
    if not case.packages:
        return Path(sys.executable)
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, *case.packages], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"not installed: {_last_line(done.stderr)}")
    return python


def measured(case: Case, python: Path, tasks: int) -> Round:
    """One process in an empty home; RuntimeError if it fails."""
    with tempfile.TemporaryDirectory() as home:
        own = {case.home: home} if case.home else {}
        begun = time.perf_counter()
        done = subprocess.run(
            [python, "-c", case.code, str(tasks)],
            env={**os.environ, **case.settings, **own},
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
        )
        process = time.perf_counter() - begun
        if done.returncode:
            raise RuntimeError(f"does not run: {_last_line(done.stderr)}")
        took = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("took ")]
        first, many = map(float, took)
        return Round(process, first, many, _kept(case, Path(home)))


def main() -> None:
    """Print a line for each."""
    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    most = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    print(f"{tasks:,} tasks that do nothing, medians (least to most)")
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                python = installed(case, Path(folder))
                count = min(most, case.rounds)
                rounds = [measured(case, python, tasks) for _ in range(count)]
            except RuntimeError as error:
                print(f"{case.name:<14} left out, {error}")
                continue
        print(f"{case.name:<14} {_told(rounds, tasks)}", flush=True)


def _told(rounds: list[Round], tasks: int) -> str:
    kept = sorted({each.kept for each in rounds if each.kept is not None})
    history = f"{', '.join(map(str, kept))} task runs stored" if kept else "stores none"
    return (
        f"{_spread([each.many * 1000 / tasks for each in rounds])} ms a task,"
        f" first flow {_spread([each.first for each in rounds])} s,"
        f" process {_spread([each.process for each in rounds])} s"
        f" ({len(rounds)} rounds, {history})"
    )


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def _kept(case: Case, home: Path) -> int | None:
    if case.history is None:
        return None
    file, table = case.history
    with closing(sqlite3.connect(home / file)) as database:
        count = database.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
        return int(count.fetchone()[0])


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no word of it"])[-1]


if __name__ == "__main__":
    main()
