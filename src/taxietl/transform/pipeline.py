"""A month's file as a stream of clean batches, counted at every step.

Nothing of it is held: blocks come from the reader, are conformed, go through the named
transformers and on to whoever pulls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence

import pyarrow as pa  # noqa: TID253  imported only where batches are handled
import pyarrow.compute as pc  # noqa: TID253

from taxietl.errors import DataError, SchemaError, TaxietlError
from taxietl.steps.protocols import Transformer
from taxietl.steps.values import NOTES_KEPT, Note, SourceFile, Tally, Transform
from taxietl.tlc.datasets import Dataset
from taxietl.transform.blocks import TripReader
from taxietl.transform.conform import Conformed, conform
from taxietl.transform.csv_file import CsvReader
from taxietl.transform.opening import form_of
from taxietl.transform.parquet_file import ParquetReader

UNREADABLE_SHARE = 0.01
"""A column with more unreadable cells than this is of another kind, not dirty."""


def reader(file: SourceFile) -> TripReader:
    """The file opened by what it is, its era found."""
    form = form_of(file.path)
    trip_file = file.version.trip_file
    if form == "parquet":
        return ParquetReader(file.path, trip_file)
    return CsvReader(file.path, form, trip_file)


def clean_batches(
    file: SourceFile, transformers: Sequence[tuple[Transform, Transformer]]
) -> Generator[pa.RecordBatch, None, Tally]:
    """Read, conform and clean one month; returns what was counted.

    Raises:
        SourceError: the file cannot be read to its end.
        SchemaError: its columns or values are not those of its colour.
        DataError: it has no rows, or a transformer failed.
    """
    source = reader(file)
    dataset = source.layout.era.dataset
    counts = _Counts()
    for block in source:
        counts.rejected(block.rejects)
        conformed = conform(block, source.layout)
        counts.conformed(conformed)
        batch = conformed.batch
        zeros = _without_passengers(batch)
        for transform, transformer in transformers:
            kept = _applied(transform, transformer, batch, dataset)
            counts.dropped[transform.name] += batch.num_rows - kept.num_rows
            batch = kept
        if zeros is not None:
            counts.zeros_before += zeros
            counts.zeros_after += _without_passengers(batch) or 0
        if batch.num_rows:
            yield batch
    if not source.rows_counted:
        raise DataError(f"{file.path} has a header and no rows.", hint="Fetch it again.")
    counts.check_readable(file)
    return Tally(
        era=source.layout.era.name,
        rows_read=counts.rows,
        rows_counted=source.rows_counted,
        rows_rejected=counts.rows_rejected,
        rows_dropped=dict(counts.dropped),
        values_nulled=dict(counts.nulled),
        new_columns={name.strip(): "TEXT" for name in source.layout.new_columns},
        absent_columns=source.layout.absent,
        missing_passenger_count=(
            (counts.zeros_before, counts.zeros_after) if dataset.has("passenger_count") else None
        ),
        notes=tuple(counts.notes),
    )


class _Counts:
    """The tally in the making."""

    def __init__(self) -> None:
        self.rows = 0
        self.rows_rejected = 0
        self.dropped: Counter[str] = Counter()
        self.nulled: Counter[str] = Counter()
        self.notes: list[Note] = []
        self.zeros_before = 0
        self.zeros_after = 0

    def rejected(self, notes: Sequence[Note]) -> None:
        self.rows += len(notes)
        self.rows_rejected += len(notes)
        self._keep(notes)

    def conformed(self, conformed: Conformed) -> None:
        self.rows += conformed.batch.num_rows
        self.nulled.update(note.column or "" for note in conformed.nulled)
        self._keep(conformed.nulled)

    def _keep(self, notes: Sequence[Note]) -> None:
        self.notes += notes[: NOTES_KEPT - len(self.notes)]

    def check_readable(self, file: SourceFile) -> None:
        """Refuse a file one of whose columns is of another kind altogether."""
        for column, lost in self.nulled.items():
            if lost > UNREADABLE_SHARE * self.rows:
                first = next(note for note in self.notes if note.column == column)
                raise SchemaError(
                    f"{lost:,} of {self.rows:,} values of {column} in {file.path.name} cannot be "
                    f"read, the first in line {first.line}: {first.raw[:80]!r}.",
                    hint="Over 1 % is another format, not dirt; convert the column first.",
                )


def _applied(
    transform: Transform, transformer: Transformer, batch: pa.RecordBatch, dataset: Dataset
) -> pa.RecordBatch:
    """The transformer's batch, held to its promise."""
    try:
        kept = transformer.transform(batch, dataset)
    except TaxietlError:
        raise
    except Exception as error:
        raise DataError(
            f"The transformer {transform.name!r} failed: {type(error).__name__}: {error}.",
            hint=f"Mend it, or leave it out of --transform; version {transform.version}.",
        ) from error
    if kept.schema != batch.schema or kept.num_rows > batch.num_rows:
        raise SchemaError(
            f"The transformer {transform.name!r} changed the columns or added rows.",
            hint="A transformer may only drop rows or change values.",
        )
    return kept


def _without_passengers(batch: pa.RecordBatch) -> int | None:
    """Rows whose passenger_count is 0; None for a colour that has none."""
    if "passenger_count" not in batch.schema.names:
        return None
    return pc.sum(pc.equal(batch.column("passenger_count"), 0)).as_py() or 0
