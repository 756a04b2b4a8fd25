"""What a reader of trip files hands on: a block of rows as published, knowing its lines."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from taxietl.steps.values import Note, Remark
from taxietl.tlc.layouts import Layout
from taxietl.transform.casting import decoded

if TYPE_CHECKING:
    import pyarrow as pa

RAW_KEPT = 4096
"""Characters kept of a line or cell that could not be read."""


@dataclass(frozen=True)
class Block:
    """Some rows of a file under the file's own column names, typed or still text."""

    batch: pa.RecordBatch
    first_line: int
    """Line of the first row, where every line is a row."""

    lines: list[int] | None = None
    """Line of each row, where blank or rejected lines lie between them."""

    rejects: tuple[Note, ...] = ()
    """Lines that could not be taken apart."""

    text: bytes | None = None
    """Of a CSV, the lines from `first_line` on, where one of its rows may not be a trip."""

    published: pa.RecordBatch | None = None
    """The batch as it stands in the file, where its times were rewritten."""

    def line_of(self, row: int) -> int:
        """The file's line that became that row."""
        return self.lines[row] if self.lines is not None else self.first_line + row

    def cell(self, name: str, row: int) -> str:
        """That row's cell as published, as it is kept."""
        return raw_text(shown(self._as_published.column(name)[row]) or "")

    def cells_of(self, row: int) -> list[str]:
        """That row's cells as published; nothing for one that holds nothing."""
        cells = (shown(each[row]) for each in self._as_published.columns)
        return ["" if cell is None else cell for cell in cells]

    def raw_of(self, row: int) -> str:
        """The file's line that became that row; of Parquet, its cells."""
        if self.text is None:
            return raw_text(",".join(self.cells_of(row)))
        return raw_text(decoded(self._split[self.line_of(row) - self.first_line].rstrip(b"\r")))

    @property
    def _as_published(self) -> pa.RecordBatch:
        return self.batch if self.published is None else self.published

    @cached_property
    def _split(self) -> list[bytes]:
        return (self.text or b"").split(b"\n")


class TripReader(Protocol):
    """A file being read once, block by block, in bounded memory."""

    layout: Layout
    rows_counted: int
    """Rows of the file, counted on another way than by adding up the blocks; final at the end."""

    remarks: tuple[Remark, ...]
    """What is to be said of the file as such; final at the end."""

    def blocks(self) -> Generator[Block, None, None]:
        """Read the file, once, and close it.

        Raises:
            CorruptFileError: it cannot be read to its end.
        """
        ...

    def close(self) -> None:
        """Let go of the file, whether or not its blocks were asked for."""
        ...


def shown(value: Any) -> str | None:
    """A cell of an Arrow array as text; None if there is nothing in it."""
    try:
        plain = value.as_py()
    except (OverflowError, ValueError):  # a time that Python has no value for
        plain = value.value
    return None if plain is None else str(plain)


def raw_text(published: str) -> str:
    """What is kept of text that could not be read: cut, and fit for any database.

    PostgreSQL's text can hold every character but NUL, which fills the holes of damaged files.
    """
    return published[:RAW_KEPT].replace("\x00", "\N{REPLACEMENT CHARACTER}")
