"""`taxietl cache`: what is kept, why, and away with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Taxietl, check_refused
from documents import check

from taxietl.extract.synthetic import write
from taxietl.orchestrator import Engine, flow
from taxietl.orchestrator.define.entry import load_flow

pytestmark = pytest.mark.dates

FLOWS = """
import os
from pathlib import Path
from taxietl import Cache, flow, task

@task(cache=Cache(), version="1")
def make(name: str, size: int) -> Path:
    path = Path(os.environ["CACHED"]) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x" * size)
    return path

@flow(run_name="{name}")
def body(name: str, size: int = 1000) -> None:
    make(name, size)
"""


@pytest.fixture
def kept(taxietl: Taxietl, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three files in the cache's folder; gives the file of flows."""
    monkeypatch.setenv("CACHED", str(home / "cache"))
    path = tmp_path / "cached_flows.py"
    path.write_text(FLOWS)
    for name in "abc":
        assert taxietl("run", f"{path}:body", "-p", f"name={name}", "-q").code == 0
    return path


def test_ls_lists_what_is_kept(taxietl: Taxietl, kept: Path) -> None:
    listed = taxietl("cache", "ls", "--json")

    check(listed.document, "cache")
    assert [each["run_name"] for each in listed.document["entries"]] == ["c", "b", "a"]
    assert 3_000 < listed.document["total_bytes"] < 4_000
    text = taxietl("cache", "ls").out
    assert "make/1/" in text
    assert "3 results, 3," in text
    assert "of at most 10,000,000,000" in text


def test_ls_names_and_counts_downloads(taxietl: Taxietl, kept: Path, home: Path) -> None:
    before = taxietl("cache", "ls", "--json").document["total_bytes"]
    (home / "cache" / "lake").mkdir()
    (home / "cache" / "lake" / "yellow.parquet").write_text("x" * 5_000)

    listed = taxietl("cache", "ls", "--json").document
    text = taxietl("cache", "ls").out

    check(listed, "cache")
    assert [each["bytes"] for each in listed["files"]] == [5_000]
    assert listed["total_bytes"] == before + 5_000
    assert "(file)  lake/yellow.parquet " in text
    assert "3 results and 1 files besides, 8," in text
    assert taxietl("cache", "ls", "--task", "make", "--json").document["files"] == []


def test_why_tells_of_a_run_and_of_a_call_to_come(taxietl: Taxietl, kept: Path) -> None:
    of_a_run = taxietl("cache", "why", "b/make-0", "--json")
    to_come = taxietl("cache", "why", "make", "-p", "name=a", "-p", "size=7")

    check(of_a_run.document, "cache_why")
    assert of_a_run.document["now"] == "hit"
    assert of_a_run.document["then"]["reason"] == "Cache miss: nothing is kept under its key."
    assert [each["name"] for each in of_a_run.document["fields"] if not each["same"]] == ["name"]
    assert "now:  miss: what differs: size" in to_come.out
    assert "kept 1000, asked 7" in to_come.out
    check(taxietl("cache", "why", "nothing", "--json").document, "cache_why")
    check_refused(taxietl("cache", "why", "b/make-0", "-p", "size=1"), 2, "-p is for a task")
    check_refused(taxietl("cache", "why", "bb/make-0"), 2, "no run named 'bb'")
    check_refused(taxietl("cache", "why", "make", "-p", "size"), 2, "name=value")


def test_rm_takes_entries_and_their_files(taxietl: Taxietl, home: Path, kept: Path) -> None:
    key = taxietl("cache", "ls", "--json").document["entries"][0]["key"]

    one = taxietl("cache", "rm", key[:20], "--json")

    check(one.document, "cache_rm")
    assert one.document == {"removed": 1, "in_use": [], "exit_code": 0}
    assert sorted(path.name for path in (home / "cache").iterdir()) == ["a", "b"]
    check_refused(taxietl("cache", "rm", "mak"), 2, "Did you mean 'make'")
    check_refused(taxietl("cache", "rm"), 2, "--all")
    check_refused(taxietl("cache", "rm", "make", "--all"), 2, "--all")
    assert taxietl("cache", "rm", "--all").out == "2 removed\n"
    assert list((home / "cache").iterdir()) == []


def test_rm_leaves_what_is_in_use_and_says_so(taxietl: Taxietl, home: Path, kept: Path) -> None:
    body = load_flow(f"{kept}:body")
    with Engine(home) as engine:

        @flow
        def live() -> None:
            body.function.__globals__["make"]("a", 1000)
            done = taxietl("cache", "rm", "make")
            assert done.code == 75
            assert done.out.startswith("2 removed\nleft, since a run in progress uses it: make/1/")

        engine.run(live).result()


def test_gc_keeps_to_the_configured_size(
    taxietl: Taxietl, home: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXIETL_CACHE__MAX_SIZE", "2500")
    check_refused(taxietl("cache", "gc"), 2, "TAXIETL_CACHE__MAX_SIZE", "10GB")
    monkeypatch.setenv("TAXIETL_CACHE__MAX_SIZE", "2.5KB")

    planned = taxietl("cache", "gc", "--dry-run", "--json")
    done = taxietl("cache", "gc")

    check(planned.document, "cache_gc")
    assert [each["why"] for each in planned.document["removed"]] == ["not used for longest"]
    assert "1 removed, 1," in done.out
    assert sorted(path.name for path in (home / "cache").iterdir()) == ["b", "c"]


def test_a_run_keeps_to_the_configured_size(
    taxietl: Taxietl, home: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXIETL_CACHE__MAX_SIZE", "2.5KB")

    taxietl("run", f"{kept}:body", "-p", "name=d", "-q")

    assert sorted(path.name for path in (home / "cache").iterdir()) == ["c", "d"]


def test_a_source_file_in_place_is_neither_counted_nor_removed(
    taxietl: Taxietl, home: Path, tmp_path: Path
) -> None:
    path = tmp_path / "green_tripdata_2021-01.csv"
    write(path, "green", 2021, 1, rows=100)
    taxietl("ingest", "--color", "green", "--year", 2021, "--month", 1, "--source", path, "-q")

    listed = taxietl("cache", "ls", "--json").document

    (entry,) = listed["entries"]
    assert entry["files"] == [str(path)]
    assert entry["bytes"] < path.stat().st_size
    taxietl("cache", "rm", "--all")
    assert path.exists()
