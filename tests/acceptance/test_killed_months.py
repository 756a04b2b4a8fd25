"""Many months in one command, killed again and again: each comes once, and whole."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest
from command import document

from taxietl.extract.synthetic import write

COLORS = ("yellow", "green")


class Months:
    """A folder with months of two colours, and a warehouse that one command brings them into."""

    def __init__(self, folder: Path, months: int, rows: int, url: str | None) -> None:
        self._home, self._files, self._url = folder / "home", folder / "files", url
        self._files.mkdir()
        self._span = f"1-{months}"
        self.all = {(color, month) for color in COLORS for month in range(1, months + 1)}
        for color, month in self.all:
            name = f"{color}_tripdata_2021-{month:02d}.parquet"
            write(self._files / name, color, 2021, month, rows=rows)

    @property
    def _line(self) -> list[str]:
        line = ["--home", str(self._home), "ingest", "--color", ",".join(COLORS), "--year", "2021"]
        line += ["--month", self._span, "--source", str(self._files), "--transform", "none"]
        return [*line, *(["--to", self._url] if self._url else [])]

    def document(self) -> Any:
        """What the command says that is left alone."""
        return document(*self._line)

    def kill_after(self, lines: int) -> bool:
        """Begin the command, and kill it once it has written so many lines of log."""
        with subprocess.Popen(
            [sys.executable, "-m", "taxietl", *self._line],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            for _ in range(lines):
                process.stderr.readline()
            process.kill()
            return process.wait() == -signal.SIGKILL

    def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        if self._url is None:
            file = self._home / "taxi.duckdb"
            if not file.exists():
                return []
            with duckdb.connect(str(file), read_only=True) as connection:
                tables = {row[0] for row in connection.execute("SHOW TABLES").fetchall()}
                return connection.execute(statement).fetchall() if "trips" in tables else []
        with closing(psycopg2.connect(self._url)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('trips')")
            if cursor.fetchone() == (None,):
                return []
            cursor.execute(statement)
            return list(cursor.fetchall())

    def counts(self) -> dict[tuple[str, int], int]:
        """How many rows of each month lie in the tables."""
        month = "CAST(extract(month FROM source_month) AS INTEGER)"
        rows = self._rows(f"SELECT color, {month}, count(*) FROM trips GROUP BY 1, 2")
        return {(color, month): count for color, month, count in rows}

    def loads(self) -> list[tuple[str, int, bool]]:
        """Each load that the ledger has, and whether another one took its place."""
        month = "CAST(extract(month FROM source_month) AS INTEGER)"
        return self._rows(f"SELECT color, {month}, superseded_at IS NOT NULL FROM taxietl_loads")


@pytest.fixture(params=["duckdb", "postgres"])
def url(request: pytest.FixtureRequest) -> str | None:
    """Of an empty database, or None for a DuckDB file."""
    wanted = request.param == "postgres"
    return str(request.getfixturevalue("warehouse")) if wanted else None


def _killed_and_begun_again(
    months: Months, kills: int, rows: int, rng: random.Random
) -> tuple[int, int]:
    """Kill the command so often, look each time, and let it end.

    Returns:
        How often it was killed in time, and how many months it had loaded by then.
    """
    in_time = 0
    for _ in range(kills):
        in_time += months.kill_after(rng.randrange(1, 20 * len(months.all) // kills))

        counts = months.counts()
        assert set(counts.values()) <= {rows}, "a month is there in part"
        loads = months.loads()
        assert {(color, month) for color, month, _ in loads} == set(counts)
        assert len(loads) == len(counts), "a month was loaded twice"
    before = set(months.counts())

    done = months.document()

    actions = {(each["color"], each["month"]): each["action"] for each in done["months"]}
    assert {key for key, action in actions.items() if action == "nothing to do"} == before
    assert {key for key, action in actions.items() if action == "loaded"} == months.all - before
    assert months.counts() == dict.fromkeys(months.all, rows)
    assert sorted(months.loads()) == sorted((*key, False) for key in months.all)
    return in_time, len(before)


def test_six_months_killed_twice_come_once_and_whole(tmp_path: Path, url: str | None) -> None:
    months = Months(tmp_path, 3, rows=2_000, url=url)

    assert _killed_and_begun_again(months, 2, 2_000, random.Random(7))[0] >= 1


@pytest.mark.torture
def test_24_months_killed_at_10_moments_come_once_and_whole(
    tmp_path: Path, url: str | None
) -> None:
    months = Months(tmp_path, 12, rows=40_000, url=url)

    in_time, loaded = _killed_and_begun_again(months, 10, 40_000, random.Random(8))

    print(
        f"seed 8: {in_time} of 10 commands killed in time, {loaded} months loaded by them; "
        "24 months once each, and whole"
    )
    assert in_time >= 8
