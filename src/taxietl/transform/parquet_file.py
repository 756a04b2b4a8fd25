"""Read a published Parquet file in batches; its footer says how many rows there are."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pyarrow as pa  # noqa: TID253  imported only where files are read
import pyarrow.parquet as pq  # noqa: TID253

from taxietl.errors import CorruptFileError
from taxietl.steps.values import Remark
from taxietl.tlc.column_rules import AS_PUBLISHED, ColumnRules
from taxietl.tlc.layouts import match
from taxietl.tlc.trip_file import TripFile
from taxietl.transform.ahead import ahead
from taxietl.transform.blocks import Block

_PAGES_BYTES = 1 << 20
BATCH_ROWS = 16_384
"""Four times as many are no faster, and take 80 MB more."""


class ParquetReader:
    """One Parquet file being read once; see `blocks.TripReader`."""

    def __init__(self, path: Path, trip_file: TripFile, rules: ColumnRules = AS_PUBLISHED) -> None:
        self._path = path
        self.remarks: tuple[Remark, ...] = ()
        try:
            # Read page by page: whole row groups beforehand would take memory by the month's size.
            self._file = pq.ParquetFile(
                path,
                pre_buffer=False,
                buffer_size=_PAGES_BYTES,
                # Spark's times; in nanoseconds, the year 9999 would come out as 1816.
                coerce_int96_timestamp_unit="us",
            )
            names = self._file.schema_arrow.names
        except (pa.ArrowException, OSError) as error:
            raise self._corrupt(error) from error
        try:
            self.rows_counted = self._file.metadata.num_rows
            self.layout = match(names, trip_file, rules)
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Let go of the file, whether or not its blocks were asked for."""
        self._file.close()

    def blocks(self) -> Generator[Block, None, None]:
        """Read the file, once, and close it."""
        wanted = [*self.layout.columns.values(), *self.layout.spare.values()]
        wanted += self.layout.new_columns
        row = 1
        with self._file:
            batches = self._file.iter_batches(batch_size=BATCH_ROWS, columns=wanted)
            try:
                with closing(ahead(batches, depth=2)) as made:
                    for batch in made:
                        yield Block(batch, row)
                        row += batch.num_rows
            except (pa.ArrowException, OSError) as error:
                raise self._corrupt(error) from error

    def _corrupt(self, error: Exception) -> CorruptFileError:
        return CorruptFileError(
            f"{self._path} cannot be read as Parquet: {error}.", hint="Fetch it again."
        )
