"""A month's file as a stream of clean batches, counted at every step.

Nothing of it is held: blocks come from the reader, are conformed, go through the named
transformers and on to whoever pulls.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace

import pyarrow as pa  # noqa: TID253  imported only where batches are handled
import pyarrow.compute as pc  # noqa: TID253

from taxietl.errors import DataError, NoRowsError, SchemaError, SourceError, TaxietlError
from taxietl.steps.protocols import MonthlyTransformer, Transformer
from taxietl.steps.values import NOTES_KEPT, Note, Pickups, Remark, SourceFile, Tally, Transform
from taxietl.tlc.blanks import trimmed
from taxietl.tlc.column_rules import AS_PUBLISHED, ColumnRules
from taxietl.tlc.datasets import Dataset
from taxietl.tlc.trip_file import TripFile
from taxietl.transform.blocks import TripReader
from taxietl.transform.conform import CONTRARY, Conformed, conform
from taxietl.transform.csv_file import BLOCK_BYTES, CsvReader
from taxietl.transform.dates import DateOrder
from taxietl.transform.opening import form_of
from taxietl.transform.pickups import PickupMonths

UNREADABLE_SHARE = 0.01
"""A column with more unreadable cells than this is of another kind, not dirty."""

SAMPLED_ROWS = 100_000
"""Of a file that is copied unread: enough to tell its month, whatever strays it begins with."""

# 7/8/2021 and 31/12/20, as spreadsheets write them.
_DAY_OR_MONTH_FIRST = re.compile(r"\s*\d{1,2}[/.-]\d{1,2}[/.-](\d{4}|\d\d)\b")


def rows_in_footer(file: SourceFile) -> int | None:
    """How many rows a Parquet file says it has; None of a CSV, which would have to be read."""
    if form_of(file.path) != "parquet":
        return None
    import pyarrow.parquet as pq  # loads SSL: 0.03 s that a CSV need not wait for

    try:
        return int(pq.read_metadata(file.path).num_rows)
    except (OSError, pa.ArrowException):
        return None  # who reads it says what is wrong with it


def reader(
    file: SourceFile, rules: ColumnRules = AS_PUBLISHED, *, block_bytes: int = BLOCK_BYTES
) -> TripReader:
    """The file opened by what it is, its era found.

    Raises:
        CorruptFileError: it is no trip file, or not a whole one.
        SchemaError: its columns are not those of its colour and month.
        ConfigError: the rules rename what is not there.
    """
    form = form_of(file.path)
    trip_file = file.version.trip_file
    if form == "parquet":
        # Loads pyarrow's file systems and with them SSL: 0.03 s that a CSV need not wait for.
        from taxietl.transform.parquet_file import ParquetReader

        return ParquetReader(file.path, trip_file, rules)
    return CsvReader(file.path, form, trip_file, rules, block_bytes=block_bytes)


def clean_batches(
    file: SourceFile,
    transformers: Sequence[tuple[Transform, Transformer | MonthlyTransformer]],
    column_rules: ColumnRules = AS_PUBLISHED,
    *,
    block_bytes: int = BLOCK_BYTES,
) -> Generator[pa.RecordBatch, None, Tally]:
    """Read, conform and clean one month; returns what was counted.

    Args:
        file: the month, whatever its form.
        transformers: as `registry.transformers` gives them.
        column_rules: other names for the file's columns, and what to do with new ones.
        block_bytes: of a CSV, how much is parsed at a time.

    Raises:
        SourceError: the file cannot be read to its end, or changes meanwhile.
        SchemaError: its columns or values are not those of its colour.
        NoRowsError: it has none.
        DataError: a transformer failed.
    """
    stamp = _stamp(file)
    source = reader(file, column_rules, block_bytes=block_bytes)
    dataset = source.layout.era.dataset
    rules = [(each, _of_month(rule, file.version.trip_file)) for each, rule in transformers]
    counts = _Counts(file.version.trip_file)
    dates = DateOrder(str(file.path), lambda: reader(file, column_rules, block_bytes=block_bytes))
    with closing(source), closing(source.blocks()) as blocks:
        for published in blocks:
            block = dates.in_iso(published, source.layout)
            counts.rejected(block.rejects)
            conformed = conform(block, source.layout, notes_kept=counts.notes_left)
            counts.rejected(conformed.rejects)
            counts.conformed(conformed)
            batch = conformed.batch
            counts.zeros_before += _without_passengers(batch)
            for transform, transformer in rules:
                kept = _applied(transform, transformer, batch, dataset)
                counts.dropped[transform.name] += batch.num_rows - kept.num_rows
                batch = kept
            counts.zeros_after += _without_passengers(batch)
            if batch.num_rows:
                yield batch
    if _stamp(file) != stamp:
        raise SourceError(
            f"{file.path} changed while it was read.",
            hint="Run again when it is no longer being written.",
        )
    if not source.rows_counted:
        raise NoRowsError(f"{file.path} names its columns and has no rows.", hint="Fetch it again.")
    counts.check_readable(file, dates)
    return counts.tally(source)


def first_pickups(file: SourceFile) -> Pickups:
    """In which months the first `SAMPLED_ROWS` trips of a file begin; nothing else is looked at.

    Raises:
        SourceError: the file cannot be read so far.
        SchemaError: its columns or values are not those of its colour.
    """
    found = PickupMonths(file.version.trip_file)
    source = reader(file)
    dates = DateOrder(str(file.path), lambda: reader(file))
    with closing(source), closing(source.blocks()) as blocks:
        for published in blocks:
            block = dates.in_iso(published, source.layout)
            found.count(conform(block, source.layout, notes_kept=0).batch)
            if found.pickups.counted >= SAMPLED_ROWS:
                break
    return found.pickups


def _stamp(file: SourceFile) -> tuple[int, int, int]:
    """What changes when the file is written to.

    Raises:
        SourceError: it is not of the size that was hashed, or is gone.
    """
    try:
        stat = file.path.stat()
    except OSError as error:
        raise SourceError(
            f"{file.path} cannot be read: {error.strerror}.", hint="Fetch it again."
        ) from error
    if stat.st_size != file.size_bytes:
        raise SourceError(
            f"{file.path} changed since it was fetched: {file.size_bytes:,} bytes became "
            f"{stat.st_size:,}.",
            hint="Run again when it is no longer being written.",
        )
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


class _Counts:
    """The tally in the making."""

    def __init__(self, trip_file: TripFile) -> None:
        self._pickups = PickupMonths(trip_file)
        self.rows = 0
        self.rows_rejected = 0
        self.dropped: Counter[str] = Counter()
        self.nulled: Counter[str] = Counter()
        self.missing: Counter[str] = Counter()
        self.notes: list[Note] = []
        self.remarks: dict[tuple[str | None, str], Remark] = {}
        self.zeros_before = 0
        self.zeros_after = 0
        self._first_of: dict[str, Note] = {}

    @property
    def notes_left(self) -> int:
        """How many more lines and cells are to be described."""
        return NOTES_KEPT - len(self.notes)

    def rejected(self, notes: Sequence[Note]) -> None:
        """Count the lines of a block that are rejects."""
        self.rows += len(notes)
        self.rows_rejected += len(notes)
        self.notes += notes[: self.notes_left]

    def conformed(self, conformed: Conformed) -> None:
        """Count a block's rows and the cells it lost."""
        self.rows += conformed.batch.num_rows
        self._pickups.count(conformed.batch)
        self.nulled.update(conformed.nulled)
        self.missing.update(conformed.missing)
        self.remark(conformed.remarks)
        for column, nulled in conformed.nulled.items():
            if nulled > conformed.missing.get(column, 0) and column not in self._first_of:
                # Those that could not be read are noted before those that say "none".
                of_column = (note for note in conformed.notes if note.column == column)
                self._first_of[column] = next(of_column)
        self.notes += conformed.notes[: self.notes_left]

    def remark(self, remarks: Sequence[Remark]) -> None:
        """Keep the first remark of each kind on each column, and count the others with it."""
        for each in remarks:
            kept = self.remarks.get((each.column, each.what))
            count = each.count + (kept.count if kept else 0)
            self.remarks[each.column, each.what] = replace(kept or each, count=count)

    def check_readable(self, file: SourceFile, dates: DateOrder) -> None:
        """Refuse a file one of whose columns is of another kind altogether."""
        cells = self.rows - self.rows_rejected
        for column, nulled in self.nulled.items():
            lost = nulled - self.missing[column]
            if lost > UNREADABLE_SHARE * cells:
                first = self._first_of[column]
                raise SchemaError(
                    f"{lost:,} of {cells:,} values of {column} in {file.path.name} cannot be "
                    f"read ({first.reason}), the first in line {first.line}: {first.raw[:80]!r}.",
                    hint=_how_to_mend(column, first, dates),
                )

    def tally(self, source: TripReader) -> Tally:
        """What was counted, once the file was read to its end."""
        self.remark(source.remarks)
        counts_passengers = source.layout.era.dataset.has("passenger_count")
        return Tally(
            era=source.layout.era.name,
            rows_read=self.rows,
            rows_counted=source.rows_counted,
            rows_rejected=self.rows_rejected,
            rows_dropped=dict(self.dropped),
            values_nulled=dict(self.nulled),
            new_columns={trimmed(name): "TEXT" for name in source.layout.new_columns},
            ignored_columns=tuple(trimmed(name) for name in source.layout.ignored),
            absent_columns=source.layout.absent,
            missing_passenger_count=(
                (self.zeros_before, self.zeros_after) if counts_passengers else None
            ),
            pickups=self._pickups.pickups,
            remarks=tuple(self.remarks.values()),
            notes=tuple(sorted(self.notes, key=lambda note: note.line)),
        )


