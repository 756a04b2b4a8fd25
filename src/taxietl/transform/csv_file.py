"""Read a published CSV, plain or gzipped, in blocks of lines.

Each block is parsed by Arrow with the contract's types, several at once and in order. A block
that Arrow refuses (a number that is none, a row of another length) is taken apart line by line
as text; what still cannot be is a reject with its line number. So dirt costs time only where it
lies, and nothing is sniffed.
"""

from __future__ import annotations

import csv
import re
import zlib
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import cast

import pyarrow as pa  # noqa: TID253
import pyarrow.csv as pacsv  # noqa: TID253
from isal.igzip_lib import IsalError  # noqa: TID253

from taxietl.errors import ConfigError, CorruptFileError, SchemaError
from taxietl.steps.values import Note, Remark
from taxietl.tlc.arrow import arrow_type
from taxietl.tlc.blanks import trimmed
from taxietl.tlc.column_rules import AS_PUBLISHED, ColumnRules
from taxietl.tlc.datasets import Kind
from taxietl.tlc.layouts import match
from taxietl.tlc.trip_file import TripFile
from taxietl.transform.ahead import in_order
from taxietl.transform.blocks import RAW_KEPT, Block, raw_text
from taxietl.transform.casting import decoded
from taxietl.transform.csv_types import WHOLE, Types, is_exact, types_of
from taxietl.transform.header import CsvFile, check_first_line, explained, lines_end_in_cr, names_of
from taxietl.transform.lines import (
    MISSING,
    Lines,
    fields_of,
    is_blank,
    lines_of,
    means_one_thing,
)
from taxietl.transform.opening import open_lines

BLOCK_BYTES = 2 << 20
"""Twice as much is no faster and takes 40 MB more; half as much costs 0.1 s a million rows."""

_FIRST_BLOCK_BYTES = 256 << 10
"""The first is small, so that those who wait for rows can begin."""

_LONGEST_LINE = 64 << 20
_LONGEST_ROW = 1 << 20
"""A longer line is no trip; to take it apart might take any amount of memory."""

_BLANKS_LOOKED_AT = 4 << 20
_MOST_UNNAMED = 100
"""Fields without a name; the TLC's files have two."""

_ROWS_LOOKED_AT = 20
_CUT = "no line end after its last line, unlike the others: it may be cut"
# isal's stubs call its class of errors an instance.
_UNPACKING_ERRORS = (EOFError, OSError, zlib.error, cast(type[Exception], IsalError))

_TIME = arrow_type(Kind.TIME)
_ISO_DATE = re.compile(rb'[ "]*[0-9]{4}-[0-9]{2}-[0-9]{2}')


