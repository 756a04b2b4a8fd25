"""Read a published Parquet file in batches; its footer says how many rows there are."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa  # noqa: TID253  imported only where files are read
import pyarrow.parquet as pq  # noqa: TID253

from taxietl.errors import CorruptFileError
from taxietl.steps.values import Remark
from taxietl.tlc.column_rules import AS_PUBLISHED, ColumnRules
from taxietl.tlc.layouts import match
from taxietl.tlc.trip_file import TripFile
from taxietl.transform.ahead import ahead
from taxietl.transform.blocks import Block
from taxietl.transform.casting import check_type
from taxietl.transform.conform import wanted
from taxietl.transform.parquet_bounds import (
    TEXT_BYTES,
    batch_rows,
    dictionary_columns,
    longest_text,
    unfolded,
)

_PAGES_BYTES = 1 << 20
BATCH_ROWS = 16_384
"""Four times as many are no faster, and take 80 MB more."""


class ParquetReader:
    """One Parquet file being read once; see `blocks.TripReader`."""

    def __init__(self, path: Path, trip_file: TripFile, rules: ColumnRules = AS_PUBLISHED) -> None:
        self._path = path
        self.remarks: tuple[Remark, ...] = ()
        self._file = self._opened()
        try:
            self.rows_counted = self._file.metadata.num_rows
            schema = self._file.schema_arrow
            self.layout = match(schema.names, trip_file, rules)
            self._wanted = [name for _, name in wanted(self.layout) if name is not None]
            self._wanted += self.layout.spare.values()
            for column, name in wanted(self.layout):
                if name is not None:  # before any of it is read: a list may unfold to anything
                    check_type(schema.field(name).type, column)
            self._rows = batch_rows(self._file, self._wanted, path, most=BATCH_ROWS)
            self._read_long_texts_as_dictionaries()
        except BaseException:
            self._file.close()
            raise

    def _opened(self, **options: Any) -> pq.ParquetFile:
        try:
            # Read page by page: whole row groups beforehand would take memory by the month's size.
            return pq.ParquetFile(
                self._path,
                pre_buffer=False,
                buffer_size=_PAGES_BYTES,
                # Spark's times; in nanoseconds, the year 9999 would come out as 1816.
                coerce_int96_timestamp_unit="us",
                **options,
            )
        except (pa.ArrowException, OSError) as error:
            raise self._corrupt(error) from error

    def _read_long_texts_as_dictionaries(self) -> None:
        columns = dictionary_columns(self._file, self._wanted)
        if not columns:
            return
        other = self._opened(read_dictionary=columns, metadata=self._file.metadata)
        try:
            longest = longest_text(other, columns)
        except (pa.ArrowException, OSError) as error:
            other.close()
            raise self._corrupt(error) from error
        if longest * self._rows > TEXT_BYTES:
            other, self._file = self._file, other
        other.close()

    def close(self) -> None:
        """Let go of the file, whether or not its blocks were asked for."""
        self._file.close()

    def blocks(self) -> Generator[Block, None, None]:
        """Read the file, once, and close it."""
        row = 1
        with self._file:
            batches = self._file.iter_batches(batch_size=self._rows, columns=self._wanted)
            plain = (unfolded(batch, self._path) for batch in batches)
            try:
                with closing(ahead(plain, depth=2)) as made:
                    for batch in made:
                        yield Block(batch, row)
                        row += batch.num_rows
            except (pa.ArrowException, OSError) as error:
                raise self._corrupt(error) from error

    def _corrupt(self, error: Exception) -> Exception:
        if isinstance(error, MemoryError):  # Arrow's is an exception of both kinds
            return error
        return CorruptFileError(
            f"{self._path} cannot be read as Parquet: {error}.", hint="Fetch it again."
        )
