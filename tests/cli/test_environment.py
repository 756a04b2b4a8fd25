"""What no command could use is refused before it runs: bytes that are no UTF-8, odd time zones."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from taxietl.cli.main import main

BAD = os.fsdecode(b"caf\xe9")


@pytest.mark.parametrize(
    "arguments",
    [
        ["ingest", "--color", "green", "--year", "2021", "--month", "2", "--source", BAD],
        ["--home", BAD, "runs", "ls"],
        ["--config", f"{BAD}/c.toml", "runs", "ls"],
        ["zones", "--source", f"{BAD}.parquet"],
        ["inspect", "--color", "green", "--year", "2021", "--month", "2", "--html", f"{BAD}.html"],
        ["rejects", "export", "--out", f"{BAD}.csv"],
        ["sql", f"SELECT '{BAD}'"],
        ["run", f"{BAD}.py:flow"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_an_argument_with_a_byte_that_is_no_utf_8(
    arguments: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2

    said = capfd.readouterr().err
    assert r"error: An argument of the command is not UTF-8: " in said
    assert r"caf\xe9" in said
    assert "hint: Rename the file or folder" in said


def test_a_variable_with_one(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAXIETL_HOME", f"/tmp/{BAD}")

    assert main(["runs", "ls"]) == 2
    assert r"variable TAXIETL_HOME is not UTF-8: /tmp/caf\xe9." in capfd.readouterr().err


def test_a_folder_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / BAD).mkdir()
    monkeypatch.chdir(tmp_path / BAD)

    assert main(["runs", "ls"]) == 2
    assert "The name of the current folder is not UTF-8" in capfd.readouterr().err


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """For a test that sets TZ: the process has its own again afterwards."""
    yield monkeypatch
    monkeypatch.undo()
    time.tzset()


def test_an_offset_of_days_is_no_time_zone(
    zone: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    zone.setenv("TZ", "UTC+99")
    time.tzset()

    assert main(["runs", "ls"]) == 2
    assert "variable TZ is 'UTC+99', which is no time zone" in capfd.readouterr().err


@pytest.mark.parametrize("name", [":/nonsense", "Mars/Olympus", "x y", ""])
def test_a_name_that_nobody_knows_is_utc_as_for_every_program(
    zone: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    zone.setenv("TZ", name)
    zone.setenv("TAXIETL_HOME", str(tmp_path))
    time.tzset()

    assert main(["runs", "ls"]) == 0
