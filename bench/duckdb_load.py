"""A month into DuckDB, beside DuckDB's own reading: whole processes, in interleaved pairs.

    python bench/duckdb_load.py FILE [ROUNDS]

FILE is a yellow trip file of 2021-01, CSV, CSV.gz or Parquet. DuckDB's side is `CREATE TABLE AS
SELECT * FROM` the file, with nothing sniffed less and nothing checked more.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CTAS = """
import duckdb, sys
source, target = sys.argv[1:]
reader = "read_parquet" if source.endswith(".parquet") else "read_csv"
with duckdb.connect(target) as connection:
    connection.execute(f"CREATE TABLE trips AS SELECT * FROM {reader}('{source}')")
"""


def _run(command: list[str]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak memory in MB of one process."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} failed with {process.returncode}")
    wall = time.perf_counter() - begun
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    """Print each side's medians, and the median of the pairs' ratios."""
    file = Path(sys.argv[1]).resolve()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    taken: dict[str, list[tuple[float, float, float]]] = {"DuckDB CTAS": [], "taxietl ingest": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            target = str(Path(folder) / "ctas.duckdb")
            ctas = [sys.executable, "-c", CTAS, str(file), target]
            taken["DuckDB CTAS"].append(_run(ctas))
        with tempfile.TemporaryDirectory() as folder:
            month = ["--color", "yellow", "--year", "2021", "--month", "1"]
            ingest = ["-m", "taxietl", "--home", folder, "ingest", *month, "--source", str(file)]
            taken["taxietl ingest"].append(_run([sys.executable, *ingest, "-q"]))
    for name, runs in taken.items():
        wall, cpu, memory = (statistics.median(each) for each in zip(*runs, strict=True))
        print(f"{name:<16} {wall:.2f} s wall, {cpu:.2f} s CPU, {memory:.0f} MB at its peak")
    pairs = list(zip(*taken.values(), strict=True))
    for what, place in (("wall", 0), ("CPU", 1)):
        ratio = statistics.median(ours[place] / theirs[place] for theirs, ours in pairs)
        print(f"{what}, median of {rounds} pairs: {ratio:.2f} of DuckDB's")


if __name__ == "__main__":
    main()