class CsvReader:
    """One CSV being read once; see `blocks.TripReader`.

    Blocks are of about `block_bytes`, cut at a line's end; smaller ones only serve tests.
    """

    def __init__(
        self,
        path: Path,
        form: str,
        trip_file: TripFile,
        rules: ColumnRules = AS_PUBLISHED,
        *,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        self._file = CsvFile(path, form)
        self._block_bytes = block_bytes
        self.rows_counted = 0
        self.remarks: tuple[Remark, ...] = ()
        self._stream = open_lines(path, form)
        try:
            self._chunks = self._whole_lines()
            header, self._rest = self._header_and_rest()
            check_first_line(header, self._rest, self._file)
            try:
                self._names = names_of(header, self._file)
                self.layout = match(self._names, trip_file, rules)
            except (SchemaError, ConfigError) as error:
                better = explained(error, header, self._rest, self._file)
                if better is error:  # which must not be its own cause: readers of it would circle
                    raise
                raise better from error
        except BaseException:
            self._stream.close()
            raise
        # Some files have more fields than names, the others being empty in every row.
        others = _usual_fields(self._rest) - len(self._names)
        self._unnamed = [f"\x00{index}" for index in range(others) if others <= _MOST_UNNAMED]
        # Codes may be written as 1.0, as pandas does, times without seconds or with nanoseconds.
        # What is parsed as text can be either, and takes longer.
        self._tries = [
            self._types_with(types_of(self.layout)),
            self._types_with(types_of(self.layout, but=WHOLE)),
            self._types_with(types_of(self.layout, but=(*WHOLE, Kind.TIME))),
        ]
        self._first_try = 0 if self._begins_with_iso_times() else len(self._tries) - 1

    def close(self) -> None:
        """Let go of the file, whether or not its blocks were asked for."""
        self._stream.close()

    def blocks(self) -> Generator[Block, None, None]:
        """Read the file, once, and close it."""
        with self._stream:
            yield from in_order(self._parsed, self._lines(), threads=2, depth=8)

    def _header_and_rest(self) -> tuple[bytes, bytes]:
        """The first line, and data from the second on with at least one row, if there is any."""
        header, _, rest = next(self._chunks, b"").partition(b"\n")
        while not rest.strip() and len(rest) < _BLANKS_LOOKED_AT:
            if not (more := next(self._chunks, b"")):
                break
            rest += more
        return header, rest

    def _begins_with_iso_times(self) -> bool:
        """Whether the first row's times are in ISO 8601, as nearly always."""
        line = next((each for each in self._rest.split(b"\n", 9) if not is_blank(each)), b"")
        fields = dict(zip(self._names, line[:_LONGEST_ROW].split(b","), strict=False))
        times = (fields.get(name, b"") for name, each in self._tries[0].items() if each == _TIME)
        return all(not each.strip(b' "') or _ISO_DATE.match(each) for each in times)

    def _types_with(self, named: Types) -> Types:
        """Nothing may stand in the fields without a name."""
        return named | dict.fromkeys(self._unnamed, pa.null())

    def _whole_lines(self) -> Iterator[bytes]:
        """The file's bytes, cut after line ends."""
        rest = b""
        size = min(_FIRST_BLOCK_BYTES, self._block_bytes)
        while chunk := self._read(size):
            size = min(2 * size, self._block_bytes)
            cut = chunk.rfind(b"\n") + 1
            if cut:
                yield rest + chunk[:cut]
                rest = chunk[cut:]
            else:
                rest += chunk
                if len(rest) > _LONGEST_LINE and b"\r" in rest.rstrip(b"\r"):
                    raise lines_end_in_cr(self._file)
                if len(rest) > _LONGEST_LINE:
                    raise CorruptFileError(
                        f"{self._file} has no line end in {_LONGEST_LINE >> 20} MB.",
                        hint="It is no CSV; fetch it again.",
                    )
        if rest:
            yield rest

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except _UNPACKING_ERRORS as error:
            raise CorruptFileError(
                f"{self._file} cannot be unpacked to its end: {error}.", hint="Fetch it again."
            ) from error

    def _lines(self) -> Iterator[Lines]:
        """The data's blocks with their place in the file, counting rows as it goes."""
        first_line = 2
        data = self._rest
        while data:
            lines = lines_of(data, first_line)
            self.rows_counted += lines.rows
            yield lines
            first_line += lines.count
            after = next(self._chunks, b"")
            last = b"" if after else data.rpartition(b"\n")[2]
            if not is_blank(last) and not last.endswith(b"\r"):
                self.remarks = (Remark(first_line - 1, None, _CUT, raw_text(decoded(last))),)
            data = after

    def _parsed(self, lines: Lines) -> Block:
        """One block's rows: by Arrow, with codes and times as text if need be; else line by line.

        Which is tried first changes nothing but the time it takes.
        """
        if lines.rows and lines.longest <= _LONGEST_ROW and means_one_thing(lines.data):
            # What one block had, the others have, too.
            for at in range(self._first_try, len(self._tries)):
                batch = self._by_arrow(lines, self._tries[at])
                if batch is not None:
                    self._first_try = at
                    return self._block(batch, lines)
        return self._by_line(lines)

    def _block(self, batch: pa.RecordBatch, lines: Lines) -> Block:
        started = batch.column(self.layout.columns[self.layout.era.dataset.started_at])
        # Lines are only asked for where a row may be no trip; to keep them all takes memory.
        is_text = pa.types.is_string(started.type)
        text = lines.data if started.null_count or is_text else None
        return Block(batch, lines.first_line, lines.numbers, text=text)

    def _by_arrow(self, lines: Lines, types: Types) -> pa.RecordBatch | None:
        """The rows as Arrow parses them; None if it refuses, or sees other rows than lines."""
        try:
            table = pacsv.read_csv(
                pa.BufferReader(lines.data),
                read_options=pacsv.ReadOptions(
                    column_names=self._names + self._unnamed,
                    block_size=len(lines.data) + 1,
                    use_threads=False,
                ),
                convert_options=pacsv.ConvertOptions(
                    column_types=types,
                    include_columns=list(types),
                    null_values=list(MISSING),
                    strings_can_be_null=True,
                ),
            )
        except pa.ArrowInvalid:
            return None
        if table.num_rows != lines.rows:
            return None
        batch = table.drop_columns(self._unnamed).combine_chunks().to_batches()[0]
        return batch if is_exact(batch, lines.data) else None

    def _by_line(self, lines: Lines) -> Block:
        """Take each line apart for itself; the values stay text."""
        numbers: list[int] = []
        rows: list[list[str | None]] = []
        rejects: list[Note] = []
        split = lines.data.split(b"\n") if lines.rows else []
        for number, raw in enumerate(split, lines.first_line):
            if is_blank(raw):
                continue
            line = decoded(raw.rstrip(b"\r") if len(raw) <= _LONGEST_ROW else raw[:RAW_KEPT])
            fields, reason = self._taken_apart(line)
            if len(raw) > _LONGEST_ROW:
                reason = f"{len(raw):,} bytes long: no trip is"
            if reason:
                rejects.append(Note("row", number, None, reason, raw_text(line)))
            else:
                numbers.append(number)
                rows.append(fields)
        columns = list(zip(*rows, strict=True)) or [()] * len(self._names)
        wanted = [name for name in self._tries[0] if name not in self._unnamed]
        arrays = [pa.array(columns[self._names.index(name)], pa.string()) for name in wanted]
        batch = pa.RecordBatch.from_arrays(arrays, names=wanted)
        return Block(batch, lines.first_line, numbers, tuple(rejects), lines.data)

    def _taken_apart(self, line: str) -> tuple[list[str | None], str]:
        """The line's named fields, or why it has none."""
        try:
            fields = fields_of(line)
        except csv.Error as error:
            return [], f"cannot be taken apart: {error}"
        named, others = fields[: len(self._names)], fields[len(self._names) :]
        if len(named) < len(self._names):
            return [], f"{len(named)} fields instead of {len(self._names)}"
        if len(others) > _MOST_UNNAMED or any(trimmed(each) not in MISSING for each in others):
            return [], f"{len(fields)} fields instead of {len(self._names)}"
        return [None if field in MISSING else field for field in named], ""


def _usual_fields(data: bytes) -> int:
    """How many fields most of the first rows have; 0 without rows."""
    counts: Counter[int] = Counter()
    for line in data.split(b"\n", _ROWS_LOOKED_AT)[:_ROWS_LOOKED_AT]:
        if len(line) <= _LONGEST_ROW and not is_blank(line):
            try:
                counts[len(fields_of(decoded(line.rstrip(b"\r"))))] += 1
            except csv.Error:
                continue
    return max(counts, key=lambda count: counts[count], default=0)
