"""Standard streams as shells hand them over: closed, full, or read by somebody who leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from months import Duck

FULL = Path("/dev/full")

on_a_full_disk = pytest.mark.skipif(not FULL.exists(), reason="only Linux has /dev/full")


def run(home: Path, line: str, *, buffered: bool = True) -> subprocess.CompletedProcess[str]:
    """What a shell makes of a line in which `taxietl` is this Python's."""
    own = f'"{sys.executable}" -m taxietl --home "{home}"'
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    return subprocess.run(
        ["/bin/sh", "-c", line.replace("taxietl", own, 1)],
        env=environment if buffered else {**environment, "PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose warehouse is there to be asked."""
    filled = tmp_path_factory.mktemp("filled")
    Duck(filled / "taxi.duckdb").load(3)
    return filled


@on_a_full_disk
@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("command", "is_buffered"),
    [
        ("schema", True),
        ("schema", False),
        ("runs ls --json", True),
        ("sql 'SELECT 1 AS one' --format table", True),
        ("sql 'SELECT 1 AS one' --format csv", True),
        ("sql 'SELECT 1 AS one' --format parquet", True),
        ("sql 'SELECT 1 AS one' --format parquet", False),
        ("sql 'SELECT * FROM range(100000)' --format csv", True),
        ("sql 'SELECT * FROM range(100000)' --format csv", False),
    ],
)
def test_output_lost_to_a_full_disk_is_a_failure(
    filled: Path, command: str, is_buffered: bool
) -> None:
    done = run(filled, f"taxietl {command} > {FULL}", buffered=is_buffered)

    assert done.returncode == 5
    assert done.stderr.splitlines() == [
        "error: stdout cannot be written: No space left on device.",
        "hint: Free some space, or send the output elsewhere.",
    ]


@on_a_full_disk
@pytest.mark.parametrize("command", ["--help", "ingest --help"])
def test_help_lost_to_a_full_disk_is_a_failure(home: Path, command: str) -> None:
    done = run(home, f"taxietl {command} > {FULL}")

    assert done.returncode == 5
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@on_a_full_disk
def test_an_error_keeps_its_own_exit_code_when_its_document_is_lost(home: Path) -> None:
    done = run(home, f"taxietl runs show nobody --json > {FULL}")

    assert done.returncode == 2
    assert done.stderr.startswith("error: There is no run named 'nobody'.")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("closed", [">&-", "<&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_failure(home: Path, closed: str) -> None:
    done = run(home, f"taxietl runs ls {closed}")

    assert (done.returncode, done.stderr) == (0, "")


def test_a_file_opened_later_is_not_written_to_as_stdout(home: Path) -> None:
    """Descriptor 1, if free, would be the history's or the warehouse's."""
    run(home, "taxietl generate --color green --year 2021 --month 1 --rows 9 --out g.csv >&-")

    assert "synthetic" not in Path("g.csv").read_text()
    ingest = "ingest --color green --year 2021 --month 1 --source g.csv"
    assert run(home, f"taxietl {ingest} >&- 2>&-").returncode == 0
    assert run(home, "taxietl verify --color green").stdout.startswith("green-2021-01  ok: 9 rows")


@pytest.mark.parametrize(("command", "code"), [("runs ls", 0), ("runs show nobody --json", 2)])
def test_a_reader_who_leaves_changes_no_exit_code(home: Path, command: str, code: int) -> None:
    done = run(home, f"(taxietl {command}; echo $? > code) | true")

    assert Path("code").read_text() == f"{code}\n"
    assert "Traceback" not in done.stderr