def _how_to_mend(column: str, first: Note, dates: DateOrder) -> str:
    """What to do about a column that is of another kind."""
    date = _DAY_OR_MONTH_FIRST.match(first.raw)
    why = ""
    if date and len(date[1]) == 2:
        why = "The year of such a date has two digits, so that its parts cannot be told apart"
    elif date and dates.day_first is None:
        why = "Such a date begins with its day or its month, and no time of the file that can be "
        why += "taken apart has a day above 12, which would show it"
    if why:
        return f"{why}: nothing is guessed. Write it as 2020-12-31 23:59:00 first."
    if first.reason.startswith(CONTRARY):
        return f"Say what the second one is: --rename {column}=Affiliated_base_number, perhaps."
    return "Over 1 % is another format, not dirt; convert the column first."


def _of_month(rule: Transformer | MonthlyTransformer, trip_file: TripFile) -> Transformer:
    """The rule as it is for that month."""
    return rule.for_month(trip_file) if isinstance(rule, MonthlyTransformer) else rule


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
    if not isinstance(kept, pa.RecordBatch) or kept.schema != batch.schema:
        raise SchemaError(
            f"The transformer {transform.name!r} changed the columns.",
            hint="It has to return a batch with the columns and types that it was given.",
        )
    if kept.num_rows > batch.num_rows:
        raise DataError(
            f"The transformer {transform.name!r} added {kept.num_rows - batch.num_rows:,} rows.",
            hint="It may drop rows or change values; every row has to come from the file.",
        )
    return kept


def _without_passengers(batch: pa.RecordBatch) -> int:
    """Rows whose passenger_count is 0; none in a colour that counts nobody."""
    if "passenger_count" not in batch.schema.names:
        return 0
    # To compare with a Python number, Arrow would load pandas first: 0 is what is not true.
    carrying = pc.cast(batch.column("passenger_count"), pa.bool_())
    return pc.sum(pc.invert(carrying)).as_py() or 0
