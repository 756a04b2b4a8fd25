"""A colour's months in a bucket as one table for DuckDB, read no further than a query needs.

DuckDB takes `Months` for one of Arrow's data sets: it asks for columns, hands over a filter, and
applies none of that filter itself. A month that the filter excludes is not touched; of the others
the footer is fetched, then the columns asked for, row group by row group, ahead of the decoding.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import pyarrow as pa  # noqa: TID253  imported only where a bucket is asked
import pyarrow.compute as pc  # noqa: TID253
import pyarrow.dataset as ds  # noqa: TID253
import pyarrow.parquet as pq  # noqa: TID253

from taxietl.errors import TargetError
from taxietl.load.lake.parquet import lake_schema
from taxietl.load.lake.ranges import Ahead, ObjectFile, Piece, Pieces
from taxietl.load.lake.values import StoredObject
from taxietl.tlc.datasets import Dataset

_MONTH = "source_month"
_MIB = 1024 * 1024

_TAIL_BYTES = 128 * 1024
"""Holds the footer of any month: that of 24 columns in 20 row groups has 70 kB."""

_TAILS_AHEAD = 8

_GAP_BYTES = 128 * 1024
"""What is read and thrown away rather than asked around."""

_PIECE_BYTES = 8 * _MIB
_FIRST_BYTES, _MOST_BYTES = 4 * _MIB, 64 * _MIB
"""What is under way, or waits to be decoded: little at first, for who wants but a few rows."""

_BATCH_ROWS = 65_536
_FORMAT = ds.ParquetFileFormat()


@dataclass(frozen=True)
class _Asked:
    """What one scan is to give."""

    columns: tuple[str, ...]
    condition: pc.Expression | None
    """None where every row of the months chosen fulfils it."""

    named: frozenset[str]
    """The condition's columns."""

    schema: pa.Schema
    """Of the whole table."""

    @property
    def read(self) -> list[str]:
        """The columns that come out of the files."""
        wanted = self.named.union(self.columns) - {_MONTH}
        return [name for name in self.schema.names if name in wanted]

    @property
    def floats(self) -> list[str]:
        """Those of the condition's columns that may hold NaN."""
        return [each for each in self.named if pa.types.is_floating(self.schema.field(each).type)]


class Months(ds.FileSystemDataset):  # type: ignore[misc]
    """One colour's months, each the object of one generation."""

    def __init__(self, dataset: Dataset, months: Mapping[date, StoredObject], ahead: Ahead) -> None:
        self._ahead = ahead
        self._files = {month: _File(ahead, found, month) for month, found in sorted(months.items())}
        *columns, month = lake_schema(dataset)
        # To count rows DuckDB asks for the first column: the one of which no byte is read.
        schema = pa.schema([month, *columns])
        super().__init__([each.fragment() for each in self._files.values()], schema, _FORMAT)

    def scanner(
        self,
        *,
        columns: Sequence[str] | None = None,
        filter: pc.Expression | None = None,  # noqa: A002  so DuckDB calls it
        **_: Any,
    ) -> _Scanner:
        """What DuckDB calls for each scan."""
        files = [
            self._files[ds.get_partition_keys(each.partition_expression)[_MONTH]]
            for each in self.get_fragments(filter=filter)
        ]
        asked = self._asked(self.schema.names if columns is None else columns, filter)
        schema = pa.schema([self.schema.field(name) for name in asked.columns])
        return _Scanner(pa.RecordBatchReader.from_batches(schema, self._rows(asked, files)))

    def _asked(self, columns: Sequence[str], condition: pc.Expression | None) -> _Asked:
        # Arrow does not tell of which columns an expression is. A name too many does no harm.
        words = set(re.findall(r"\w+", str(condition))) if condition is not None else set()
        named = words.intersection(self.schema.names)
        if named == {_MONTH}:
            named, condition = set(), None
        return _Asked(tuple(columns), condition, frozenset(named), self.schema)

    def _rows(self, asked: _Asked, files: Sequence[_File]) -> Iterator[pa.RecordBatch]:
        for group in _fetched_ahead(self._groups(asked, files)):
            with self._blamed(group.file):
                yield from group.batches(asked)

    def _groups(self, asked: _Asked, files: Sequence[_File]) -> Iterator[_Group]:
        """The row groups that may hold rows."""
        for number, file in enumerate(files):
            for later in files[number : number + _TAILS_AHEAD]:
                later.tail  # noqa: B018  its fetching begins
            with self._blamed(file):
                groups = file.groups(asked)
            yield from groups

    @contextmanager
    def _blamed(self, file: _File) -> Iterator[None]:
        """Say which object cannot be read, unless its bytes did not come at all."""
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            self._ahead.failed(
                TargetError(
                    f"{self._ahead.store.uri(file.found.key)} cannot be read as a month's Parquet: "
                    f"{' '.join(str(error).split())[:200]}",
                    hint="`taxietl lake verify` tells what is wrong with the lake's objects.",
                )
            )
            raise


@dataclass(frozen=True)
class _Scanner:
    """As far as DuckDB needs one."""

    reader: pa.RecordBatchReader

    def to_reader(self) -> pa.RecordBatchReader:
        """The rows."""
        return self.reader


