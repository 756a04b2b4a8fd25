"""`taxietl runs rerun`: the same parameters, from the start."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Taxietl, check_refused

FLOWS = """
from pydantic import SecretStr
from taxietl import flow, task


@task
def step(number: int) -> int:
    with open("calls", "a") as calls:
        calls.write("x")
    return number


@flow(run_name="child")
def child(number: int) -> int:
    return step(number)


@flow(run_name="parent")
def parent(number: int) -> int:
    return child(number)


@flow(run_name="secret")
def secret(password: SecretStr) -> int:
    return 1
"""


@pytest.fixture(autouse=True)
def flows(home: Path) -> None:
    Path("flows.py").write_text(FLOWS)


def test_all_is_done_again_where_it_was_done(
    taxietl: Taxietl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Path.cwd()
    taxietl("run", "flows.py:parent", "-p", "number=7", "-q")
    monkeypatch.chdir(tmp_path)

    done = taxietl("runs", "rerun", "parent", "--json")

    assert (done.code, done.document["result"]) == (0, 7)
    assert done.document["run"]["name"] == "parent-2"
    assert (work / "calls").read_text() == "xx"
    runs = taxietl("runs", "ls", "--json").document["runs"]
    assert {each["name"] for each in runs} == {"parent", "child", "parent-2", "child-2"}
    assert [each["resumed_from"] for each in runs] == [None] * 4


def test_what_cannot_be_run_again_says_why(taxietl: Taxietl) -> None:
    taxietl("run", "flows.py:parent", "-p", "number=7", "-q")
    taxietl("run", "flows.py:secret", "-p", "password=hunter2", "-q")

    check_refused(taxietl("runs", "rerun", "child", "-q"), 2, "Name that one: parent")
    check_refused(taxietl("runs", "rerun", "secret", "-q"), 2, "'password' holds a secret")
    check_refused(taxietl("runs", "rerun", "nobody", "-q"), 2, "'nobody'")
    postgres = ("--to", "postgresql://a:b@host/c")
    check_refused(taxietl("runs", "rerun", "parent", "-q", *postgres), 2, "leave out --to")
