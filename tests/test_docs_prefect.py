"""docs/from-prefect.md: the tutorial's flow of the page is run, and prints what the page shows."""

from __future__ import annotations

import functools
import shlex
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duckdb
import psycopg2
import pytest
from pages import blocks, check_text, commands, run

PAGE = "docs/from-prefect.md"
THEIRS, OURS, INTO_DUCKDB = (each for each in blocks(PAGE) if each.language == "python")


class Quiet(SimpleHTTPRequestHandler):
    """`python -m http.server`, without its log."""

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Where the test's folder is served."""
    handler = functools.partial(Quiet, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_the_tutorials_flow_prints_the_tutorials_lines(
    tmp_path: Path, port: int, warehouse: str
) -> None:
    _, configuration = (each for each in blocks(PAGE) if each.language == "toml")
    (session,) = (each for each in blocks(PAGE) if each.language == "console")
    (tmp_path / OURS.file_name).write_text(OURS.text)
    (tmp_path / "taxietl.toml").write_text(configuration.text)

    def typed(command: str) -> str:
        words = shlex.split(command.replace("localhost:8000", f"127.0.0.1:{port}"))
        return run(words, tmp_path, with_log=True, DATABASE_URL=warehouse).stdout

    generate, ingest = commands(session.text)
    typed(generate)

    check_text(typed(ingest), session.followed_by("text") or "")

    again = typed(ingest)
    assert "Task run 'extract_data-0' - Finished in state Cached(type=COMPLETED)" in again
    assert "All states completed." in again
    with psycopg2.connect(warehouse) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*), min(passenger_count) FROM yellow_taxi_trips")
        rows, fewest = cursor.fetchone()
    connection.close()
    assert 4000 < rows < 5000
    assert fewest == 1


@pytest.mark.skipif(shutil.which("wget") is None, reason="the flow calls wget")
def test_prefects_own_flow_runs_with_its_imports_changed(
    tmp_path: Path, port: int, warehouse: str
) -> None:
    (change, *_) = (each for each in blocks(PAGE) if each.language == "sh")
    (configuration, _) = (each for each in blocks(PAGE) if each.language == "toml")
    (session,) = (each for each in blocks(PAGE) if each.language == "console")
    generate, _ = commands(session.text)
    (tmp_path / "flow.py").write_text(THEIRS.text)
    (tmp_path / "taxietl.toml").write_text(configuration.text)
    subprocess.run(["sh", "-c", change.text], cwd=tmp_path, check=True)
    run(shlex.split(generate), tmp_path, with_log=True)

    def begun() -> str:
        url = f"url=http://127.0.0.1:{port}/yellow_tripdata_2021-01.csv.gz"
        words = ["taxietl", "run", "flow.py:main_flow", "-p", url]
        return run(words, tmp_path, with_log=True, DATABASE_URL=warehouse).stdout

    first, again = begun(), begun()

    changed = (tmp_path / "flow.py").read_text().splitlines()
    differing = [each for each in THEIRS.text.splitlines() if each not in changed]
    assert differing == [each for each in differing if each.startswith("from prefect")]
    assert "Task run 'transform_data-0' - post: missing passenger count: 0" in first
    assert "for flow 'Subflow'" in first
    assert "Task run 'extract_data-0' - Finished in state Cached(type=COMPLETED)" in again
    with psycopg2.connect(warehouse) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*), min(passenger_count) FROM yellow_taxi_trips")
        rows, fewest = cursor.fetchone()
    connection.close()
    assert 4000 < rows < 5000
    assert fewest == 1


def test_the_tutorials_flow_loads_into_duckdb_too(tmp_path: Path, port: int) -> None:
    (session,) = (each for each in blocks(PAGE) if each.language == "console")
    head, load, tail = _around_load_data(OURS.text)
    assert "to_sql" in load
    _, load, _ = _around_load_data(INTO_DUCKDB.text + "\n\n@flow")
    (tmp_path / OURS.file_name).write_text(head + load + tail)
    generate, ingest = (
        shlex.split(each.replace("localhost:8000", f"127.0.0.1:{port}"))
        for each in commands(session.text)
    )
    run(generate, tmp_path, with_log=True)

    said = run(ingest, tmp_path, with_log=True).stdout

    assert "'warehouse' is a DuckDB file: instead of frame.to_sql" in said
    (file,) = tmp_path.rglob("taxi.duckdb")
    with duckdb.connect(str(file), read_only=True) as connection:
        query = "SELECT count(*), min(passenger_count) FROM yellow_taxi_trips"
        rows, fewest = connection.execute(query).fetchone() or (0, 0)
    assert 4000 < rows < 5000
    assert fewest == 1


def _around_load_data(text: str) -> tuple[str, str, str]:
    """The task `load_data`, and what stands before and after it."""
    begin = text.index("@task(retries=3)\ndef load_data")
    end = text.index("\n\n@flow", begin)
    return text[:begin], text[begin:end], text[end:]


def test_both_versions_have_the_same_steps() -> None:
    def defined(text: str) -> list[str]:
        return [line.split("(")[0] for line in text.splitlines() if line.startswith("def ")]

    compile(THEIRS.text, "theirs", "exec")
    assert defined(THEIRS.text) == defined(OURS.text)
