"""Small months for loaders: batches made here, told to be what a file held."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa  # noqa: TID253  whoever tests a loader has months

from taxietl.steps.protocols import NEVER, Cancellation, Loader
from taxietl.steps.values import LoadReport, LoadRequest, SourceFile, SourceVersion, Tally
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
    plain = {"passenger_count": [1] * rows, "fare_amount": [2.5] * rows}
    given: dict[str, Any] = {
        of.started_at: [NOON + timedelta(seconds=each) for each in range(rows)],
        **{name: values for name, values in plain.items() if of.has(name)},
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


def load_month(
    loader: Loader,
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
    """Load a month.

    Args:
        loader: to test.
        batches: its rows; a number stands for that many plain ones.
        trip_file: the month.
        told: parts of its `Tally`, in place of what is counted.
        source: where its file is said to come from.
        etag: what changes with the file's bytes.
        sha256: of the bytes; each month has its own.
        cancellation: nobody stops it unless this does.
        request: parts of the `LoadRequest`.
    """
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
    return loader.load(
        SourceFile(version, Path("unread.csv"), 1000, sha256 or _sha256_of(trip_file)),
        Stream(batches, **(told or {})),
        LoadRequest(version, **options),
        cancellation or NEVER,
    )


def _sha256_of(trip_file: TripFile) -> str:
    """Each month has bytes of its own."""
    return f"{trip_file.month - 1:x}".replace("0", "a") * 64
