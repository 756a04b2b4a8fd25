"""Every --json is exactly one document, and fits its schema in docs/schemas."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Taxietl
from documents import check

from taxietl.extract.synthetic import write

FLOW = """
from taxietl import attach_event, attach_link, attach_markdown, attach_table, flow, task

@task
def add(a: int) -> int:
    return a + 1

@flow
def inner(n: int) -> int:
    return add(n)

@flow
def outer(n: int, texts: list[str]) -> dict[str, int]:
    add(n)
    attach_event("late", rows=0)
    attach_markdown("# All is well")
    attach_table([{"n": n}], name="given")
    attach_link("https://example.com")
    return {"sum": inner(n), "texts": len(texts)}
"""
GREEN = ("--color", "green", "--year", "2021")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    write(folder / "green_tripdata_2021-01.csv", "green", 2021, 1, rows=300)
    return folder


def test_ingest_and_its_plan(taxietl: Taxietl, folder: Path) -> None:
    one = (*GREEN, "--month", "1", "--source", folder, "--json")
    three = (*GREEN, "--month", "1-3", "--source", folder, "--json")

    check(taxietl("ingest", *three, "--dry-run").document, "plans")
    check(taxietl("ingest", *one).document, "ingest")
    check(taxietl("ingest", *one).document, "ingest")
    check(taxietl("ingest", *one, "--force").document, "ingest")
    check(taxietl("ingest", *three).document, "ingest")


def test_sql(taxietl: Taxietl, folder: Path) -> None:
    taxietl("ingest", *GREEN, "--month", "1", "--source", folder)

    by_json = taxietl("sql", "SELECT * FROM green_trips LIMIT 5", "--json")
    by_format = taxietl("sql", "SELECT * FROM taxietl_loads", "--format", "json")

    check(by_json.document, "sql")
    check(by_format.document, "sql")
    assert by_json.document["row_count"] == 5


def test_duckdb_draws_no_progress_into_a_document(taxietl: Taxietl, folder: Path) -> None:
    taxietl("ingest", *GREEN, "--month", "1", "--source", folder)

    done = taxietl("sql", "SELECT current_setting('enable_progress_bar')", "--json")

    assert done.document["rows"] == [[False]]


def test_a_run_and_what_is_told_of_it(taxietl: Taxietl, tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(FLOW)

    done = taxietl("run", f"{path}:outer", "-p", "n=5", "-p", 'texts=["a", "b"]', "--json")

    check(done.document, "run")
    assert done.document["result"] == {"sum": 6, "texts": 2}
    name = done.document["run"]["name"]
    tree = taxietl("runs", "show", name, "--json").document
    check(tree, "run_tree")
    assert [each["kind"] for each in tree["attachments"]] == ["markdown", "table", "link"]
    assert [each["kind"] for each in tree["task_runs"]] == ["task", "subflow"]
    assert tree["task_runs"][1]["child_run"]["task_runs"][0]["task"] == "add"
    check(taxietl("runs", "ls", "--json").document, "runs")
    logs = taxietl("runs", "logs", name, "--json").document
    check(logs, "run_logs")
    assert any("Created task run 'add-0'" in each["message"] for each in logs["logs"])


def test_the_smaller_commands(taxietl: Taxietl, tmp_path: Path) -> None:
    made = ("--month", 1, "--rows", 10, "--out", tmp_path / "a.parquet", "--json")

    check(taxietl("generate", *GREEN, *made).document, "generate")
    check(taxietl("schema", "--json").document, "schema")
    check(taxietl("init", tmp_path / "new.toml", "--json").document, "init")
    check(taxietl("profiles", "ls", "--json").document, "profiles")
    check(taxietl("profiles", "show", "warehouse", "--json").document, "profile")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["ingest", *GREEN, "--month", "13"], id="usage"),
        pytest.param(["nonsense"], id="no such command"),
        pytest.param(["ingest", *GREEN, "--month", "1", "--source", "./none"], id="source"),
        pytest.param(["runs", "show", "nobody"], id="no such run"),
        pytest.param(["sql", "SELECT 1"], id="no warehouse yet"),
    ],
)
def test_a_failure_is_one_document_too(taxietl: Taxietl, arguments: list[str]) -> None:
    done = taxietl(*arguments, "--json")

    check(done.document, "error")
    assert done.code == done.document["exit_code"] != 0
