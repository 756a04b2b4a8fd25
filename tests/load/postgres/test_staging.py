"""A month sent over several connections, and what loads leave that die in it."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pyarrow as pa
import pytest
from months import FEBRUARY, JANUARY, Postgres, batch_of
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ

from taxietl.errors import Cancelled, CorruptFileError, DataError, TargetError
from taxietl.load.postgres.connection import Session, opened
from taxietl.load.postgres.staging import Staging, drop_unfinished, unfinished
from taxietl.orchestrator.stop.cancellation import Cancellation

TABLES = "SELECT relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
ASIDE = f"{TABLES} WHERE nspname = 'taxietl_parts' AND relkind = 'r' AND NOT relispartition"
CONNECTIONS = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'taxietl amber-fox' "
    "AND datname = current_database()"
)
COPIES = "FROM pg_stat_activity WHERE query LIKE 'COPY taxietl_parts%' AND state <> 'idle'"


class Gate:
    """Batches of ten rows; after the first few they wait until they are let go."""

    def __init__(self, before: int = 6, after: int = 6, error: Exception | None = None) -> None:
        self._before, self._after, self._error = before, after, error
        self.is_waiting = threading.Event()
        self.let_go = threading.Event()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for _ in range(self._before):
            yield batch_of("yellow", 10)
        self.is_waiting.set()
        assert self.let_go.wait(30)
        if self._error:
            raise self._error
        for _ in range(self._after):
            yield batch_of("yellow", 10)


def test_a_month_comes_over_several_connections_once_and_again(server: Postgres) -> None:
    batches = [batch_of("yellow", rows, VendorID=[rows] * rows) for rows in range(1, 40)]

    first = server.load(batches, connections=3)
    again = server.load([*batches, batch_of("yellow", 2)], connections=3, etag="2", sha256="b" * 64)

    assert (first.action, first.rows_loaded) == ("loaded", 780)
    assert (again.action, again.rows_loaded) == ("replaced", 782)
    assert server.ask('SELECT count(*), sum("VendorID") FROM yellow_trips') == [(782, 20540)]
    assert again.column_stats["VendorID"].sum == 20540
    assert server.left_behind() == []
    ((comment,),) = server.ask(
        "SELECT obj_description(inhrelid) FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid "
        "WHERE relkind = 'r'"
    )
    assert comment.startswith("taxietl: yellow-2021-01 of public.yellow_trips, load ")


def test_a_table_may_have_any_name(server: Postgres) -> None:
    report = server.load(3, table="o'dd %s", connections=2)

    assert report.action == "loaded"
    assert server.left_behind() == []


def test_the_rows_are_sent_over_as_many_connections_as_asked_for(server: Postgres) -> None:
    gate = Gate()
    with ThreadPoolExecutor() as pool:
        load = pool.submit(server.load, gate, connections=3)
        end = time.monotonic() + 10
        while server.ask(CONNECTIONS) != [(4,)] and time.monotonic() < end:
            time.sleep(0.02)
        found = server.ask(CONNECTIONS)
        gate.let_go.set()
        assert found == [(4,)]  # and the one that holds the month
        assert load.result().rows_loaded == 120


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (CorruptFileError("The file ends early."), CorruptFileError),
        (DataError("Column 'x' is not what it was."), DataError),
    ],
    ids=["source", "data"],
)
def test_an_error_of_the_rows_comes_out_as_itself_and_leaves_nothing(
    server: Postgres, error: Exception, raised: type[Exception]
) -> None:
    server.load(5)
    before = server.facts()
    gate = Gate(error=error)
    gate.let_go.set()

    with pytest.raises(raised, match=str(error)):
        server.load(gate, connections=3, force=True)

    assert server.facts() == before
    assert server.left_behind() == []


def test_a_connection_that_is_lost_ends_the_load_with_its_error(server: Postgres) -> None:
    server.load(5)
    before = server.facts()
    gate = Gate()
    with ThreadPoolExecutor() as pool:
        load = pool.submit(server.load, gate, connections=3, force=True)
        assert gate.is_waiting.wait(30)
        server.ask(f"SELECT pg_terminate_backend(pid) {COPIES} LIMIT 1")
        gate.let_go.set()
        with pytest.raises(TargetError, match="terminat"):
            load.result()

    assert server.facts() == before
    assert server.left_behind() == []


def test_a_load_that_is_cancelled_leaves_nothing(server: Postgres) -> None:
    gate, cancellation = Gate(), Cancellation()
    with ThreadPoolExecutor() as pool:
        load = pool.submit(server.load, gate, connections=2, cancellation=cancellation)
        assert gate.is_waiting.wait(30)
        cancellation.request("Stopped by SIGINT.")
        gate.let_go.set()
        with pytest.raises(Cancelled):
            load.result()

    assert server.left_behind() == []


KILLED = """
import os, sys
sys.path[:0] = {path!r}
from months import Postgres, batch_of

