"""Read a published CSV, plain or gzipped, in blocks of lines.

A row is a line. Each block is parsed by Arrow with the contract's types, several at once and in
order. A block that Arrow refuses (a number that is none, a row of another length) is taken apart
line by line as text; what still cannot be is a reject with its line number. So dirt costs time
only where it lies, and nothing is sniffed.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa  # noqa: TID253  imported only where files are read
import pyarrow.csv as pacsv  # noqa: TID253

from taxietl.errors import CorruptFileError
from taxietl.steps.values import Note
from taxietl.tlc.arrow import arrow_type
from taxietl.tlc.codes import NUMBERS
from taxietl.tlc.datasets import Kind
from taxietl.tlc.eras import match
from taxietl.tlc.trip_file import TripFile
from taxietl.transform.ahead import in_order
from taxietl.transform.blocks import Block
from taxietl.transform.opening import open_lines

BLOCK_BYTES = 4 << 20
_LONGEST_LINE = 64 << 20
RAW_KEPT = 4096
"""Characters kept of a line or cell that could not be read."""

_MISSING = ["", r"\N"]
# A whole code is written as 1, or as 1.0 once pandas has had it.
_WHOLE = (Kind.CODE, Kind.COUNT, Kind.SECONDS)


@dataclass(frozen=True)
class _Lines:
    """Whole lines of the file's data."""

    data: bytes
    first_line: int
    rows: int
    """Lines that are not blank."""


