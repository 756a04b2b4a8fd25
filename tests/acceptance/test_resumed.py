"""An ingest of several months that stops on the way, and goes on from there."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest
from command import document as command_document

from taxietl.extract.synthetic import write

MONTHS = ("--color", "green", "--year", "2021", "--month", "1-3")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder with three months in `files`, the second of which takes a while."""
    (tmp_path / "files").mkdir()
    for month, rows in ((1, 1_000), (2, 200_000), (3, 1_000)):
        path = tmp_path / "files" / f"green_tripdata_2021-{month:02d}.csv"
        write(path, "green", 2021, month, rows=rows)
    return tmp_path


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "taxietl", "--home", "home", *(str(each) for each in arguments)]


def document(work: Path, *arguments: object) -> Any:
    return command_document("--home", work / "home", *arguments)


def start_until_the_second_month_is_loading(work: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        command("ingest", *MONTHS, "--source", "./files", "--workers", "1"),
        cwd=work,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr is not None
    for _ in range(2):
        while "Created task run 'transform-0'" not in process.stderr.readline():
            assert process.poll() is None
    return process


def loads(work: Path) -> list[tuple[int, str]]:
    """Of each load ever made: its month, and the name of its run."""
    with duckdb.connect(str(work / "home" / "taxi.duckdb"), read_only=True) as connection:
        return connection.execute(
            "SELECT month(source_month), run_name FROM taxietl_loads ORDER BY loaded_at"
        ).fetchall()


def test_months_that_were_loaded_before_a_kill_are_not_loaded_again(
    work: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with start_until_the_second_month_is_loading(work) as process:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    (root,) = [run for run in document(work, "runs", "ls")["runs"] if run["parent_id"] is None]
    assert root["state"] == "Crashed"

    # Elsewhere the source, a relative path, means something else.
    resumed = subprocess.run(
        [*command()[:-1], work / "home", "runs", "resume", root["name"], "--json"],
        cwd=tmp_path_factory.mktemp("elsewhere"),
        check=True,
        capture_output=True,
        text=True,
    )

    name = json.loads(resumed.stdout)["run"]["name"]
    assert [each[0] for each in loads(work)] == [1, 2, 3]
    tree = document(work, "runs", "show", name)
    assert [each["state"] for each in tree["task_runs"]] == ["Cached", "Completed", "Completed"]
    second = tree["task_runs"][1]["child_run"]["task_runs"]
    assert {each["task"]: each["state"] for each in second} == {
        "probe": "Completed",
        "plan": "Completed",
        "extract": "Cached",
        "load": "Completed",
        "transform": "Completed",
    }
    assert all(each["ok"] for each in document(work, "verify", "--color", "green")["months"])


def test_a_cancelled_ingest_is_rolled_back_and_can_be_resumed(work: Path) -> None:
    with start_until_the_second_month_is_loading(work) as process:
        process.send_signal(signal.SIGSTOP)  # or it would be done before the command has begun
        (root,) = [run for run in document(work, "runs", "ls")["runs"] if run["parent_id"] is None]
        with subprocess.Popen(
            command("runs", "cancel", root["name"], "--json"),
            cwd=work,
            stdout=subprocess.PIPE,
            text=True,
        ) as cancelling:
            while not list((work / "home" / "runs").glob("*.cancel")):
                assert cancelling.poll() is None
            process.send_signal(signal.SIGCONT)
            began = time.monotonic()
            cancelled = json.loads(cancelling.communicate()[0])
            seconds = time.monotonic() - began
        process.communicate()

    assert process.returncode == 143
    assert seconds < 12  # of 15, after which the command gives up; else it takes one or two
    assert cancelled["run"]["state"] == "Cancelled"
    assert [each[0] for each in loads(work)] == [1]

    subprocess.run(
        command("runs", "resume", root["name"]), cwd=work, check=True, capture_output=True
    )

    assert [each[0] for each in loads(work)] == [1, 2, 3]
