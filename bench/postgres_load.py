"""A month into PostgreSQL, beside `gunzip | psql \\copy`: whole processes, in interleaved pairs.

    python bench/postgres_load.py FILE [ROUNDS]

FILE is a yellow CSV.gz of 2021-01 without a blank line; of Parquet, which psql cannot read, ours
alone is measured. Both write to one server of the tests'
own, with its settings as they come (durable, 128 MB of shared buffers). psql's side goes into a
plain table with the same columns, checks nothing and makes no index; ours is the whole `ingest`.
"""

from __future__ import annotations

import gzip
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg2

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
from postgres import Server
from postgres_binaries import binaries

from taxietl.tlc.datasets import DATASETS

YELLOW = DATASETS["yellow"]


def _run(command: list[str], **settings: str) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds of the client and its peak memory in MB."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ | settings)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} failed with {process.returncode}")
    wall = time.perf_counter() - begun
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def _psql(file: Path, url: str) -> tuple[float, float, float]:
    with gzip.open(file, "rt") as lines:
        names = ", ".join(f'"{name}"' for name in lines.readline().strip().split(","))
    copy = f"\\copy plain ({names}) FROM STDIN (FORMAT csv, HEADER)"
    return _run(
        ["sh", "-c", f"gunzip -c '{file}' | psql -q -v ON_ERROR_STOP=1 '{url}' -c '{copy}'"]
    )


def _taxietl(file: Path, url: str) -> tuple[float, float, float]:
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "taxietl.toml"
        config.write_text('[profiles.warehouse]\ntype = "postgres"\nurl = { env = "BENCH_URL" }\n')
        taxietl = [sys.executable, "-m", "taxietl", "--home", folder, "--config", str(config)]
        month = ["--color", "yellow", "--year", "2021", "--month", "1", "--transform", "none", "-q"]
        return _run([*taxietl, "ingest", *month, "--source", str(file)], BENCH_URL=url)


def _asked(url: str, statement: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def _fresh(server: Server) -> None:
    """Neither side finds anything, nor has to write what the other left to be written."""
    columns = ", ".join(f'"{each.name}" {each.kind.sql_type}' for each in YELLOW.columns)
    for statement in (
        "DROP TABLE IF EXISTS plain, yellow_trips, taxietl_loads, taxietl_rejects CASCADE",
        f"CREATE TABLE plain ({columns}, source_month DATE)",
        "CHECKPOINT",
    ):
        _asked(server.url(), statement)


def main() -> None:
    """Print each side's medians, and the median of the pairs' ratios."""
    file = Path(sys.argv[1]).resolve()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    taken: dict[str, list[tuple[float, float, float]]] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(binaries(), Path(folder) / "log", is_durable=True) as server,
    ):
        sides = {"gunzip | psql": _psql, "taxietl ingest": _taxietl}
        if file.suffix == ".parquet":
            del sides["gunzip | psql"]
        for _ in range(rounds):
            for name, side in sides.items():
                _fresh(server)
                taken.setdefault(name, []).append(side(file, server.url()))
    for name, runs in taken.items():
        wall, cpu, memory = (statistics.median(each) for each in zip(*runs, strict=True))
        print(f"{name:<16} {wall:.2f} s, client CPU {cpu:.2f} s, peak {memory:.0f} MB")
    if len(taken) == 1:
        return
    pairs = list(zip(*taken.values(), strict=True))
    ratio = statistics.median(ours[0] / theirs[0] for theirs, ours in pairs)
    print(f"median of {rounds} pairs: {ratio:.2f} of gunzip | psql")


if __name__ == "__main__":
    main()