@dataclass
class _File:
    """One month's object."""

    ahead: Ahead
    found: StoredObject
    month: date

    @cached_property
    def tail(self) -> Piece:
        """Its end, where the footer is; under way from the first look at this."""
        size = self.found.size_bytes
        return self.ahead.fetch(self.found, max(0, size - _TAIL_BYTES), size)

    def opened(self, *pieces: Piece) -> ObjectFile:
        """The object as a file, of which these pieces are under way; no byte is read yet."""
        return ObjectFile(self.found, Pieces(self.ahead, self.found, pieces))

    def fragment(self, *pieces: Piece) -> Any:
        """The object as one of Arrow's data sets has it; no byte is read yet."""
        is_month = pc.field(_MONTH) == pa.scalar(self.month)
        return _FORMAT.make_fragment(self.opened(*pieces), partition_expression=is_month)

    def groups(self, asked: _Asked) -> list[_Group]:
        """The row groups in which the footer does not rule rows out."""
        whole = self.fragment(self.tail)
        metadata: pq.FileMetaData = whole.metadata
        # The least and the greatest that a footer tells know nothing of NaN.
        if asked.condition is not None and not asked.floats:
            whole = whole.subset(filter=asked.condition, schema=asked.schema)
        return [
            _Group(self, each.id, metadata, _ranges(metadata.row_group(each.id), asked.read))
            for each in whole.row_groups
        ]


@dataclass
class _Group:
    """One row group of a month."""

    file: _File
    number: int
    footer: pq.FileMetaData
    ranges: list[tuple[int, int]]
    pieces: tuple[Piece, ...] = ()

    @property
    def size_bytes(self) -> int:
        """Of what must be fetched."""
        return sum(end - start for start, end in self.ranges)

    def fetch(self) -> None:
        """Begin to."""
        self.pieces = tuple(
            self.file.ahead.fetch(self.file.found, at, min(end, at + _PIECE_BYTES))
            for start, end in self.ranges
            for at in range(start, end, _PIECE_BYTES)
        )

    def batches(self, asked: _Asked) -> Iterator[pa.RecordBatch]:
        """The rows that fulfil the condition."""
        for columns, rows in self._columns(asked.read):
            columns[_MONTH] = pa.repeat(pa.scalar(self.file.month), rows)
            for name in asked.read:  # a file may be of an earlier contract
                kind = asked.schema.field(name).type
                columns[name] = (
                    columns[name].cast(kind) if name in columns else pa.nulls(rows, kind)
                )
            batch = pa.RecordBatch.from_pydict({name: columns[name] for name in asked.columns})
            if asked.condition is not None:
                batch = batch.filter(_mask(columns, asked))
            if batch.num_rows:
                yield batch

    def _columns(self, read: Sequence[str]) -> Iterator[tuple[dict[str, pa.Array], int]]:
        """Those of the columns that the file has, some rows at a time."""
        # A data set's scanner decodes the row group as a whole before it gives the first rows.
        file = pq.ParquetFile(
            self.file.opened(*self.pieces),
            metadata=self.footer,
            pre_buffer=False,  # it is fetched ahead already
            page_checksum_verification=True,  # the bucket tells no checksum of a range
        )
        present = [name for name in read if name in file.schema_arrow.names]
        if present:
            for batch in file.iter_batches(_BATCH_ROWS, row_groups=[self.number], columns=present):
                yield dict(zip(batch.schema.names, batch.columns, strict=True)), batch.num_rows
        else:
            rows = self.footer.row_group(self.number).num_rows
            for start in range(0, rows, _BATCH_ROWS):
                yield {}, min(_BATCH_ROWS, rows - start)


def _mask(columns: Mapping[str, pa.Array], asked: _Asked) -> pa.Array:
    """Which rows fulfil the condition as DuckDB means it, to which NaN is greater than all else.

    But for `> 'inf'` under DuckDB 1.5: what names NaN or infinity itself, Arrow compares its way.
    """
    compared = dict(columns)
    if not re.search("nan|inf", str(asked.condition)):
        greatest = pa.scalar(math.inf)
        for name in asked.floats:
            compared[name] = pc.if_else(pc.is_nan(columns[name]), greatest, columns[name])
    table = ds.InMemoryDataset(pa.table(compared))
    return table.to_table(columns={"": asked.condition}, use_threads=False)[0].combine_chunks()


def _ranges(group: pq.RowGroupMetaData, columns: Iterable[str]) -> list[tuple[int, int]]:
    """From where to where these columns lie; what is nearly side by side is one."""
    wanted, found = set(columns), []
    for number in range(group.num_columns):
        chunk = group.column(number)
        if chunk.path_in_schema in wanted:
            start = chunk.data_page_offset
            if chunk.dictionary_page_offset:
                start = min(start, chunk.dictionary_page_offset)
            found.append((start, start + chunk.total_compressed_size))
    joined: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if joined and start - joined[-1][1] <= _GAP_BYTES:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _fetched_ahead(groups: Iterator[_Group]) -> Iterator[_Group]:
    """The row groups, as many of the next under way as there is room for."""
    waiting: deque[_Group] = deque()
    held, room = 0, _FIRST_BYTES
    for group in groups:
        while waiting and held + group.size_bytes > room:
            first = waiting.popleft()
            yield first
            held -= first.size_bytes
            room = min(2 * room, _MOST_BYTES)
        group.fetch()
        waiting.append(group)
        held += group.size_bytes
    while waiting:
        yield waiting.popleft()
