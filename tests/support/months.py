"""Small months for loaders: batches made here, told to be what a file held."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
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
from taxietl.steps.protocols import Loader
from taxietl.steps.values import (
    LoadReport,
    Note,
    Transform,
)
from taxietl.testing.months import (
    FEBRUARY,
    GREEN_JANUARY,
    JANUARY,
    NOON,
    Stream,
    batch_of,
    load_month,
)
from taxietl.tlc.trip_file import TripFile

__all__ = ["FEBRUARY", "GREEN_JANUARY", "JANUARY", "NOON", "Stream", "batch_of"]


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
        **more: Any,
    ) -> LoadReport:
        """See `load_month`."""
        return load_month(self.loader, batches, trip_file, **more)


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
