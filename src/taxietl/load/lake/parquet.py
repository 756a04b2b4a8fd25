"""Write a month's clean rows as Parquet: zstd, large row groups, the same columns every month.

The zone table is written here, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa  # noqa: TID253  imported only where batches are written
import pyarrow.parquet as pq  # noqa: TID253

from taxietl.errors import TargetError
from taxietl.replacing import replacing
from taxietl.steps.zones import Zone
from taxietl.tlc.arrow import arrow_schema, arrow_type_named
from taxietl.tlc.datasets import Dataset
from taxietl.tlc.trip_file import TripFile
from taxietl.tlc.zones import COLUMNS as ZONE_COLUMNS
from taxietl.tlc.zones import CONTRACT_VERSION as ZONES_CONTRACT_VERSION
from taxietl.tlc.zones import TABLE as ZONES_TABLE

ROW_GROUP_ROWS = 1024 * 1024
"""At most so many rows are held: of yellow and green some 150 MB."""


def lake_schema(dataset: Dataset) -> pa.Schema:
    """The columns of every month of a colour: those of its table, `source_month` last."""
    month = pa.field("source_month", pa.date32(), nullable=False)
    marks = {
        "taxietl.color": dataset.color,
        "taxietl.contract_version": dataset.contract_version,
    }
    return arrow_schema(dataset).append(month).with_metadata(marks)


def zones_schema() -> pa.Schema:
    """The columns of the zone table, as a warehouse has them."""
    columns = [(name, arrow_type_named(kind)) for name, kind in ZONE_COLUMNS.items()]
    marks = {"taxietl.table": ZONES_TABLE, "taxietl.contract_version": ZONES_CONTRACT_VERSION}
    return pa.schema(columns).with_metadata(marks)


def schema_digest(schema: pa.Schema) -> str:
    """What changes with the columns' names, order, types and nullability."""
    columns = [(each.name, str(each.type), each.nullable) for each in schema]
    return hashlib.sha256(repr(columns).encode()).hexdigest()[:16]


def write_parquet(
    batches: Iterable[pa.RecordBatch],
    trip_file: TripFile,
    path: Path,
    *,
    row_group_rows: int = ROW_GROUP_ROWS,
) -> int:
    """Write the rows to that file, which is there whole or not at all; returns their number.

    Times have no zone (`isAdjustedToUTC=false`), and every page has a checksum.

    Raises:
        TargetError: the disk refuses.
    """
    schema = lake_schema(trip_file.dataset)
    rows = 0
    with written_beside(path) as part, _writer(part, schema) as writer:
        for group in _grouped(batches, row_group_rows):
            writer.write_table(_laid_out(group, schema, trip_file), row_group_rows)
            rows += sum(batch.num_rows for batch in group)
            group.clear()  # else it would be held while the next is gathered
    return rows


def write_zones(zones: Sequence[Zone], path: Path) -> None:
    """Write the zone table to that file, which is there whole or not at all.

    Raises:
        TargetError: the disk refuses.
    """
    schema = zones_schema()
    columns = [
        pa.array(values, field.type)
        for values, field in zip(zip(*zones, strict=True), schema, strict=True)
    ]
    with written_beside(path) as part, _writer(part, schema) as writer:
        writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def _writer(part: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        part, schema, compression="zstd", write_page_index=True, write_page_checksum=True
    )


@contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """A path to write to, which becomes the file once all went well.

    Raises:
        TargetError: the disk refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            yield part
    except OSError as error:
        raise TargetError(
            f"{path} cannot be written: {error.strerror or error}.",
            hint="Check its folder, and the room on its disk.",
        ) from error


def _grouped(
    batches: Iterable[pa.RecordBatch], row_group_rows: int
) -> Iterator[list[pa.RecordBatch]]:
    """The batches, cut and gathered to groups of that many rows; the last may have fewer."""
    group: list[pa.RecordBatch] = []
    held = 0
    for batch in batches:
        start = 0
        while start < batch.num_rows:
            taken = batch.slice(start, row_group_rows - held)
            group.append(taken)
            start, held = start + taken.num_rows, held + taken.num_rows
            if held == row_group_rows:
                yield group
                group, held = [], 0
    if group:
        yield group


def _laid_out(group: list[pa.RecordBatch], schema: pa.Schema, trip_file: TripFile) -> pa.Table:
    """The group's rows under the contract's columns, the file's month beside each."""
    table = pa.Table.from_batches(group)
    columns = [table.column(name) for name in schema.names[:-1]]
    month = pa.repeat(pa.scalar(trip_file.source_month, pa.date32()), table.num_rows)
    return pa.Table.from_arrays([*columns, month], schema=schema)
