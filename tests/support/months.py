"""Small months for loaders: batches made here, told to be what a file held."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pyarrow as pa
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812

from taxietl.load.duckdb import DuckDBLoader
from taxietl.load.duckdb.profile import DuckDBProfile
from taxietl.load.postgres import PostgresLoader
from taxietl.load.postgres.locks import SWAP_PATIENCE_SECONDS
from taxietl.load.postgres.profile import PostgresProfile
from taxietl.steps.protocols import Cancellation, Loader
from taxietl.steps.values import (
    LoadReport,
    LoadRequest,
    Note,
    SourceFile,
    SourceVersion,
    Tally,
    Transform,
)
from taxietl.tlc.arrow import arrow_schema
from taxietl.tlc.datasets import dataset
from taxietl.tlc.trip_file import TripFile

JANUARY = TripFile("yellow", 2021, 1)
FEBRUARY = TripFile("yellow", 2021, 2)
GREEN_JANUARY = TripFile("green", 2021, 1)
NOON = datetime(2021, 1, 1, 12)


def batch_of(color: str, rows: int, **columns: Sequence[Any] | pa.Array) -> pa.RecordBatch:
    """Rows of a colour; the columns that are not given are null, but for a few plain ones.

    A column the contract does not know is added as text.
    """
    of = dataset(color)
    given: dict[str, Any] = {
        of.started_at: [NOON + timedelta(seconds=each) for each in range(rows)],
        "passenger_count": [1] * rows,
        "fare_amount": [2.5] * rows,
        **columns,
    }
    schema = arrow_schema(of)
    for name in given:
        if name not in schema.names:
            schema = schema.append(pa.field(name, pa.string()))
    arrays = [
        pa.array(given[field.name], field.type)
        if field.name in given
        else pa.nulls(rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


class Stream:
    """Batches, then their tally, as a loader pulls them; `told` overrules parts of the tally."""

    def __init__(self, batches: Iterable[pa.RecordBatch], **told: Any) -> None:
        self._batches = batches
        self._told = told
        self._rows = 0
        self.is_done = False

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._batches:
                self._rows += batch.num_rows
                yield batch
            self.is_done = True
        finally:
            if isinstance(self._batches, Generator):
                self._batches.close()

    @property
    def result(self) -> Tally:
        """What was pulled, and what the test says was dropped and rejected beside it."""
        assert self.is_done, "the tally is there only after the last batch"
        told = {"era": "test", **self._told}
        left_out = sum(told.get("rows_dropped", {}).values()) + told.get("rows_rejected", 0)
        told.setdefault("rows_read", self._rows + left_out)
        told.setdefault("rows_counted", told["rows_read"])
        return Tally(**told)


class Held:
    """Batches that wait, once the first was pulled, until they are let go."""

    def __init__(self, color: str = "yellow", rows: int = 3) -> None:
        self._batch = batch_of(color, rows)
        self.is_pulled = threading.Event()
        self.let_go = threading.Event()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        yield self._batch
        self.is_pulled.set()
        assert self.let_go.wait(30)


class NeverCancelled:
    """A run that nobody stops."""

    def check(self) -> None:
        """Raises nothing."""

    def on_cancel(self, callback: Callable[[], object]) -> AbstractContextManager[object]:
        """Never calls back."""
        return nullcontext()


class Warehouse(ABC):
    """What months are loaded into."""

    @property
    @abstractmethod
    def loader(self) -> Loader:
        """A loader for it."""

    def load(
        self,
        batches: Iterable[pa.RecordBatch] | int,
        trip_file: TripFile = JANUARY,
        *,
        told: Mapping[str, Any] | None = None,
        source: str = "file:///files",
        etag: str = "1",
        sha256: str | None = None,
        cancellation: Cancellation | None = None,
        **request: Any,
    ) -> LoadReport:
        """Load a month; a number stands for that many plain rows."""
        if isinstance(batches, int):
            batches = [batch_of(trip_file.color, batches)]
        version = SourceVersion(trip_file, source, f"{source}/{trip_file.stem}.csv", etag, 1000)
        options: dict[str, Any] = {
            "table": trip_file.dataset.table,
            "transforms": (),
            "max_rejects": 0,
            "max_shrink": 0.05,
            "force": False,
            "run_id": "run-1",
            "run_name": "amber-fox",
            **request,
        }
        return self.loader.load(
            SourceFile(version, Path("unread.csv"), 1000, sha256 or _sha256_of(trip_file)),
            Stream(batches, **(told or {})),
            LoadRequest(version, **options),
            cancellation or NeverCancelled(),
        )


def _sha256_of(trip_file: TripFile) -> str:
    """Each month has bytes of its own."""
    return f"{trip_file.month - 1:x}".replace("0", "a") * 64


@dataclass(frozen=True)
class Duck(Warehouse):
    """A DuckDB file, and what a test does to it."""

    path: Path

    @property
    def loader(self) -> DuckDBLoader:
        """See `Warehouse.loader`."""
        return DuckDBLoader(DuckDBProfile(path=self.path))

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """The query's rows, asked past taxietl."""
        with duckdb.connect(str(self.path), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def do(self, *statements: str) -> None:
        """What a user does to it by hand."""
        with duckdb.connect(str(self.path)) as connection:
            for each in statements:
                connection.execute(each)

    def facts(self) -> tuple[list[tuple[Any, ...]], ...]:
        """All that a failed load must not change: tables, rows, ledger and rejects."""
        return (
            self.ask("SELECT table_name, sql FROM duckdb_tables() ORDER BY ALL"),
            self.ask("SELECT count(*), sum(hash(yellow_trips)) FROM yellow_trips"),
            self.ask("SELECT load_id, superseded_at::TEXT FROM taxietl_loads ORDER BY ALL"),
            self.ask("SELECT * FROM taxietl_rejects ORDER BY ALL"),
        )


@dataclass(frozen=True)
class Postgres(Warehouse):
    """A PostgreSQL database, and what a test does to it."""

    url: str
    schema: str = "public"
    swap_patience_seconds: float = SWAP_PATIENCE_SECONDS

    @property
    def profile(self) -> PostgresProfile:
        """As a user would write it."""
        return PostgresProfile(url=self.url, schema=self.schema)

    @property
    def loader(self) -> PostgresLoader:
        """See `Warehouse.loader`."""
        return PostgresLoader(self.profile, swap_patience_seconds=self.swap_patience_seconds)

    def connect(self) -> Connection:
        """A connection past taxietl."""
        return psycopg2.connect(self.url)

    def ask(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The query's rows, asked past taxietl."""
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(query, parameters or None)
            return cursor.fetchall()

    def do(self, *statements: str) -> None:
        """What a user does to it by hand."""
        with closing(self.connect()) as connection, connection, connection.cursor() as cursor:
            for each in statements:
                cursor.execute(each)

    def set_for_database(self, setting: str, value: str) -> None:
        """What a DBA sets for all who connect from now on."""
        with closing(self.connect()) as connection, connection, connection.cursor() as cursor:
            database = sql.Identifier(connection.info.dbname)
            change = sql.SQL("ALTER DATABASE {} SET {} = %s")
            cursor.execute(change.format(database, sql.Identifier(setting)), [value])

    def facts(self) -> tuple[list[tuple[Any, ...]], ...]:
        """All that a failed load must not change: tables, columns, rows, ledger and rejects."""
        return (
            self.ask(_EVERYTHING_MADE),
            self.ask(
                "SELECT count(*), sum(hashtextextended(t::text, 0)) FROM public.yellow_trips t"
            ),
            self.ask("SELECT load_id, superseded_at::text FROM public.taxietl_loads ORDER BY 1"),
            self.ask("SELECT * FROM public.taxietl_rejects ORDER BY 1, 2, 3"),
        )

    def left_behind(self) -> list[tuple[Any, ...]]:
        """Tables of the partitions' schema that hang on no parent, and advisory locks.

        A server process ends some moments after its client has gone: those are waited for.
        """
        end = time.monotonic() + 30
        while (found := self._left_behind()) and time.monotonic() < end:
            time.sleep(0.02)
        return found

    def _left_behind(self) -> list[tuple[Any, ...]]:
        return self.ask(
            "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n "
            "ON n.oid = c.relnamespace WHERE n.nspname = 'taxietl_parts' AND c.relkind = 'r' "
            "AND NOT c.relispartition UNION ALL SELECT 'lock of ' || l.pid FROM pg_locks l "
            "JOIN pg_database d ON d.oid = l.database WHERE l.locktype = 'advisory' "
            "AND d.datname = current_database()"
        )


_EVERYTHING_MADE = (
    "SELECT c.relkind, c.oid::regclass::text, a.attname, a.atttypid::regtype::text "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
    "WHERE n.nspname IN ('public', 'taxietl_parts') ORDER BY 2, 3"
)

ROUNDED = Transform("rounded", "1", {"digits": 2})
BAD_LINE = Note("row", 7, None, "3 fields instead of 18", "1,2,3")
