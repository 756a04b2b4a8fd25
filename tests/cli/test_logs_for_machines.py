"""What a log collector gets: every line that taxietl writes to stderr, with its date and level."""

from __future__ import annotations

import json
import logging
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from command import Taxietl

from taxietl.cli.output import UnshownLog
from taxietl.cli.stderr import choose_log_format

FLOW = """\
import logging, threading, warnings
from taxietl import flow, get_run_logger


class Clumsy:
    def __del__(self):
        raise ValueError("in a destructor")


@flow
def own():
    get_run_logger().warning("two\\nlines")
    logging.getLogger("lib").warning("%d rows", "no number")
    logging.getLogger("lib").error("three\\nmore\\nlines")
    warnings.warn("outdated")
    Clumsy()
    thread = threading.Thread(target=lambda: 1 / 0, name="side")
    thread.start()
    thread.join()
    raise ValueError("the end")
"""
DATED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \| (INFO|WARNING|ERROR) +\| ")
CLOCK = re.compile(r"\d\d:\d\d:\d\d\.\d{3} \| (INFO|WARNING|ERROR) +\| ")

Written = Callable[..., list[str]]


@pytest.fixture
def written(home: Path, tmp_path: Path) -> Written:
    """What a flow that does about everything wrong has a process write to stderr."""
    Path("own.py").write_text(FLOW)

    def run(*options: str, journal: str = "") -> list[str]:
        path = tmp_path / "stderr"
        with path.open("wb") as stderr:
            found = os.fstat(stderr.fileno())
            here = f"{found.st_dev}:{found.st_ino}"
            subprocess.run(
                [sys.executable, "-m", "taxietl", "--home", home, "run", "own.py:own", *options],
                env=os.environ | {"JOURNAL_STREAM": {"here": here}.get(journal, journal)},
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                check=False,
            )
        return path.read_text().splitlines()

    return run


def test_every_line_is_an_object_with_date_and_zone(written: Written) -> None:
    lines = [json.loads(line) for line in written("--log-format", "json")]

    for line in lines:
        assert datetime.fromisoformat(line["at"]).utcoffset() is not None
        assert line["logger"]
    said = [(line["level"], line["message"]) for line in lines]
    assert ("WARNING", "two\nlines") in said
    assert ("ERROR", "three\nmore\nlines") in said
    assert said[-1] == ("ERROR", "ValueError: the end")
    warned = [message for level, message in said if level == "WARNING"]
    for words in (
        "UserWarning: outdated",
        "Thread 'side' died: ZeroDivisionError",
        "Log line '%d rows' of own.py:13 cannot be shown: TypeError",
        "Clumsy.__del__",
    ):
        assert [message for message in warned if words in message], words


@pytest.mark.parametrize("options", [(), ("--log-format", "json")], ids=["text", "json"])
def test_every_line_has_its_priority_in_the_journal(
    written: Written, options: tuple[str, ...]
) -> None:
    lines = written(*options, journal="here")

    assert {line[:3] for line in lines} == {"<3>", "<4>", "<6>"}
    if options:
        named = {"<3>": "ERROR", "<4>": "WARNING", "<6>": "INFO"}
        assert all(named[line[:3]] == json.loads(line[3:])["level"] for line in lines)
    else:
        assert [line[:3] for line in lines if "more" in line or "error: " in line] == ["<3>"] * 2
        assert [line for line in lines if DATED.match(line[3:])]


def test_nothing_but_the_journal_gets_priorities(written: Written) -> None:
    lines = written(journal="1:1")

    assert not [line for line in lines if line.startswith("<")]
    logged = [line for line in lines if " | " in line]
    assert logged
    assert all(DATED.match(line) for line in logged)


def test_a_terminal_shows_the_time_alone(home: Path) -> None:
    Path("own.py").write_text("from taxietl import flow\n\n@flow\ndef own():\n    pass\n")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "taxietl", "--home", str(home), "run", "own.py:own"]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=theirs, check=True)
    os.close(theirs)

    shown = os.read(ours, 10_000).decode().splitlines()

    os.close(ours)
    assert all(CLOCK.match(line) for line in shown)
    assert len(shown) == 2


def test_lines_of_months_are_objects_too(taxietl: Taxietl) -> None:
    months = ("--color", "green", "--year", "2021", "--month", "1-2")
    taxietl("generate", *months, "--rows", "9", "--out", "green_tripdata_{year}-{month:02d}.csv")

    done = taxietl("ingest", *months, "--source", ".", "--log-format", "json", "--workers", "1")

    said = [json.loads(line)["message"] for line in done.err.splitlines()]
    assert done.code == 0
    assert [each for each in said if each.startswith("green-2021-02  loaded: ")], said


def test_a_line_that_no_log_shows_is_written_as_a_warning(
    capfd: pytest.CaptureFixture[str],
) -> None:
    choose_log_format([])
    handler = UnshownLog(logging.WARNING)
    for text, given in (("locked by %s", "a run"), ("%d rows", "no number")):
        handler.handle(logging.LogRecord("lib", logging.WARNING, "", 0, text, (given,), None))

    assert capfd.readouterr().err == "warning: locked by a run\nwarning: %d rows\n"
