"""`taxietl limits ls` while runs hold and await slots; and limits that a command obeys."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from command import Taxietl, check_refused
from documents import check
from runs_at_hand import heard

from taxietl.orchestrator import Engine, flow, task


@pytest.fixture
def queued(home: Path) -> Iterator[None]:
    """A run `first` that holds the one slot of `tlc`, and a run `second` that waits for it."""
    is_in, is_waiting, out = threading.Event(), threading.Event(), threading.Event()

    @task(tags={"tlc"})
    def fetch() -> None:
        is_in.set()
        assert out.wait(10)

    with (
        heard("Waiting for a slot", is_waiting.set),
        Engine(home, limits={"tlc": 1}) as engine,
        ThreadPoolExecutor(2) as threads,
    ):
        threads.submit(engine.run, flow(run_name="first")(lambda: fetch()))
        assert is_in.wait(10)
        threads.submit(engine.run, flow(run_name="second")(lambda: fetch()))
        assert is_waiting.wait(10)
        yield
        out.set()


@pytest.mark.usefixtures("queued")
def test_holders_and_waiters_are_listed(taxietl: Taxietl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAXIETL_LIMITS__TLC", "1")
    monkeypatch.setenv("TAXIETL_LIMITS__WAREHOUSE", "3")

    document = taxietl("limits", "ls", "--json").document
    lines = [line.split()[:7] for line in taxietl("limits", "ls").out.splitlines()]

    check(document, "limits")
    tlc, warehouse = document["limits"]
    assert (tlc["tag"], tlc["limit"], tlc["held"]) == ("tlc", 1, 1)
    assert [each["run"]["name"] for each in tlc["holders"]] == ["first"]
    assert [each["run"]["name"] for each in tlc["waiters"]] == ["second"]
    assert warehouse == {
        "tag": "warehouse",
        "limit": 3,
        "held": 0,
        "holders": [],
        "waiters": [],
    }
    assert lines == [
        ["tag", "limit", "held", "waiting", "run", "task", "state"],
        ["tlc", "1", "1", "1", "first", "fetch-0", "holds"],
        ["tlc", "1", "1", "1", "second", "fetch-0", "waits"],
        ["warehouse", "3", "0", "0"],
    ]


@pytest.mark.usefixtures("queued")
def test_a_tag_that_only_others_limit_is_listed_without_a_limit(taxietl: Taxietl) -> None:
    document = taxietl("limits", "ls", "--json").document

    check(document, "limits")
    assert [(each["tag"], each["limit"]) for each in document["limits"]] == [("tlc", None)]


def test_without_limits_it_says_how_to_set_one(taxietl: Taxietl, home: Path) -> None:
    done = taxietl("limits", "ls")

    assert done.code == 0
    assert "[limits]" in done.err
    assert taxietl("limits", "ls", "--json").document == {"limits": []}
    assert not home.exists()


def test_a_flow_run_by_the_command_obeys_the_configuration(
    taxietl: Taxietl, tmp_path: Path
) -> None:
    (tmp_path / "work" / "taxietl.toml").write_text("[limits]\ntlc = 0\n")
    (tmp_path / "own.py").write_text(
        "from taxietl import flow, task\n"
        "@task(tags={'tlc'})\n"
        "def fetch(): ...\n"
        "@flow\n"
        "def etl(): fetch()\n"
    )

    done = taxietl("run", f"{tmp_path / 'own.py'}:etl", "-q")

    check_refused(done, 2, "'fetch-0' is not run: its tag 'tlc' has the limit 0", "[limits] tlc")
