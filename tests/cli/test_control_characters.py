"""What files and errors bring along reaches a terminal as text, in rows that stay rows."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from command import Taxietl

from taxietl.extract.synthetic import write

MONTH = ("--color", "green", "--year", "2021", "--month", "1")
EVIL = "x\x1b]0;owned\x07\u202e[red]y"
SHOWN = r"x\x1b]0;owned\x07\u202e[red]y"
SELECT = f"SELECT '{EVIL}' AS \"{EVIL}\""


def is_harmless(text: str) -> bool:
    return not any(each in text for each in "\x1b\x07\u202e")


@pytest.fixture
def odd_column(tmp_path: Path) -> Path:
    """A month with one column more, whose name and values would drive a terminal."""
    source = tmp_path / "green_tripdata_2021-01.csv"
    write(source, "green", 2021, 1, rows=20)
    with source.open(newline="") as file:
        rows = list(csv.reader(file))
    with source.open("w", newline="") as file:
        csv.writer(file).writerows([*row, EVIL] for row in rows)
    return source


def test_a_column_of_a_file_drives_no_terminal(taxietl: Taxietl, odd_column: Path) -> None:
    ingested = taxietl("ingest", *MONTH, "--source", odd_column)
    inspected = taxietl("inspect", *MONTH)
    document = taxietl("inspect", *MONTH, "--json")

    assert ingested.code == inspected.code == 0, ingested.err
    for text in (ingested.out, ingested.err, inspected.out, document.out):
        assert is_harmless(text)
    assert SHOWN in ingested.out
    assert SHOWN in ingested.err
    assert SHOWN[:20] in inspected.out
    assert EVIL in [each["name"] for each in document.document["columns"]]


def test_values_of_a_query_drive_no_terminal(taxietl: Taxietl, odd_column: Path) -> None:
    taxietl("ingest", *MONTH, "--source", odd_column)

    table, document = taxietl("sql", SELECT), taxietl("sql", SELECT, "--json")

    assert table.out.splitlines() == [SHOWN, SHOWN]
    assert is_harmless(document.out)
    assert document.document["rows"] == [[EVIL]]


def test_csv_holds_the_data_as_they_are_unless_on_a_terminal(
    taxietl: Taxietl, home: Path, odd_column: Path
) -> None:
    taxietl("ingest", *MONTH, "--source", odd_column)
    piped = taxietl("sql", SELECT, "--format", "csv")
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "taxietl", "--home", home, "sql", SELECT, "--format", "csv"]
    subprocess.run(command, stdout=theirs, check=True, timeout=60)
    os.close(theirs)
    on_terminal = os.read(ours, 10_000).decode()
    os.close(ours)

    assert list(csv.reader(io.StringIO(piped.out))) == [[EVIL], [EVIL]]
    assert on_terminal.splitlines() == [f'"{SHOWN}"', f'"{SHOWN}"']


def test_a_row_of_runs_stays_a_row(taxietl: Taxietl) -> None:
    Path("mine.py").write_text(
        "from taxietl import flow\n"
        "@flow\ndef bad():\n"
        f"    raise ValueError({('first' + chr(10) + 'second' + EVIL)!r})\n"
    )

    failed = taxietl("run", "mine.py:bad")
    listed = taxietl("runs", "ls")
    logs = taxietl("runs", "logs", json.loads(taxietl("runs", "ls", "--json").out)["runs"][0]["id"])

    assert failed.code == 1
    assert len(listed.out.splitlines()) == 2
    assert f"first second{SHOWN}" in listed.out
    for text in (failed.err, listed.out, logs.out):
        assert is_harmless(text)
