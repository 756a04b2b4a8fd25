"""Write a synthetic month as a CSV, CSV.gz or Parquet file, in bounded memory, whole or not at all.

Loads pyarrow, so import it on use.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa  # noqa: TID253  the module is loaded only to make trips
import pyarrow.compute as pc  # noqa: TID253
import pyarrow.csv as pacsv  # noqa: TID253
import pyarrow.parquet as pq  # noqa: TID253
from isal import isal_zlib  # noqa: TID253

from taxietl.errors import ConfigError, TargetError
from taxietl.extract.synthetic.columns import Column, record_batch, schema
from taxietl.extract.synthetic.csv_columns import csv_columns
from taxietl.extract.synthetic.csv_looks import CsvLook, csv_look
from taxietl.extract.synthetic.hires import hire_trips
from taxietl.extract.synthetic.parquet_columns import parquet_columns
from taxietl.extract.synthetic.recipe import Recipe
from taxietl.extract.synthetic.trips import taxi_trips
from taxietl.replacing import replacing
from taxietl.steps.protocols import Progress, untold

# A quarter of a million rows: readers get groups to share out, the writer has to hold only one.
_CHUNKS_PER_ROW_GROUP = 2


def parquet_batches(recipe: Recipe, progress: Progress = untold) -> Iterator[pa.RecordBatch]:
    """The month's rows as its Parquet file has them."""
    columns = parquet_columns(recipe.color, recipe.year, recipe.month)
    return _batches(columns, recipe, progress)


def write(path: Path, recipe: Recipe, progress: Progress = untold) -> int:
    """Write the month in the form the ending names; returns the number of rows.

    Args:
        progress: told of the rows that are made.

    Raises:
        ConfigError: the ending names no form.
        TargetError: the disk refused; what lay at `path` before still does.
    """
    endings = [ending for ending in _WRITERS if path.name.lower().endswith(ending)]
    if not endings:
        raise ConfigError(
            f"The ending of {path} names no form to write.",
            hint=f"Use one of {', '.join(_WRITERS)}.",
        )
    try:
        with replacing(path) as beside, beside.open("xb") as sink:
            _WRITERS[endings[0]](sink, recipe, progress)
    except OSError as error:
        raise _refused(path, error) from error
    return recipe.row_count


def _refused(path: Path, error: OSError) -> TargetError:
    """Say what the disk said, and what to do about it."""
    if path.is_dir():
        reason, hint = "it is a folder", f"Name a file, such as {path / 'trips'}{path.suffix}."
    elif not path.parent.is_dir():
        reason = "its folder does not exist"
        hint = f"Make it with `mkdir -p {path.parent}`, or name another."
    else:
        reason = error.strerror or str(error)
        hint = "Free some space, or name a place that you may write to."
    return TargetError(f"{path} cannot be written: {reason}.", hint=hint)


def _write_parquet(sink: BinaryIO, recipe: Recipe, progress: Progress) -> None:
    columns = parquet_columns(recipe.color, recipe.year, recipe.month)
    batches = parquet_batches(recipe, progress)
    with pq.ParquetWriter(sink, schema(columns), compression="zstd") as writer:
        while group := list(itertools.islice(batches, _CHUNKS_PER_ROW_GROUP)):
            writer.write_table(pa.Table.from_batches(group))


def _write_csv(sink: BinaryIO, recipe: Recipe, progress: Progress) -> None:
    for text in _csv_pieces(recipe, progress):
        sink.write(text)


def _write_csv_gz(sink: BinaryIO, recipe: Recipe, progress: Progress) -> None:
    # 31 asks for gzip's wrapper with the largest window; zlib's own header has neither a name nor a
    # time, so equal months are equal bytes. isal is several times as fast as zlib.
    squeeze = isal_zlib.compressobj(isal_zlib.ISAL_BEST_COMPRESSION, isal_zlib.DEFLATED, 31)
    for text in _csv_pieces(recipe, progress):
        sink.write(squeeze.compress(text))
    sink.write(squeeze.flush())


def _csv_pieces(recipe: Recipe, progress: Progress) -> Iterator[bytes]:
    """The file's text: the names, then a piece a chunk."""
    month = (recipe.year, recipe.month)
    look = csv_look(recipe.color, month) or _as_parquet(recipe)
    columns = csv_columns(recipe.color, month, look.names)
    yield look.first_line + look.header_end + look.blank
    for batch in _batches(columns, recipe, progress):
        yield _lines(batch, look)


def _as_parquet(recipe: Recipe) -> CsvLook:
    """A CSV of a month that has none: the Parquet file's names."""
    columns = parquet_columns(recipe.color, recipe.year, recipe.month)
    return CsvLook(",".join(column.name for column in columns))


def _lines(batch: pa.RecordBatch, look: CsvLook) -> bytes:
    """The trips as that file writes them; nothing stands for what is missing."""
    if look.quoted:
        texts = [pc.fill_null(pc.cast(array, pa.string()), "") for array in batch.columns]
        batch = pa.record_batch(texts, names=batch.schema.names)
    options = pacsv.WriteOptions(
        include_header=False,
        quoting_style="all_valid" if look.quoted else "none",
        batch_size=16_384,
    )
    text = pa.BufferOutputStream()
    pacsv.write_csv(batch, text, options)
    lines: bytes = text.getvalue().to_pybytes()
    end = b"," * look.unnamed + look.row_end
    return lines if end == b"\n" else lines.replace(b"\n", end)


def _batches(
    columns: Sequence[Column], recipe: Recipe, progress: Progress
) -> Iterator[pa.RecordBatch]:
    is_taxi = recipe.color in ("yellow", "green")
    rows = 0
    for trips in taxi_trips(recipe) if is_taxi else hire_trips(recipe):
        batch = record_batch(columns, trips)
        yield batch
        rows += batch.num_rows
        progress(rows, recipe.row_count)


_WRITERS: dict[str, Callable[[BinaryIO, Recipe, Progress], None]] = {
    ".csv": _write_csv,
    ".csv.gz": _write_csv_gz,
    ".parquet": _write_parquet,
}
