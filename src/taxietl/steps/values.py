"""The values that pass between steps: small, frozen, fit for JSON. Rows never travel in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from taxietl.tlc.trip_file import TripFile

NOTES_KEPT = 100_000
"""Rejected lines, and nulled cells, kept with their text; the counts go on beyond."""


@dataclass(frozen=True)
class SourceVersion:
    """The identity of a month's bytes, learnt without reading them."""

    trip_file: TripFile
    source: str
    """Where it comes from: `synthetic`, the name or address of a server, a lake, or the `file://`
    address of a folder or file."""

    url: str
    etag: str | None
    """What changes with the bytes: an HTTP ETag; of a local file its mtime and inode."""

    size_bytes: int | None

    last_modified: datetime | None = field(default=None, compare=False)
    """When the source says it was written. No part of the identity: copies of the same bytes
    differ in it."""

    warnings: tuple[str, ...] = field(default=(), compare=False)
    """What whoever asked for the month should know of its file before it is read."""

    @property
    def key(self) -> str | None:
        """A digest that tells versions apart; None if nothing says when the bytes change."""
        if self.etag is None:
            return None
        parts = [str(self.trip_file), self.source, self.url, self.etag, self.size_bytes]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def at_hand(self) -> bool:
        """Whether the bytes can be read without a transfer, so that a SHA-256 is cheap."""
        return "://" not in self.url or self.url.startswith("file:")


@dataclass(frozen=True)
class SourceFile:
    """The bytes of a version, lying on this machine."""

    version: SourceVersion
    path: Path
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Note:
    """A line that is not a trip (`row`), a cell that could not be read (`value`), or something
    that was loaded and should be looked at (`note`)."""

    kind: str
    line: int
    """Line of the CSV, the header's being 1; of a Parquet file the row, from 1."""

    column: str | None
    reason: str
    raw: str


@dataclass(frozen=True)
class Pickups:
    """In which months a file's trips begin."""

    counted: int = 0
    """All that could be read."""

    outside: Mapping[str, int] = field(default_factory=dict)
    """Those outside the file's month, by their own, `2021-01`, most first."""

    @property
    def are_mostly_outside(self) -> bool:
        """Whether the file can hardly be its month's; every real month has some trips outside."""
        return 2 * sum(self.outside.values()) > self.counted

    def __str__(self) -> str:
        """How many lie outside, and where most of them do."""
        month, most = next(iter(self.outside.items()), ("", 0))
        total = sum(self.outside.values())
        if 2 * most > self.counted:
            return f"{most:,} of {self.counted:,} pick-ups in {month}"
        return f"{total:,} of {self.counted:,} pick-ups outside the month, most in {month}"


@dataclass(frozen=True)
class Remark:
    """What was loaded and should be looked at: completed times, a line that may be cut."""

    line: int
    """Of the first such, as in `Note`."""

    column: str | None
    """None where it is about the whole line."""

    what: str
    """In words that follow on `has`."""

    raw: str
    count: int = 1

    @property
    def sentence(self) -> str:
        """What is to be said of the file, which its name goes before."""
        if self.column is None:
            return f"has {self.what} (line {self.line}: {self.raw[:80]!r})"
        first = f"the first in line {self.line}: {self.raw[:80]!r}"
        return f"has {self.what}, in {self.column}: {self.count:,} ({first})"

    @property
    def note(self) -> Note:
        """As it stands beside the rejects."""
        counted = self.what if self.column is None else f"{self.what}: {self.count:,}"
        return Note("note", self.line, self.column, counted, self.raw)


