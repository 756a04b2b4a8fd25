"""Loading through PgBouncer in transaction mode: a connection of the server is ours for one
transaction, and somebody else's for the next.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pgbouncer
import pytest
from months import FEBRUARY, JANUARY, Held, Postgres, batch_of
from pgbouncer import Pooler
from postgres import Server
from postgres_ingest import MONTH, Ingest

from taxietl.errors import TargetError, TryLaterError

CONNECTIONS = 3
"""To the server: a load beside another, and the test's own."""


@pytest.fixture(scope="module")
def pooler(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pooler]:
    """A pooler before the session's server."""
    program = pgbouncer.program()
    if program is None:
        pytest.skip(pgbouncer.TO_INSTALL)
    log = tmp_path_factory.getbasetemp() / "pgbouncer.log"
    with Pooler(program, postgres, log, connections=CONNECTIONS) as running:
        yield running


@pytest.fixture
def pooled(pooler: Pooler, server: Postgres) -> Postgres:
    """The test's database, through the pooler."""
    return Postgres(pooler.url(server.url))


def test_a_month_is_loaded_once_replaced_and_asked(pooled: Postgres, server: Postgres) -> None:
    assert pooled.load(3).action == "loaded"
    assert pooled.load(3).action == "nothing to do"
    assert pooled.load(4, force=True).action == "replaced"

    with pooled.loader.query("SELECT count(*) FROM trips") as rows:
        assert rows.read_all().to_pydict() == {"count": [4]}
    assert server.left_behind() == []


@pytest.mark.parametrize(("width", "connections"), [(1, 1), (2, 4)])
def test_a_load_needs_one_connection_to_the_server_and_one_over_several_two(
    postgres: Server,
    server: Postgres,
    tmp_path: Path,
    pooler: Pooler,
    width: int,
    connections: int,
) -> None:
    program = pgbouncer.program()
    assert program is not None
    with Pooler(program, postgres, tmp_path / "log", connections=width) as pool:
        narrow = Postgres(pool.url(server.url))

        for rows in (3, 4):
            month = [batch_of("yellow", 1)] * rows
            assert narrow.load(month, force=True, connections=connections).rows_loaded == rows


def test_what_another_client_left_set_changes_nothing(pooled: Postgres, server: Postgres) -> None:
    with closing(pooled.connect()) as neighbour, neighbour.cursor() as cursor:
        cursor.execute(
            "CREATE SCHEMA wrong; CREATE TABLE wrong.taxietl_loads (a int); "
            "SET search_path = wrong; SET statement_timeout = '500ms'; SET lock_timeout = '1ms'; "
            "SET IntervalStyle = 'sql_standard'; SET idle_in_transaction_session_timeout = '500ms'"
        )
        cursor.execute("COMMIT")

        def slow() -> Iterator[object]:
            yield batch_of("yellow", 3)
            time.sleep(0.8)

        assert pooled.ask("SHOW statement_timeout") == [("500ms",)]  # that connection is ours now
        assert pooled.load(slow()).rows_loaded == 3
        assert pooled.load(3).action == "nothing to do"

    assert server.ask("SELECT count(*) FROM wrong.taxietl_loads") == [(0,)]


def test_we_leave_nothing_set_for_other_clients(pooled: Postgres) -> None:
    settings = (
        "SELECT name, setting FROM pg_settings WHERE source = 'session' "
        "AND name NOT IN ('application_name', 'client_encoding') ORDER BY 1"
    )
    before = pooled.ask(settings)

    pooled.load(3)
    with pooled.loader.query("SELECT 1"):
        pass

    assert pooled.ask(settings) == before


def test_of_two_loads_of_one_month_one_loads_and_the_other_is_told_by_whom(
    pooled: Postgres, server: Postgres
) -> None:
    held = Held()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(pooled.load, held, run_name="amber-fox")
        assert held.is_pulled.wait(30)

        with pytest.raises(TryLaterError, match=r"being loaded by run 'amber-fox' \(server") as no:
            pooled.load(3, run_name="blue-gnu")

        held.let_go.set()
        assert first.result().action == "loaded"
    assert no.value.exit_code == 75
    assert server.left_behind() == []


def test_two_months_are_loaded_side_by_side(pooled: Postgres, server: Postgres) -> None:
    held = Held()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(pooled.load, held, JANUARY)
        assert held.is_pulled.wait(30)

        assert pooled.load(4, FEBRUARY).rows_loaded == 4

        assert not first.done()
        held.let_go.set()
        assert first.result().rows_loaded == 3
    assert server.ask("SELECT count(*) FROM trips") == [(7,)]


@pytest.mark.parametrize(
    ("sent", "code"),
    [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)],
    ids=["SIGKILL", "SIGINT"],
)
def test_a_client_stopped_in_mid_copy_leaves_no_lock_and_the_next_load_works(
    pooled: Postgres, server: Postgres, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    ingest = Ingest(tmp_path, pooled, rows=300_000)
    with ingest.begin() as process:
        end = time.monotonic() + 60
        while not server.ask(
            "SELECT 1 FROM pg_stat_progress_copy WHERE tuples_processed > 5000 "
            "AND datname = current_database()"
        ):
            assert time.monotonic() < end
        process.send_signal(sent)
        process.communicate()

    assert process.returncode == code
    assert server.left_behind() == []
    assert server.ask("SELECT to_regclass('green_trips'), to_regclass('taxietl_loads')") == [
        (None, None)
    ]
    assert ingest.load()["rows_loaded"] > 0


def test_a_load_over_two_connections_works_through_it(pooled: Postgres, server: Postgres) -> None:
    batches = [batch_of("yellow", 1000)] * 4

    assert pooled.load(batches, connections=2).rows_loaded == 4000
    assert pooled.load(batches, connections=2, force=True).action == "replaced"

    assert server.ask("SELECT count(*) FROM trips") == [(4000,)]
    assert server.left_behind() == []


def test_the_commands_work_through_it(pooled: Postgres, tmp_path: Path) -> None:
    ingest = Ingest(tmp_path, pooled, rows=400)

    loaded = ingest.load()
    again = ingest.document("ingest", *MONTH, "--source", ingest.files)["months"][0]
    rows = ingest.document("sql", "SELECT count(*) AS n FROM green_trips")["rows"]
    checked = ingest.document("verify", "--color", "green")
    found = ingest.document("profiles", "check", "warehouse")

    assert again["action"] == "nothing to do"
    assert rows == [[loaded["rows_loaded"]]]
    assert [each["ok"] for each in checked["months"]] == [True]
    assert {each["state"] for each in found["checks"]} == {"ok"}


def test_startup_options_that_the_pooler_refuses_are_told(pooled: Postgres) -> None:
    with pytest.raises(TargetError, match="unsupported startup parameter") as refused:
        Postgres(f"{pooled.url}?options=-csearch_path%3Dmine").load(1)

    assert "PGOPTIONS" in refused.value.hint
