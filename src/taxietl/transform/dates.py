"""Times that are written in another order than ISO 8601, rewritten in it where they are exact.

`2017/04/01 9:05` says which part is which, as its year has four digits and comes first. With the
year last, only the file can tell whether the day or the month comes first: one time with a part
above 12 shows it for all of them. So at the first such time the file is read from its beginning
until one shows it; a file that has none of them pays nothing. One that contradicts the others
refuses the file, and where nothing shows the order, the times stay as they are: unreadable.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np  # noqa: TID253  imported only where batches are handled
import pyarrow as pa  # noqa: TID253
import pyarrow.compute as pc  # noqa: TID253
from numpy.typing import NDArray  # noqa: TID253

from taxietl.errors import SchemaError
from taxietl.tlc.blanks import BLANKS
from taxietl.tlc.datasets import Kind
from taxietl.tlc.layouts import Layout
from taxietl.transform.blocks import Block, TripReader
from taxietl.transform.casting import plain
from taxietl.transform.texts import trimmed_texts

_log = logging.getLogger("taxietl.transform")

_ISO = r"^[ \t]*\d{4}-\d\d-\d\d([ T]\d\d(:\d\d(:\d\d(\.\d*)?)?)?)?[ \t]*$"
_OTHER = (
    r"^(?P<a>\d{1,4})(?P<by>[-/.])(?P<b>\d{1,2})(?P<by_again>[-/.])(?P<c>\d{1,4})"
    rf"(?:(?:T|,?[{BLANKS}]+)(?P<hour>\d{{1,2}}):(?P<minute>\d{{1,2}})"
    rf"(?::(?P<second>\d{{1,2}})(?P<part>\.\d{{1,9}})?)?"
    rf"(?:[{BLANKS}]?(?P<half>[AaPp])\.?[Mm]\.?)?)?$"
)
_DAYS = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_LARGEST_MONTH = 12

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class _Found:
    """The texts of one array that may be dates of another order, in their parts."""

    places: Ints
    """Where in the array they stand."""

    parts: pa.StructArray

    def text(self, name: str) -> pa.Array:
        return self.parts.field(name)

    def number(self, name: str) -> Ints:
        """The part as a number; -1 where it is not there."""
        text = self.text(name)
        digits = pc.if_else(pc.equal(text, ""), "-1", text)
        return np.asarray(pc.cast(digits, pa.int64()), np.int64)

    def digits(self, name: str) -> Ints:
        return np.asarray(pc.binary_length(self.text(name)), np.int64)

    def date(self, at: int) -> str:
        """One of the dates as published."""
        return "".join(self.text(each)[at].as_py() for each in ("a", "by", "b", "by_again", "c"))

    @property
    def year_first(self) -> Bools:
        """Whether the date begins with a year of four digits."""
        return self._with_digits(self.digits("a") == 4, self.digits("c") <= 2)

    @property
    def year_last(self) -> Bools:
        """Whether it ends with one, and begins with the day or the month."""
        return self._with_digits(self.digits("a") <= 2, self.digits("c") == 4)

    def _with_digits(self, *conditions: Bools) -> Bools:
        alike = np.asarray(pc.equal(self.text("by"), self.text("by_again")), np.bool_)
        return np.asarray(np.logical_and.reduce([alike, *conditions]), np.bool_)


class DateOrder:
    """Which part of a file's dates is the day, asked of the file when it first matters.

    Args:
        name: of the file, for messages.
        reopen: opens it once more.
    """

    def __init__(self, name: str, reopen: Callable[[], TripReader]) -> None:
        self._name, self._reopen = name, reopen
        self._is_known = False
        self._day_first: bool | None = None

    @property
    def day_first(self) -> bool | None:
        """Whether the day comes first; None if nothing in the file shows it."""
        if not self._is_known:
            self._day_first = self._shown_by_the_file()
            self._is_known = True
        return self._day_first

    def in_iso(self, block: Block, layout: Layout) -> Block:
        """The block, its times in ISO 8601 where they are exact, else as published.

        Raises:
            SchemaError: one time shows that the day comes first, another that the month does.
        """
        batch = block.batch
        for name, texts in _times(block, layout):
            if (found := _found(texts)) is None:
                continue
            if (iso := self._rewritten(found, block)) is not None:
                at = batch.schema.get_field_index(name)
                batch = batch.set_column(at, name, _put(texts, found.places, iso))
        if batch is block.batch:
            return block
        return replace(block, batch=batch, published=block.batch)

    def _rewritten(self, found: _Found, block: Block) -> pa.Array | None:
        """Each of the times in ISO 8601, null where it is none; None if none of them is."""
        a, b, c = (found.number(each) for each in "abc")
        year_first, year_last = found.year_first, found.year_last
        day_first = self.day_first if year_last.any() else None
        if day_first is None:
            year_last = np.zeros_like(year_last)
        elif (contrary := _shows(found, day_first=not day_first)).any():
            raise self._both_orders(found, int(np.flatnonzero(contrary)[0]), block)
        year = np.where(year_first, a, c)
        month = np.where(year_first, b, b if day_first else a)
        day = np.where(year_first, c, a if day_first else b)
        valid = (year_first | year_last) & _is_day(year, month, day)
        times, is_time = _times_of_day(found)
        valid &= is_time
        if not valid.any():
            return None
        iso = pc.binary_join_element_wise(_padded(year, 4), _padded(month, 2), _padded(day, 2), "-")
        return pc.if_else(pa.array(valid), pc.binary_join_element_wise(iso, times, ""), None)

    def _both_orders(self, found: _Found, at: int, block: Block) -> SchemaError:
        line = block.line_of(int(found.places[at]))
        one, other = ("day", "month") if self.day_first else ("month", "day")
        return SchemaError(
            f"The dates of {self._name} are in two orders: one begins with its {one}, and "
            f"{found.date(at)} in line {line} with its {other}.",
            hint="What the others begin with cannot be told. Write them all as 2020-12-31 "
            "23:59:00 first.",
        )

    def _shown_by_the_file(self) -> bool | None:
        """Read the file from its beginning until one time shows the order."""
        reader = self._reopen()
        blocks = reader.blocks()
        try:
            for block in blocks:
                for _, texts in _times(block, reader.layout):
                    found = _found(texts)
                    if found is None:
                        continue
                    for day_first in (True, False):
                        shows = np.flatnonzero(_shows(found, day_first=day_first))
                        if len(shows):
                            row = int(found.places[shows[0]])
                            _log.info(
                                "%s: dates are read as %s, as %s in line %s shows",
                                self._name,
                                "day, month, year" if day_first else "month, day, year",
                                texts[row],
                                block.line_of(row),
                            )
                            return day_first
        finally:
            blocks.close()
            reader.close()
        return None


def _times(block: Block, layout: Layout) -> Iterator[tuple[str, pa.Array]]:
    """The block's columns of times that are text, by the file's names for them."""
    for column in layout.era.dataset.columns:
        name = layout.columns.get(column.name)
        if column.kind is Kind.TIME and name is not None:
            published = plain(block.batch.column(name))
            if pa.types.is_string(published.type):
                yield name, published


def _found(texts: pa.Array) -> _Found | None:
    """Those that are in no form of ISO 8601, taken apart; None if there are none."""
    if _looks_iso(texts):
        return None
    others = pc.invert(pc.match_substring_regex(texts, _ISO))
    places = pc.indices_nonzero(pc.fill_null(others, False))
    parts = pc.extract_regex(trimmed_texts(texts.take(places)), _OTHER)
    if parts.null_count:
        known = pc.is_valid(parts)
        places, parts = places.filter(known), parts.filter(known)
    return _Found(places.to_numpy(zero_copy_only=False), parts) if len(parts) else None


def _looks_iso(texts: pa.Array) -> bool:
    """Whether all are like 2021-01-31 10:00:00, by their length and signs; quick, as nearly all."""
    _, offsets, data = texts.buffers()
    if data is None or not len(texts):
        return True
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    if not (np.diff(ends) == _ISO_LENGTH).all():
        return False
    octets = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]].reshape(-1, _ISO_LENGTH)
    is_iso = (octets[:, _DASHES] == ord("-")).all() and (octets[:, _COLONS] == ord(":")).all()
    return bool(is_iso)


_ISO_LENGTH, _DASHES, _COLONS = len("2021-01-31 10:00:00"), [4, 7], [13, 16]


def _shows(found: _Found, *, day_first: bool) -> Bools:
    """Where the one part can only be a day, and the other be a month."""
    a, b = found.number("a"), found.number("b")
    day, month = (a, b) if day_first else (b, a)
    shows = found.year_last & (day > _LARGEST_MONTH) & _is_day(found.number("c"), month, day)
    return np.asarray(shows, np.bool_)


def _is_day(year: Ints, month: Ints, day: Ints) -> Bools:
    real = (month >= 1) & (month <= _LARGEST_MONTH)
    is_leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days = _DAYS[np.where(real, month, 0)] - ((month == 2) & ~is_leap)
    return np.asarray(real & (year >= 1) & (day >= 1) & (day <= days), np.bool_)


def _times_of_day(found: _Found) -> tuple[pa.Array, Bools]:
    """What follows the date as ` HH:MM:SS.f`, as far as it goes, and whether it is a time."""
    hour, minute, second = (found.number(each) for each in ("hour", "minute", "second"))
    half = np.asarray(pc.utf8_lower(found.text("half")).to_numpy(zero_copy_only=False), np.str_)
    is_halved = half != ""
    valid = np.where(is_halved, (hour >= 1) & (hour <= 12), hour < 24)
    valid &= (minute < 60) & (second < 60)
    hour = np.where(is_halved & (hour > 0), hour % 12 + 12 * (half == "p"), hour)
    none = pa.scalar("")
    texts = pc.binary_join_element_wise(
        pc.if_else(
            pa.array(hour < 0), none, pc.binary_join_element_wise("", _padded(hour, 2), " ")
        ),
        pc.if_else(
            pa.array(minute < 0), none, pc.binary_join_element_wise("", _padded(minute, 2), ":")
        ),
        pc.if_else(
            pa.array(second < 0), none, pc.binary_join_element_wise("", _padded(second, 2), ":")
        ),
        found.text("part"),
        "",
    )
    return texts, valid


def _padded(numbers: Ints, width: int) -> pa.Array:
    return pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), width, "0")


def _put(texts: pa.Array, places: Ints, instead: pa.Array) -> pa.Array:
    """The texts with others at those places, where the others are not null."""
    mask = np.zeros(len(texts), np.bool_)
    mask[places] = True
    kept = pc.coalesce(instead, texts.take(pa.array(places)))
    return pc.replace_with_mask(texts, pa.array(mask), kept)
