"""Small trip files, made as the TLC makes them, and what becomes of them."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxietl.steps.values import SourceFile, SourceVersion, Tally
from taxietl.tlc.arrow import arrow_schema
from taxietl.tlc.column_rules import AS_PUBLISHED, ColumnRules
from taxietl.tlc.datasets import dataset
from taxietl.tlc.trip_file import TripFile
from taxietl.transform.csv_file import BLOCK_BYTES
from taxietl.transform.pipeline import clean_batches

YELLOW = TripFile("yellow", 2021, 1)

CELLS = {
    "VendorID": "2",
    "tpep_pickup_datetime": "2021-01-01 00:30:10",
    "tpep_dropoff_datetime": "2021-01-01 00:36:12",
    "passenger_count": "1",
    "trip_distance": "2.10",
    "RatecodeID": "1",
    "store_and_fwd_flag": "N",
    "PULocationID": "142",
    "DOLocationID": "43",
    "payment_type": "2",
    "fare_amount": "8",
    "extra": "3",
    "mta_tax": "0.5",
    "tip_amount": "0",
    "tolls_amount": "0",
    "improvement_surcharge": "0.3",
    "total_amount": "11.8",
    "congestion_surcharge": "2.5",
}
"""One row of a yellow CSV of 2019 to 2022, by the published names in their order."""

MOMENT = datetime(2021, 1, 1, 0, 30, 10)
PARQUET = {
    "VendorID": pa.array([2, 1, None], pa.int64()),
    "tpep_pickup_datetime": pa.array([MOMENT] * 3, pa.timestamp("us")),
    "tpep_dropoff_datetime": pa.array([MOMENT] * 3, pa.timestamp("us")),
    "passenger_count": pa.array([1.0, 0.0, None], pa.float64()),
    "trip_distance": pa.array([2.1, 0.0, 3.0]),
    "RatecodeID": pa.array([1.0, 99.0, None], pa.float64()),
    "store_and_fwd_flag": pa.array(["N", "Y", None]),
    "PULocationID": pa.array([142, 1, 265], pa.int64()),
    "DOLocationID": pa.array([43, 1, 264], pa.int64()),
    "payment_type": pa.array([2, 1, 0], pa.int64()),
    "fare_amount": pa.array([8.0, -2.5, 10.0]),
    "extra": pa.array([3.0, 0.5, 0.0]),
    "mta_tax": pa.array([0.5, 0.5, 0.5]),
    "tip_amount": pa.array([0.0, 0.0, 1.15]),
    "tolls_amount": pa.array([0.0, 0.0, 6.12]),
    "improvement_surcharge": pa.array([0.3, 0.3, 0.3]),
    "total_amount": pa.array([11.8, -3.8, 18.07]),
    "congestion_surcharge": pa.array([2.5, 0.0, None]),
    "airport_fee": pa.nulls(3),
}
"""Three rows of a yellow Parquet file of 2021, with its types."""


@dataclass(frozen=True)
class Cleaned:
    """A file read to its end."""

    batches: list[pa.RecordBatch]
    tally: Tally
    table: pa.Table

    def column(self, name: str) -> list[Any]:
        return self.table.column(name).to_pylist()

    def lines(self, kind: str) -> list[int]:
        """Line of each note of a kind."""
        return [note.line for note in self.tally.notes if note.kind == kind]

    def assert_adds_up(self) -> None:
        """Rows read = rows kept + dropped + rejected, and as counted on the other way."""
        tally = self.tally
        kept = self.table.num_rows
        assert tally.rows_read == kept + sum(tally.rows_dropped.values()) + tally.rows_rejected
        assert tally.rows_read == tally.rows_counted


class Trips:
    """Makes trip files in a folder, and reads them through the whole pipeline."""

    header = ",".join(CELLS)

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def line(self, **cells: str) -> str:
        """A good row, or one with these cells instead."""
        assert cells.keys() <= CELLS.keys()
        return ",".join((CELLS | cells).values())

    def csv(
        self, *lines: str | bytes, header: str | None = None, end: str = "\n", name: str = "t.csv"
    ) -> Path:
        """Write the header and the lines, each with that line end."""
        whole = [each if isinstance(each, bytes) else each.encode() for each in lines]
        first = (self.header if header is None else header).encode()
        return self.write(b"".join(each + end.encode() for each in (first, *whole)), name=name)

    def parquet(self, *, without: Sequence[str] = (), **columns: pa.Array) -> Path:
        """Write three rows as Parquet, with these columns instead or besides."""
        arrays = {name: each for name, each in (PARQUET | columns).items() if name not in without}
        path = self.folder / "t.parquet"
        pq.write_table(pa.table(arrays), path)
        return path

    def write(self, content: bytes, *, name: str = "t.csv") -> Path:
        path = self.folder / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    def file(self, path: Path, month: TripFile = YELLOW) -> SourceFile:
        """The file as an extractor hands it on."""
        size = path.stat().st_size
        version = SourceVersion(month, "test", path.as_uri(), "etag", size)
        return SourceFile(version, path, size, "0" * 64)

    def clean(
        self,
        path: Path,
        month: TripFile = YELLOW,
        *,
        transformers: Sequence[Any] = (),
        rules: ColumnRules = AS_PUBLISHED,
        block_bytes: int = BLOCK_BYTES,
    ) -> Cleaned:
        """Read the file to its end."""
        file = self.file(path, month)
        stream = clean_batches(file, transformers, rules, block_bytes=block_bytes)
        batches: list[pa.RecordBatch] = []
        while True:
            try:
                batches.append(next(stream))
            except StopIteration as end:
                schema = batches[0].schema if batches else arrow_schema(dataset(month.color))
                return Cleaned(batches, end.value, pa.Table.from_batches(batches, schema))


@pytest.fixture
def trips(tmp_path: Path) -> Trips:
    """A maker of trip files in a folder of the test's own."""
    return Trips(tmp_path)
