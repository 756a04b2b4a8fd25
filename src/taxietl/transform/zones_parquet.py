"""The zone look-up table as Parquet, as copies of it are kept."""

from __future__ import annotations

from typing import Any

import pyarrow as pa  # noqa: TID253  imported only where such a file is read
import pyarrow.parquet as pq  # noqa: TID253

from taxietl.errors import CorruptFileError, SchemaError
from taxietl.tlc.layouts import IGNORED
from taxietl.tlc.zones import COLUMNS

_MOST_ROWS = 10_000
_MOST_BYTES = 16 << 20


def parquet_table(content: bytes, name: str) -> tuple[list[str], list[list[str]]]:
    """The names of its columns in the contract's order, and each row's values as a CSV has them.

    A missing text is an empty one, as in a CSV that was made of it.

    Raises:
        CorruptFileError: it cannot be read.
        SchemaError: other columns, other types, or far more than a zone table.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        by_name = {each.strip().lower(): each for each in file.schema_arrow.names}
        wanted = [by_name.get(each.lower(), "") for each in COLUMNS]
        if set(by_name) - IGNORED != {each.lower() for each in COLUMNS}:
            return list(file.schema_arrow.names), []
        _check_size(file.metadata, name)
        kinds = {each: file.schema_arrow.field(each).type for each in wanted}
        texts = [each for each in wanted if _is_text(kinds[each])]
        if not set(wanted[1:]) <= set(texts):
            raise SchemaError(
                f"{name} has columns of other types: "
                f"{', '.join(f'{each} {kind}' for each, kind in kinds.items())}.",
                hint=f"{', '.join(wanted[1:])} should be texts.",
            )
        # As a dictionary, a long text that each row points to is there once.
        file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=texts)
        table = file.read(columns=wanted)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, MemoryError):
            raise
        raise CorruptFileError(
            f"{name} cannot be read as Parquet: {error}.", hint="Fetch it again."
        ) from error
    columns = [table.column(each).to_pylist() for each in wanted]
    return list(COLUMNS), [[_text(value) for value in row] for row in zip(*columns, strict=True)]


def _check_size(metadata: pq.FileMetaData, name: str) -> None:
    groups = (metadata.row_group(at) for at in range(metadata.num_row_groups))
    if metadata.num_rows > _MOST_ROWS or sum(each.total_byte_size for each in groups) > _MOST_BYTES:
        raise SchemaError(
            f"{name} has {metadata.num_rows:,} rows: too much for the zone table, which has 265.",
            hint="Name the TLC's zone look-up table.",
        )


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():  # a column of ids that pandas has had
        return str(int(value))
    return str(value)
