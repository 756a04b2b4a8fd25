"""Rows on their way to a real server, and what becomes of both ends when one fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

import numpy as np
import psycopg2
import pyarrow as pa
import pytest

from taxietl.errors import CorruptFileError, TargetError
from taxietl.load.postgres.copy import stream as pgcopy_stream
from taxietl.load.postgres.copy.encode import Block, encode
from taxietl.load.postgres.copy.stream import BLOCKS_AHEAD, Readable, copy_rows

COPY = "COPY numbers FROM STDIN (FORMAT binary)"
ROWS = 20_000
BATCH = pa.record_batch({"number": np.arange(ROWS), "half": np.arange(ROWS) / 2})


class Stopped(BaseException):
    """A run that is to stop."""


def go_on() -> None:
    """Nobody has asked to stop."""


@pytest.fixture
def connection(warehouse: str) -> Iterator[Any]:
    with closing(psycopg2.connect(warehouse)) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE numbers (number BIGINT, half DOUBLE PRECISION)")
        yield connection


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert "taxietl-encode" not in [thread.name for thread in threading.enumerate()]


def _counted(connection: Any) -> int:
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM numbers")
        return int(cursor.fetchone()[0])


def _encoded(batches: Iterable[pa.RecordBatch]) -> Iterator[Block]:
    return encode(batches, BATCH.schema)


def test_all_rows_arrive(connection: Any) -> None:
    with connection, connection.cursor() as cursor:
        copy_rows(cursor, COPY, _encoded([BATCH] * 5), check=go_on)

        assert cursor.rowcount == 5 * ROWS
    assert _counted(connection) == 5 * ROWS


@pytest.mark.parametrize("size", [1, 7, 1000, -1])
def test_reading_any_size_gives_the_same_bytes(size: int) -> None:
    blocks: list[Block] = [b"", b"abc", memoryview(b"0123456789"), b"", b"d" * 999, b""]

    with Readable(blocks, check=go_on) as rows:
        parts = list(iter(lambda: rows.read(size), b""))

        assert b"".join(parts) == b"".join(blocks)
        assert size < 0 or max(map(len, parts)) <= size
        assert rows.read(size) == b""


def test_blocks_are_made_ahead_but_not_many() -> None:
    made = 0

    def blocks() -> Iterator[bytes]:
        nonlocal made
        for _ in range(100):
            made += 1
            yield b"x"

    with Readable(blocks(), check=go_on) as rows:
        rows.read(1)
        end = time.monotonic() + 5
        while made < BLOCKS_AHEAD + 1 and time.monotonic() < end:
            time.sleep(0.01)

        assert BLOCKS_AHEAD < made <= BLOCKS_AHEAD + 2


def test_an_error_of_the_source_comes_out_as_itself_and_nothing_is_loaded(connection: Any) -> None:
    broken = CorruptFileError("cut")

    def batches() -> Iterator[pa.RecordBatch]:
        yield BATCH
        raise broken

    with pytest.raises(CorruptFileError) as raised, connection, connection.cursor() as cursor:
        copy_rows(cursor, COPY, _encoded(batches()), check=go_on)

    assert raised.value is broken
    assert _counted(connection) == 0


def test_a_run_that_is_to_stop_stops_in_the_middle(connection: Any) -> None:
    reads = 0

    def check() -> None:
        nonlocal reads
        reads += 1
        if reads > 3:
            raise Stopped

    with pytest.raises(Stopped), connection, connection.cursor() as cursor:
        copy_rows(cursor, COPY, _encoded(iter(lambda: BATCH, None)), check=check)

    assert _counted(connection) == 0


def test_a_run_stops_while_it_waits_for_a_slow_source(connection: Any) -> None:
    is_free, asked = threading.Event(), time.monotonic() + 0.3

    def batches() -> Iterator[pa.RecordBatch]:
        yield BATCH
        is_free.wait(20)

    def check() -> None:
        if time.monotonic() > asked:
            is_free.set()
            raise Stopped

    with pytest.raises(Stopped), connection, connection.cursor() as cursor:
        copy_rows(cursor, COPY, _encoded(batches()), check=check)

    assert time.monotonic() < asked + 5


def test_a_refusal_by_the_server_is_heard_before_the_streams_end(connection: Any) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE numbers ADD CHECK (number < {ROWS - 1})")
    made = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal made
        for made in range(100):  # noqa: B007
            yield BATCH
            time.sleep(0.02)

    with (
        pytest.raises(psycopg2.errors.CheckViolation, match="violates check constraint"),
        connection,
        connection.cursor() as cursor,
    ):
        copy_rows(cursor, COPY, _encoded(batches()), check=go_on)

    assert made < 99
    assert _counted(connection) == 0


def test_a_stream_cut_by_mistake_is_never_taken_for_a_whole_one(
    connection: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([False, False, False])  # the header and two batches go through
    monkeypatch.setattr(pgcopy_stream, "_has_failed", lambda _: next(answers, True))

    with pytest.raises(TargetError, match="not all were sent"), connection:
        copy_rows(connection.cursor(), COPY, _encoded([BATCH] * 5), check=go_on)

    assert _counted(connection) == 0


def test_a_server_that_ends_the_connection_is_told_without_a_traceback(
    warehouse: str, connection: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield BATCH
        with closing(psycopg2.connect(warehouse)) as admin, admin.cursor() as cursor:
            cursor.execute(f"SELECT pg_terminate_backend({connection.info.backend_pid})")
        while True:
            yield BATCH

    with pytest.raises(psycopg2.OperationalError) as raised, connection.cursor() as cursor:
        copy_rows(cursor, COPY, _encoded(batches()), check=go_on)

    assert "administrator" in str(raised.value) or "connection" in str(raised.value)
    assert capfd.readouterr().err == ""
    with closing(psycopg2.connect(warehouse)) as other:
        assert _counted(other) == 0


def test_copies_of_two_threads_do_not_meddle(warehouse: str, connection: Any) -> None:
    def load() -> None:
        with closing(psycopg2.connect(warehouse)) as own, own, own.cursor() as cursor:
            copy_rows(cursor, COPY, _encoded([BATCH] * 10), check=go_on)

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert _counted(connection) == 3 * 10 * ROWS
