"""A month into DuckDB, beside DuckDB's own reading: whole processes, in interleaved pairs.

    python bench/duckdb_load.py FILE [ROUNDS]

FILE is a yellow trip file of 2021-01, CSV, CSV.gz or Parquet. DuckDB's side is `CREATE TABLE AS
SELECT * FROM` the file, whose rows nobody checks. Told twice: the whole processes, start and end
included, and the work alone, DuckDB's statement and closing against our task `load`.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

CTAS = """
import duckdb, sys, time
source, target = sys.argv[1:]
reader = "read_parquet" if source.endswith(".parquet") else "read_csv"
begun = time.perf_counter()
with duckdb.connect(target) as connection:
    connection.execute("SET enable_progress_bar = false")
    connection.execute(f"CREATE TABLE trips AS SELECT * FROM {reader}('{source}')")
print(time.perf_counter() - begun)
"""


def _run(command: list[str]) -> tuple[float, float, float, str]:
    """Wall seconds, CPU seconds, peak memory in MB and the output of one process."""
    begun = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - begun
        if process.returncode:
            raise SystemExit(f"{command} failed with {process.returncode}")
        output.seek(0)
        return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output.read()


def _ctas(file: Path, folder: str) -> tuple[float, ...]:
    target = str(Path(folder) / "ctas.duckdb")
    *facts, said = _run([sys.executable, "-c", CTAS, str(file), target])
    return (*facts, float(said))


def _ingest(file: Path, folder: str) -> tuple[float, ...]:
    taxietl = [sys.executable, "-m", "taxietl", "--home", folder]
    month = ["--color", "yellow", "--year", "2021", "--month", "1"]
    *facts, said = _run([*taxietl, "ingest", *month, "--source", str(file), "-q", "--json"])
    name = json.loads(said)["run"]["name"]
    shown = json.loads(_run([*taxietl, "runs", "show", name, "--json"])[3])
    load = next(task for task in shown["task_runs"] if task["task"] == "load")
    begun, ended = (datetime.fromisoformat(load[each]) for each in ("started_at", "ended_at"))
    return (*facts, (ended - begun).total_seconds())


def main() -> None:
    """Print each side's medians, and the median of the pairs' ratios."""
    file = Path(sys.argv[1]).resolve()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    sides = {"DuckDB CTAS": _ctas, "taxietl ingest": _ingest}
    taken: dict[str, list[tuple[float, ...]]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            with tempfile.TemporaryDirectory() as folder:
                taken[name].append(side(file, folder))
    for name, runs in taken.items():
        wall, cpu, memory, work = (statistics.median(each) for each in zip(*runs, strict=True))
        print(
            f"{name:<16} process {wall:.2f} s, its CPU {cpu:.2f} s, peak {memory:.0f} MB; "
            f"work alone {work:.2f} s"
        )
    pairs = list(zip(*taken.values(), strict=True))
    for what, place in (("process", 0), ("CPU", 1), ("work alone", 3)):
        ratio = statistics.median(ours[place] / theirs[place] for theirs, ours in pairs)
        print(f"{what}, median of {rounds} pairs: {ratio:.2f} of DuckDB's")


if __name__ == "__main__":
    main()
