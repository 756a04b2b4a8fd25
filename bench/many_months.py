"""Twelve months in one command with two workers, beside twelve commands of one month each.

    python bench/many_months.py [ROWS] [ROUNDS]

Into a DuckDB file and into PostgreSQL, in interleaved pairs, each into a warehouse of its own; the
files are synthetic, yellow as Parquet, ROWS each (default 300,000). The goal is 0.90 of the time.
"""

from __future__ import annotations

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

from taxietl.extract.synthetic import write

MONTHS = range(1, 13)
COMMAND = [sys.executable, "-m", "taxietl"]


def _seconds(lines: list[list[str]], url: str | None) -> float:
    """How long these commands take one after another, in a home of their own."""
    with tempfile.TemporaryDirectory() as home:
        to = ["--to", url] if url else []
        begun = time.perf_counter()
        for line in lines:
            subprocess.run([*COMMAND, "--home", home, "ingest", *line, *to, "-q"], check=True,
                           stdout=subprocess.DEVNULL)  # fmt: skip
        return time.perf_counter() - begun


def _compared(name: str, files: Path, rounds: int, url: str | None) -> None:
    of = ["--color", "yellow", "--year", "2021", "--source", str(files)]
    one_by_one = [[*of, "--month", str(month)] for month in MONTHS]
    together = [[*of, "--month", "1-12", "--workers", "2"]]
    serial = [[*of, "--month", "1-12", "--workers", "1"]]
    taken: dict[str, list[float]] = {"apart": [], "two": [], "one": []}
    for _ in range(rounds):
        for kind, lines in (("apart", one_by_one), ("two", together), ("one", serial)):
            if url is not None:
                _emptied(url)
            taken[kind].append(_seconds(lines, url))
    apart, two, one = (statistics.median(taken[kind]) for kind in ("apart", "two", "one"))
    print(
        f"{name}: 12 x one month {apart:.2f} s; 12 months with 2 workers {two:.2f} s "
        f"({two / apart:.2f}), with 1 worker {one:.2f} s ({one / apart:.2f})"
    )


def _emptied(url: str) -> None:
    """A database without tables."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS public, taxietl_parts CASCADE; CREATE SCHEMA public")
    connection.close()


def main(rows: int = 300_000, rounds: int = 3) -> None:
    """Print both comparisons."""
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder)
        for month in MONTHS:
            write(files / f"yellow_tripdata_2021-{month:02d}.parquet", "yellow", 2021, month,
                  rows=rows)  # fmt: skip
        _compared("DuckDB", files, rounds, None)
        with Server(binaries(), files / "log", is_durable=True) as server:
            _compared("PostgreSQL", files, rounds, server.url())


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:]))