class CsvReader:
    """One CSV being read once; see `blocks.TripReader`."""

    def __init__(self, path: Path, form: str, trip_file: TripFile) -> None:
        self._path = path
        self.rows_counted = 0
        self._stream = open_lines(path, form)
        try:
            self._start(trip_file)
        except BaseException:
            self._stream.close()
            raise

    def _start(self, trip_file: TripFile) -> None:
        """Read the first block: the header's names and the number of fields of a row."""
        self._chunks = self._whole_lines()
        first = next(self._chunks, b"")
        header, _, self._rest = first.partition(b"\n")
        self._names = _fields(_decoded(header).lstrip("\ufeff").rstrip("\r"))
        self.layout = match(self._names, trip_file)
        row = next((line for line in self._rest.split(b"\n", 20) if line.strip()), b"")
        fields = len(_fields(_decoded(row).rstrip("\r"))) if row else len(self._names)
        # Some files have more fields than names, the others being empty in every row.
        self._unnamed = [f"\x00{index}" for index in range(fields - len(self._names))]
        self._types = self._column_types(whole=pa.int32())
        self._types_after_pandas = self._column_types(whole=pa.float64())
        self._after_pandas = False

    def _column_types(self, *, whole: pa.DataType) -> dict[str, pa.DataType]:
        """The type to parse each of the file's columns with; null where nothing may stand."""
        kinds = {column.name: column.kind for column in self.layout.era.dataset.columns}
        types: dict[str, pa.DataType] = dict.fromkeys(self._unnamed, pa.null())
        types |= dict.fromkeys(self.layout.new_columns, pa.string())
        text_codes = self.layout.era.name in ("yellow 2009", "yellow 2010")
        for name, published in self.layout.columns.items():
            if kinds[name] not in _WHOLE:
                types[published] = arrow_type(kinds[name])
            else:
                types[published] = pa.string() if text_codes and name in NUMBERS else whole
        return types

    def __iter__(self) -> Iterator[Block]:
        with self._stream:
            yield from in_order(self._parsed, self._lines(), threads=2, depth=3)

    def _whole_lines(self) -> Iterator[bytes]:
        """The file's bytes, cut after line ends."""
        rest = b""
        while chunk := self._read():
            cut = chunk.rfind(b"\n") + 1
            if cut:
                yield rest + chunk[:cut]
                rest = chunk[cut:]
            else:
                rest += chunk
                if len(rest) > _LONGEST_LINE:
                    raise CorruptFileError(
                        f"{self._path} has no line end in {_LONGEST_LINE >> 20} MB.",
                        hint="It is no CSV; fetch it again.",
                    )
        if rest:
            yield rest

    def _read(self) -> bytes:
        try:
            return self._stream.read(BLOCK_BYTES)
        except (EOFError, zlib.error, OSError) as error:
            raise CorruptFileError(
                f"{self._path} cannot be unpacked to its end: {error}.", hint="Fetch it again."
            ) from error

    def _lines(self) -> Iterator[_Lines]:
        """The data's blocks with their place in the file, counting rows as it goes."""
        line = 2
        data = self._rest
        while True:
            if data:
                ends = data.count(b"\n") + (not data.endswith(b"\n"))
                rows = ends - _blank_lines(data)
                self.rows_counted += rows
                yield _Lines(data, line, rows)
                line += ends
            data = next(self._chunks, b"")
            if not data:
                return

    def _parsed(self, lines: _Lines) -> Block:
        """One block's rows: by Arrow, once more if codes look like 1.0, else line by line."""
        for types in (self._types, self._types_after_pandas):
            if types is self._types and self._after_pandas:
                continue
            batch = self._by_arrow(lines, types)
            if batch is not None:
                self._after_pandas = types is self._types_after_pandas
                blanks = None if _blank_lines(lines.data) == 0 else _row_lines(lines)
                return Block(batch, lines.first_line, blanks)
        return self._by_line(lines)

    def _by_arrow(self, lines: _Lines, types: dict[str, pa.DataType]) -> pa.RecordBatch | None:
        """The rows as Arrow parses them; None if it refuses, or sees other rows than lines."""
        if not lines.rows:
            return self._empty(types)
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
                    null_values=_MISSING,
                    strings_can_be_null=True,
                ),
            )
        except pa.ArrowInvalid:
            return None
        if table.num_rows != lines.rows:
            return None
        return table.drop_columns(self._unnamed).combine_chunks().to_batches()[0]

    def _empty(self, types: dict[str, pa.DataType]) -> pa.RecordBatch:
        fields = [(name, kind) for name, kind in types.items() if name not in self._unnamed]
        return pa.RecordBatch.from_pylist([], schema=pa.schema(fields))

    def _by_line(self, lines: _Lines) -> Block:
        """Take each line apart for itself; the values stay text."""
        numbers: list[int] = []
        rows: list[list[str | None]] = []
        rejects: list[Note] = []
        for number, raw in enumerate(lines.data.split(b"\n"), lines.first_line):
            line = _decoded(raw).rstrip("\r")
            if not line:
                continue
            fields, reason = self._taken_apart(line)
            if reason:
                rejects.append(Note("row", number, None, reason, line[:RAW_KEPT]))
            else:
                numbers.append(number)
                rows.append(fields)
        columns = list(zip(*rows, strict=True)) or [()] * len(self._names)
        wanted = [name for name in self._types if name not in self._unnamed]
        arrays = [pa.array(columns[self._names.index(name)], pa.string()) for name in wanted]
        batch = pa.RecordBatch.from_arrays(arrays, names=wanted)
        return Block(batch, lines.first_line, numbers, tuple(rejects))

    def _taken_apart(self, line: str) -> tuple[list[str | None], str]:
        """The line's named fields, or why it has none."""
        try:
            fields = _fields(line)
        except csv.Error as error:
            return [], f"quotes do not match: {error}"
        named, others = fields[: len(self._names)], fields[len(self._names) :]
        if len(named) < len(self._names):
            return [], f"{len(named)} fields instead of {len(self._names)}"
        if any(other.strip() for other in others):
            return [], f"{len(fields)} fields instead of {len(self._names)}"
        return [None if field in _MISSING else field for field in named], ""


def _fields(line: str) -> list[str]:
    """A line's fields; a quoted one may hold commas."""
    return next(csv.reader([line], strict=True), []) if '"' in line else line.split(",")


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _blank_lines(data: bytes) -> int:
    """How many of the lines are empty; cheap where, as nearly everywhere, none is."""
    if b"\n\n" in data or b"\n\r\n" in data or data.startswith((b"\n", b"\r\n")):
        return sum(1 for line in data.split(b"\n")[:-1] if line in (b"", b"\r"))
    return 0


def _row_lines(lines: _Lines) -> list[int]:
    numbered = enumerate(lines.data.split(b"\n"), lines.first_line)
    return [number for number, line in numbered if line not in (b"", b"\r")]