@dataclass(frozen=True)
class Tally:
    """What a transformed month was counted to be, once its last batch was pulled."""

    era: str
    rows_read: int
    """Rows taken out of the file, the rejected lines included."""

    rows_counted: int
    """The same, counted on another way: the Parquet footer's word, or the CSV's data lines."""

    rows_rejected: int = 0
    rows_dropped: Mapping[str, int] = field(default_factory=dict)
    """By transformer."""

    values_nulled: Mapping[str, int] = field(default_factory=dict)
    """By column."""

    new_columns: Mapping[str, str] = field(default_factory=dict)
    """The file's columns outside the contract, and the SQL type they are added with."""

    ignored_columns: tuple[str, ...] = ()
    """The file's columns outside the contract that were left out, as was asked for."""

    absent_columns: tuple[str, ...] = ()
    """Contract columns that other files of that month have, and this one has not."""

    missing_passenger_count: tuple[int, int] | None = None
    """Rows whose passenger_count is 0, before and after the transformers."""

    pickups: Pickups = Pickups()
    """Of all rows read, those that a transformer drops included."""

    notes: tuple[Note, ...] = ()
    remarks: tuple[Remark, ...] = ()

    @property
    def recorded_notes(self) -> tuple[Note, ...]:
        """The notes, and the remarks among them."""
        return (*self.notes, *(each.note for each in self.remarks))

    def warnings(self, file: str) -> tuple[str, ...]:
        """What whoever reads the month's summary should know, in sentences about that file."""
        nulled = (f"{count:,} of {name}" for name, count in self.values_nulled.items())
        elsewhere = (str(self.pickups),) if self.pickups.are_mostly_outside else ()
        said = {
            "has {}": elsewhere,
            "has no {}, which other files of that month have: null": self.absent_columns,
            "has columns that no era knows, added as text: {}": self.new_columns,
            "has columns that no era knows, left out: {}": self.ignored_columns,
            "has cells that could not be read, now null: {}": tuple(nulled),
        }
        listed = (
            f"{file} {sentence.format(', '.join(names))}"
            for sentence, names in said.items()
            if names
        )
        return (*listed, *(f"{file} {each.sentence}" for each in self.remarks))


@dataclass(frozen=True)
class Transform:
    """A transformer as the ledger names it: two loads are alike only if these are."""

    name: str
    version: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LoadRequest:
    """What is to be loaded, and under which conditions."""

    version: SourceVersion
    table: str
    transforms: tuple[Transform, ...]
    max_rejects: int
    max_shrink: float
    """The share of rows, 0 to 1, that a replaced month may lose."""

    force: bool
    run_id: str
    run_name: str
    connections: int = 1
    """Over how many the rows are sent; more than one only to a loader that takes them."""

    @property
    def trip_file(self) -> TripFile:
        """The month."""
        return self.version.trip_file


@dataclass(frozen=True)
class ColumnStats:
    """One column of a loaded month, counted by DuckDB, or on the way to PostgreSQL."""

    nulls: int
    sum: int | None
    """Of money in cents, of miles and degrees in millionths, of times in seconds since 1970,
    of other numbers as they are; None for text. Whole numbers, so that the order of adding them
    up does not matter."""


@dataclass(frozen=True)
class Previous:
    """The load that this one replaced."""

    load_id: str
    source: str
    source_sha256: str
    rows_read: int
    rows_loaded: int
    loaded_at: datetime
    run_name: str


@dataclass(frozen=True)
class LoadReport:
    """What was done with a month; written to the ledger, kept in the history, printed."""

    action: str
    """`loaded`, `replaced` or `nothing to do`."""

    reason: str
    load_id: str
    trip_file: TripFile
    target: str
    """The warehouse, without credentials."""

    table: str
    source: str
    source_url: str
    source_etag: str | None
    source_bytes: int | None
    source_sha256: str
    era: str
    contract_version: str
    rows_read: int
    rows_loaded: int
    rows_dropped: Mapping[str, int]
    rows_rejected: int
    values_nulled: Mapping[str, int]
    column_stats: Mapping[str, ColumnStats]
    transforms: tuple[Transform, ...]
    new_columns: tuple[str, ...]
    run_id: str
    run_name: str
    taxietl_version: str
    loaded_at: datetime
    replaced: Previous | None = None
    warnings: tuple[str, ...] = ()
    """Of this run; the ledger keeps what they are about, not the sentences."""

    @property
    def counts(self) -> dict[str, int]:
        """What became of the file's rows."""
        return {
            "read": self.rows_read,
            "loaded": self.rows_loaded,
            "dropped": sum(self.rows_dropped.values()),
            "rejected": self.rows_rejected,
        }


@dataclass(frozen=True)
class Entry:
    """A month's current row in the ledger, beside what the table really holds."""

    report: LoadReport
    rows_present: int | None
    """Rows of the month in the table now; None when there is no table."""
