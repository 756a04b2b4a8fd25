"""The ledger against the tables, what killed loads left, and who has a DuckDB file open."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from months import FEBRUARY, Duck, Postgres, Warehouse
from pgbouncer import TO_INSTALL, Pooler, program
from postgres import Server

from taxietl.config import Profile
from taxietl.doctor.examination import examine
from taxietl.doctor.profiles import profile_check
from taxietl.findings import Finding, State
from taxietl.load.duckdb.profile import DuckDBProfile

HOLDS = """
import subprocess
import sys
from pathlib import Path

import duckdb
from taxietl import flow
from taxietl.orchestrator import Engine

@flow(run_name="amber-fox")
def holds(path: str):
    with duckdb.connect(path):
        print("open", flush=True)
        input()

Engine(Path(sys.argv[1])).run(holds, sys.argv[2])
"""


@pytest.fixture(params=["duckdb", "postgres"])
def loaded(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Warehouse, Profile]:
    """A warehouse of two months, and its profile."""
    made: Duck | Postgres
    if request.param == "postgres":
        made = Postgres(request.getfixturevalue("warehouse"))
        profile: Profile = made.profile
    else:
        made = Duck(tmp_path / "taxi.duckdb")
        profile = DuckDBProfile(path=made.path)
    made.load(30)
    made.load(40, FEBRUARY)
    return made, profile.known_as("warehouse", "built in")


def contents(profile: Profile, home: Path) -> list[Finding]:
    return [each for each in examine([profile_check(profile, home)]) if each.check != "connection"]


def test_what_the_ledger_has_is_in_the_tables(
    loaded: tuple[Warehouse, Profile], tmp_path: Path
) -> None:
    (only,) = contents(loaded[1], tmp_path)

    assert only.state is State.OK
    assert only.message.startswith("2 months in the ledger, all in their tables")


@pytest.mark.parametrize(
    ("statements", "state", "words"),
    [
        pytest.param(
            ["DELETE FROM yellow_trips WHERE source_month = '2021-01-01'", "ANALYZE yellow_trips"],
            State.PROBLEM,
            "yellow_trips 2021-01",
            id="rows deleted",
        ),
        pytest.param(
            ["DROP TABLE IF EXISTS yellow_trips CASCADE"],
            State.PROBLEM,
            "yellow_trips 2021-01, yellow_trips 2021-02",
            id="table dropped",
        ),
        pytest.param(
            ["UPDATE taxietl_loads SET superseded_at = now() WHERE rows_loaded = 30"],
            State.WARNING,
            "did not load: yellow_trips 2021-01",
            id="ledger row taken away",
        ),
    ],
)
def test_what_somebody_did_by_hand_is_found(
    loaded: tuple[Warehouse, Profile],
    tmp_path: Path,
    statements: list[str],
    state: State,
    words: str,
) -> None:
    made, profile = loaded
    made.do(*statements)  # type: ignore[attr-defined]

    first = contents(profile, tmp_path)[0]

    assert first.state is state
    assert words in first.message
    assert first.exit_code == (4 if state is State.PROBLEM else 0)
    assert "taxietl" in first.hint


def test_tables_of_loads_that_were_killed_are_named(warehouse: str, tmp_path: Path) -> None:
    made = Postgres(warehouse)
    made.load(3)
    made.do(
        "CREATE TABLE taxietl_parts.left_behind (a int)",
        "COMMENT ON TABLE taxietl_parts.left_behind IS 'taxietl: unfinished, lock -7 202101: x'",
    )
    profile = made.profile.known_as("warehouse", "built in")

    _, left = contents(profile, tmp_path)
    with made.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(-7, 202101)")
        while_it_loads = contents(profile, tmp_path)

    assert (left.check, left.state) == ("leftovers", State.WARNING)
    assert "DROP TABLE taxietl_parts.left_behind;" in left.hint
    assert [each.check for each in while_it_loads] == ["ledger"]
    assert made.ask("SELECT count(*) FROM pg_class WHERE relname = 'left_behind'") == [(1,)]


def test_a_pooler_is_told_from_a_server(postgres: Server, warehouse: str, tmp_path: Path) -> None:
    found = program()
    if found is None:
        pytest.skip(TO_INSTALL)
    with Pooler(found, postgres, tmp_path / "log", connections=4) as pooler:
        (through, *_) = examine([profile_check(Postgres(pooler.url(warehouse)).profile, tmp_path)])
    (direct, *_) = examine([profile_check(Postgres(warehouse).profile, tmp_path)])

    assert through.state is direct.state is State.OK
    assert "through a pooler such as PgBouncer" in through.message
    assert "pooler" not in direct.message


def test_the_run_that_has_a_duckdb_file_is_named(tmp_path: Path) -> None:
    path, home = tmp_path / "taxi.duckdb", tmp_path / "home"
    command = [sys.executable, "-c", HOLDS, str(home), str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()

        (only,) = examine([profile_check(DuckDBProfile(path=path), home)])

    assert (only.state, only.exit_code) == (State.PROBLEM, 75)
    assert f"run 'amber-fox' (process {holder.pid})" in only.message
