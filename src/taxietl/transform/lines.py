"""Whole lines of a CSV: how many there are, which are blank, and whether Arrow sees the same ones.

A row is a line, and a line ends in LF or CRLF. Arrow also ends a line at a lone CR, or carries it
on inside quotes; a block for which that could matter must not be left to it.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

import numpy as np  # noqa: TID253  imported only where files are read
import pyarrow as pa  # noqa: TID253
import pyarrow.compute as pc  # noqa: TID253

from taxietl.transform.casting import decoded

MISSING = ("", r"\N")
"""How a CSV writes that there is no value: nothing, or as MySQL does."""

_LF, _CR = 10, 13
# What a line of nothing but blanks may begin with: those of ASCII, and the first bytes of a
# non-breaking space in Latin-1 and in UTF-8.
_BLANKS = np.zeros(256, np.bool_)
_BLANKS[list(b" \t\r\x0b\x0c\xa0\xc2")] = True
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_HEX = re.compile(rb"0[xX]")  # as a whole number, Arrow reads 0x1F as 31
# Fields without quotes, or wholly within them; a quote anywhere else is read in several ways.
_QUOTED_PLAINLY = r'\A(?:(?:[^",\n]*|"[^"\n]*"\r?)[,\n])*(?:[^",\n]*|"[^"\n]*")\z'


@dataclass(frozen=True)
class Lines:
    """Some whole lines of a file, one after the other."""

    data: bytes
    first_line: int
    """Line of the file, from 1, that `data` begins with."""

    count: int
    blank: tuple[int, ...]
    """Which of them, from 0, hold nothing."""

    longest: int = 0
    """Bytes of the longest of them."""

    @property
    def rows(self) -> int:
        """Lines that are not blank."""
        return self.count - len(self.blank)

    @property
    def numbers(self) -> list[int] | None:
        """Line of each row; None where every line is one."""
        if not self.blank:
            return None
        blank = set(self.blank)
        return [self.first_line + place for place in range(self.count) if place not in blank]


def lines_of(data: bytes, first_line: int) -> Lines:
    """Count lines and find the blank ones; the last line may lack its end."""
    octets = np.frombuffer(data, np.uint8)
    is_end = octets == _LF
    count = int(np.count_nonzero(is_end)) + (data[-1:] not in (b"\n", b""))
    if not data:
        return Lines(data, first_line, count, ())
    ends = np.flatnonzero(is_end)
    if not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    starts = np.concatenate(([0], ends[:-1] + 1))
    is_blank_line = starts == ends
    for each in np.flatnonzero(~is_blank_line & _BLANKS[octets[starts]]):
        is_blank_line[each] = is_blank(data[starts[each] : ends[each]])
    blank = tuple(np.flatnonzero(is_blank_line).tolist())
    return Lines(data, first_line, count, blank, int((ends - starts).max()))


def is_blank(line: bytes) -> bool:
    """Whether a line, without its LF, holds nothing, or blanks alone."""
    return not line.strip() or (line[:1] in b" \t\xa0\xc2" and not decoded(line).strip())


def means_one_thing(data: bytes) -> bool:
    """Whether Arrow takes the block for what it is line by line: no lone CR, stray quote, hex."""
    if data.startswith(_BYTE_ORDER_MARK):
        return False  # skipped by Arrow at the start of whatever it is given
    if b"\r" in data:
        octets = np.frombuffer(data, np.uint8)
        lone = (octets[:-1] == _CR) & (octets[1:] != _LF)
        if data.endswith(b"\r") or lone.any():
            return False
    if (b"x" in data or b"X" in data) and _HEX.search(data):
        return False
    if b'"' in data:
        plainly = pc.match_substring_regex(_one_value(data), _QUOTED_PLAINLY)
        return bool(plainly[0].as_py())
    return True


def _one_value(data: bytes) -> pa.Array:
    """The bytes as an Arrow array; `pa.array` would copy them, and load pandas first."""
    offsets = pa.py_buffer(np.array([0, len(data)], np.int32))
    return pa.Array.from_buffers(pa.binary(), 1, [None, offsets, pa.py_buffer(data)])


def fields_of(line: str) -> list[str]:
    """A line's fields; a quoted one may hold commas.

    Raises:
        csv.Error: a quote is left open, or something follows one that was closed.
    """
    return next(csv.reader([line], strict=True), []) if '"' in line else line.split(",")
