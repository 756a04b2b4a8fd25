"""A flow of the user's own handles passwords: no command prints one, nothing on disk has one."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Done, Taxietl

PLANTED = "hunter2%21x"
URL = f"postgresql://root:{PLANTED}@h/db"

FLOWS = '''
import json
from typing import Literal

from taxietl import Cache, flow, get_run_logger, task
from taxietl.errors import TargetError

def noted(run):
    raise RuntimeError(f"cannot tell of {run.parameters}")

@task(cache=Cache())
def connect(url: str) -> str:
    get_run_logger().info("connecting to %s", url)
    return url

@task
def refused(url: str) -> None:
    try:
        raise ConnectionError(f"{url} refuses password={url.split(':')[2]}")
    except ConnectionError as error:
        failed = TargetError(f"No answer from {url}", hint=f"Look at {url}")
        failed.add_note(f"Authorization: Bearer {url.split(':')[2]}")
        raise failed from error

@flow(log_prints=True, on_completion=[noted])
def works(url: str, months: int = 1) -> dict[str, str]:
    """Load."""
    print("into", connect(url))
    return {"url": url, "password": url.split(":")[2].split("@")[0], "plain": "stays"}

@flow(on_failure=[noted], run_name="to {url}")
def fails(url: str = "DEFAULT", mode: Literal["a", "b"] = "a") -> None:
    refused(url)
'''.replace("DEFAULT", URL)


@pytest.fixture
def flows(home: Path) -> Path:
    path = Path("mine.py")
    path.write_text(FLOWS)
    return path


def is_nowhere(home: Path, *dones: Done) -> bool:
    texts = [each.out + each.err for each in dones]
    texts += [each.read_bytes().decode("latin-1") for each in home.rglob("*") if each.is_file()]
    return not any(PLANTED in text for text in texts)


def test_no_command_prints_a_planted_secret(taxietl: Taxietl, home: Path, flows: Path) -> None:
    works, fails = (f"{flows}:{each}" for each in ("works", "fails"))
    url = ("-p", f"url={URL}")

    ran = [
        taxietl("run", works, *url, "--debug"),
        taxietl("run", works, *url, "--json"),
        taxietl("run", fails, *url, "--debug"),
        taxietl("run", fails, *url, "--json"),
    ]
    names = [each["name"] for each in taxietl("runs", "ls", "--json").document["runs"]]
    done = [
        *ran,
        taxietl("run", fails, *url, "-p", f"mode={URL}"),
        taxietl("run", works, *url, "-p", f"months={URL}"),
        taxietl("run", works, "-p", URL),
        taxietl("run", fails, "--help"),
        taxietl("run", f"{flows}:{URL}"),
        taxietl("runs", "resume", names[0]),
        taxietl("runs", "show", URL),
        taxietl("runs", "ls"),
        taxietl("cache", "ls"),
        taxietl("cache", "ls", "--json"),
        taxietl("cache", "rm", URL),
        taxietl("cache", "why", f"{names[-1]}/connect-0"),
        *(taxietl("runs", what, name) for what in ("show", "logs") for name in names),
        *(taxietl("runs", what, name, "--json") for what in ("show", "logs") for name in names),
    ]

    assert [each.code for each in ran] == [0, 0, 5, 5], [each.err for each in ran]
    assert is_nowhere(home, *done)
    assert ran[1].document["result"]["plain"] == "stays"
    assert ran[1].document["result"]["password"] == "*" * 10
    assert "Traceback" in ran[2].err
    assert (
        ran[3].document["error"]["message"] == f"No answer from postgresql://root:{'*' * 10}@h/db"
    )
