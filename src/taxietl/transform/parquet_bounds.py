"""How much of a Parquet file is unfolded at a time, whatever its bytes say.

A few kilobytes can stand for gigabytes: one long text of a dictionary that each row points to, or
a page that was packed well. So the dictionaries and the footer are asked first how long texts may
be. Where that is too long for a batch, texts are read as a dictionary and measured before they
are written out; that takes 0.3 s a million rows of six such columns, which other files do without.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa  # noqa: TID253  imported only where files are read
import pyarrow.compute as pc  # noqa: TID253
import pyarrow.parquet as pq  # noqa: TID253

from taxietl.errors import SchemaError

TEXT_BYTES = 64 << 20
"""Of texts in one column of a batch: 4 KB in each row, and the longest real ones have 7 bytes."""

# Of the encodings of texts, Arrow reads these as a dictionary.
_WITH_DICTIONARY = {"PLAIN", "PLAIN_DICTIONARY", "RLE_DICTIONARY", "RLE", "BIT_PACKED"}
_BYTES_A_VALUE = 256
_FEWEST_ROWS, _FULL_BATCH = 256, 16_384
_SHORT_BATCH_BYTES = 1 << 20


def dictionary_columns(file: pq.ParquetFile, wanted: Iterable[str]) -> list[str]:
    """The columns of texts that can be read as each text once, and who has it."""
    texts = _texts(file) & set(wanted)
    others = {
        chunk.path_in_schema
        for chunk in _chunks(file, texts)
        if not _WITH_DICTIONARY.issuperset(chunk.encodings)
    }
    return sorted(texts - others)


def longest_text(file: pq.ParquetFile, columns: list[str]) -> int:
    """Bytes of the longest text in any dictionary, of a file that is read as such."""
    longest = 0
    for group in range(file.metadata.num_row_groups):
        first = next(file.iter_batches(batch_size=1, row_groups=[group], columns=columns), None)
        for array in first.columns if first is not None else ():
            if pa.types.is_dictionary(array.type):
                lengths = pc.binary_length(array.dictionary)
                longest = max(longest, pc.max(lengths).as_py() or 0)
    return longest


def batch_rows(file: pq.ParquetFile, wanted: Iterable[str], path: Path, *, most: int) -> int:
    """How many rows to read at a time, so that the texts of a batch stay within `TEXT_BYTES`.

    Raises:
        SchemaError: a column's chunk unfolds to more than any real one.
    """
    rows = most
    for chunk in _chunks(file, _texts(file) & set(wanted)):
        size = chunk.total_uncompressed_size
        if size > max(TEXT_BYTES, _BYTES_A_VALUE * chunk.num_values):
            raise _too_long(chunk.path_in_schema, chunk.num_values, size, path)
        if "DELTA_BYTE_ARRAY" in chunk.encodings:
            # A value may begin with all of the one before, so each may be as long as them all.
            rows = min(rows, max(_FEWEST_ROWS, TEXT_BYTES // max(1, size)))
    return rows


def _texts(file: pq.ParquetFile) -> set[str]:
    return {field.name for field in file.schema_arrow if _is_text(field.type)}


def _chunks(file: pq.ParquetFile, columns: set[str]) -> Iterator[pq.ColumnChunkMetaData]:
    for number in range(file.metadata.num_row_groups if columns else 0):
        group = file.metadata.row_group(number)
        for at in range(group.num_columns):
            if (chunk := group.column(at)).path_in_schema in columns:
                yield chunk


def unfolded(batch: pa.RecordBatch, path: Path) -> pa.RecordBatch:
    """The batch with its texts written out.

    Raises:
        SchemaError: they would take more than `TEXT_BYTES` in one column, or do in a short batch.
    """
    arrays = []
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        if _is_text(array.type):
            size = _size_of(array)
            if size > max(_SHORT_BATCH_BYTES, TEXT_BYTES * len(array) // _FULL_BATCH):
                raise _too_long(name, len(array), size, path)
        is_dictionary = pa.types.is_dictionary(array.type)
        arrays.append(array.dictionary_decode() if is_dictionary else array)
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def _size_of(texts: pa.Array) -> int:
    """Bytes of all texts."""
    if not pa.types.is_dictionary(texts.type):
        return pc.sum(pc.binary_length(texts)).as_py() or 0
    return pc.sum(pc.binary_length(texts.dictionary).take(texts.indices)).as_py() or 0


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )


def _too_long(name: str, values: int, size: int, path: Path) -> SchemaError:
    return SchemaError(
        f"{values:,} values of {name.strip()} in {path} unfold to {size:,} bytes, "
        f"{size // max(1, values):,} each: no trip file has texts as long.",
        hint="The file is damaged, or made to fill the memory of whoever reads it. Fetch it again; "
        "if it has to be so, shorten the column first.",
    )