def batches():
    yield batch_of("yellow", 10)
    yield batch_of("yellow", 10)
    print("sent", flush=True)
    sys.stdin.read()

Postgres({url!r}).load(batches(), connections=2)
"""


def test_what_a_killed_load_leaves_is_swept_by_the_next_one_and_a_live_ones_is_not(
    server: Postgres,
) -> None:
    code = KILLED.format(path=sys.path, url=server.url)
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == b"sent\n"
        ((left,),) = server.ask(ASIDE)
        assert server.load(2, FEBRUARY).action == "loaded"
        assert server.ask(ASIDE) == [(left,)]

        process.kill()
    # The server lets go of the month once it knows that the client has gone.
    end = time.monotonic() + 10
    while server.ask("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"):
        assert time.monotonic() < end
        time.sleep(0.02)

    assert server.ask(ASIDE) == [(left,)]
    assert server.load(2, FEBRUARY).action == "nothing to do"
    assert server.ask(ASIDE) == []
    assert server.load(3, JANUARY, connections=2).action == "loaded"


def test_a_month_that_is_swapped_in_while_another_load_begins_is_not_swept(
    server: Postgres,
) -> None:
    gate = Gate()
    connect = functools.partial(opened, server.profile.libpq_parameters(), target="")
    with ThreadPoolExecutor() as pool, connect() as session:
        load = pool.submit(server.load, gate, connections=2)
        assert gate.is_waiting.wait(30)
        ((table, key),) = unfinished(session)
        drop_unfinished(session, table, key)
        assert [found for found, _ in unfinished(session)] == [table]  # its load goes on
        gate.let_go.set()
        assert load.result().rows_loaded == 120

        drop_unfinished(session, table, key)

    assert server.ask("SELECT count(*) FROM yellow_trips") == [(120,)]


def test_a_month_whose_commit_was_not_answered_stays(server: Postgres) -> None:
    connect = functools.partial(opened, server.profile.libpq_parameters(), target="")
    server.do("CREATE SCHEMA taxietl_parts")

    def made(name: str) -> Staging:
        def make(session: Session) -> str:
            session.run(f"CREATE TABLE taxietl_parts.{name} (a int)")
            return f"taxietl_parts.{name}"

        staging = Staging(connect, 2, Cancellation())
        staging.make((7, 202101), make)
        return staging

    swapped_in, lost = made("swapped_in"), made("lost")
    server.do("COMMENT ON TABLE taxietl_parts.swapped_in IS 'taxietl: yellow-2021-01, load 1'")

    swapped_in.drop()
    lost.drop()

    assert server.ask(ASIDE) == [("swapped_in",)]


def test_a_snapshot_from_before_the_swap_sees_the_month_absent(server: Postgres) -> None:
    server.load(5)
    with closing(server.connect()) as reader, reader.cursor() as cursor:
        reader.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ)
        cursor.execute("SELECT 1")

        server.load([batch_of("yellow", 7)], connections=2, force=True)

        cursor.execute("SELECT count(*) FROM yellow_trips")
        assert cursor.fetchall() == [(0,)]
