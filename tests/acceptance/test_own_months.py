"""A flow of a user's own over three months: child runs, kept extracts, streams, and their truth."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from command import document as command_document

FLOWS = """
import shutil
from collections.abc import Generator
from pathlib import Path

import pandas as pd

from taxietl import Cache, Stream, flow, profile, task


@task(cache=Cache(), version="1")
def extract(month: int) -> Path:
    path = Path(f"fetched-{month}.csv").resolve()
    shutil.copy(f"source-{month}.csv", path)
    return path


@task
def transform(path: Path) -> Generator[pd.DataFrame, None, int]:
    left_out = 0
    for chunk in pd.read_csv(path, chunksize=100):
        kept = chunk[chunk["passengers"] != 0]
        left_out += len(chunk) - len(kept)
        yield kept
    return left_out


@task
def load(chunks: Stream[pd.DataFrame, int], month: int) -> dict[str, int]:
    rows = 0
    with profile("warehouse").connect() as connection:
        connection.begin()
        connection.execute("CREATE TABLE IF NOT EXISTS trips (month INT, trip INT, passengers INT)")
        connection.execute("DELETE FROM trips WHERE month = ?", [month])
        for chunk in chunks:
            connection.execute("INSERT INTO trips SELECT ?, trip, passengers FROM chunk", [month])
            rows += len(chunk)
        connection.commit()
    return {"loaded": rows, "left out": chunks.result}


@flow(run_name="month-{month}")
def one(month: int) -> dict[str, int]:
    return load(transform(extract(month)), month)


@flow(run_name="months")
def months(months: list[int]) -> list[dict[str, int]]:
    return [one(month) for month in months]
"""


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder with the flow, and three months of 1,000 trips; of each tenth nobody rode."""
    (tmp_path / "flows.py").write_text(FLOWS)
    for month in (1, 2, 3):
        lines = [f"{trip},{trip % 10}" for trip in range(1000)]
        (tmp_path / f"source-{month}.csv").write_text("\n".join(["trip,passengers", *lines]))
    return tmp_path


def document(work: Path, *arguments: str) -> Any:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TAXIETL_")}
    done = subprocess.run(
        [sys.executable, "-m", "taxietl", "--home", "home", *arguments, "--json"],
        cwd=work,
        env=kept | {"XDG_CONFIG_HOME": str(work)},
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


def states(work: Path, run: str) -> list[dict[str, str]]:
    """Of each child run: the states of its task runs by name."""
    tree = command_document("--home", work / "home", "runs", "show", run)
    children = [each["child_run"] for each in tree["task_runs"]]
    assert [each["name"].split("-")[1] for each in children] == ["1", "2", "3"]
    assert {each["state"] for each in children} == {"Completed"}
    return [{each["name"]: each["state"] for each in child["task_runs"]} for child in children]


def rows(work: Path) -> list[tuple[int, int]]:
    with duckdb.connect(str(work / "home" / "taxi.duckdb"), read_only=True) as connection:
        query = "SELECT month, count(*) FROM trips GROUP BY month ORDER BY month"
        return connection.execute(query).fetchall()


def test_a_second_run_fetches_nothing_and_leaves_the_same_rows(work: Path) -> None:
    call = ("run", "flows.py:months", "-p", "months=[1, 2, 3]")

    first = document(work, *call)
    once = rows(work)
    second = document(work, *call)

    assert first["result"] == second["result"] == [{"loaded": 900, "left out": 100}] * 3
    steps = {"extract-0": "Completed", "load-0": "Completed", "transform-0": "Completed"}
    assert states(work, first["run"]["id"]) == [steps] * 3
    assert states(work, second["run"]["id"]) == [steps | {"extract-0": "Cached"}] * 3
    assert once == rows(work) == [(1, 900), (2, 900), (3, 900)]


def test_a_fetched_file_that_somebody_changed_is_fetched_again_and_no_other(work: Path) -> None:
    call = ("run", "flows.py:months", "-p", "months=[1, 2, 3]")
    document(work, *call)
    (work / "fetched-2.csv").write_text("trip,passengers\n1,1\n")

    again = document(work, *call)

    extracts = [each["extract-0"] for each in states(work, again["run"]["name"])]
    assert extracts == ["Cached", "Completed", "Cached"]
    assert rows(work) == [(1, 900), (2, 900), (3, 900)]
