"""Small months for loaders: batches made here, told to be what a file held."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from taxietl.config.databases import DuckDBProfile
from taxietl.load.duckdb import DuckDBLoader
from taxietl.steps.protocols import Cancellation
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


class NeverCancelled:
    """A run that nobody stops."""

    def check(self) -> None:
        """Raises nothing."""

    def on_cancel(self, callback: Callable[[], object]) -> AbstractContextManager[object]:
        """Never calls back."""
        return nullcontext()


@dataclass(frozen=True)
class Duck:
    """A DuckDB file, and what a test does to it."""

    path: Path

    @property
    def loader(self) -> DuckDBLoader:
        """A loader for it."""
        return DuckDBLoader(DuckDBProfile(path=self.path))

    def load(
        self,
        batches: Iterable[pa.RecordBatch] | int,
        trip_file: TripFile = JANUARY,
        *,
        told: Mapping[str, Any] | None = None,
        source: str = "file:///files",
        etag: str = "1",
        sha256: str = "a" * 64,
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
            SourceFile(version, Path("unread.csv"), 1000, sha256),
            Stream(batches, **(told or {})),
            LoadRequest(version, **options),
            cancellation or NeverCancelled(),
        )

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


ROUNDED = Transform("rounded", "1", {"digits": 2})
BAD_LINE = Note("row", 7, None, "3 fields instead of 18", "1,2,3")
