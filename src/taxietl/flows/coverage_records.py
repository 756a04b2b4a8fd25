"""What a warehouse, a lake or the history tells of months, before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from taxietl.steps.values import SourceVersion
from taxietl.tlc.trip_file import TripFile


@dataclass(frozen=True)
class Record:
    """What a ledger, a manifest or the history says was loaded last of a month."""

    trip_file: TripFile
    table: str
    """As the ledger has it; of a lake the form, `parquet` or `raw`."""

    rows: int | None
    """None of published bytes, which are not opened."""

    loaded_at: datetime
    run_name: str
    source: str
    source_url: str
    source_etag: str | None
    source_bytes: int | None
    source_sha256: str
    dropped_at: datetime | None = None
    """When it was taken out again."""

    problem: str = ""
    """What is wrong with what lies there."""

    @property
    def version(self) -> SourceVersion:
        """The source's version that it was loaded from."""
        return SourceVersion(
            self.trip_file, self.source, self.source_url, self.source_etag, self.source_bytes
        )


class Ending(StrEnum):
    """What became of a month's last run, as far as it matters to what is there."""

    DONE = "done"
    """Or cancelled, which is somebody's wish."""

    UNDER_WAY = "under way"
    FAILED = "failed"
    REFUSED = "refused"
    NOT_PUBLISHED = "not published"


@dataclass(frozen=True)
class LastRun:
    """The run of a month that began last."""

    trip_file: TripFile
    table: str
    ending: Ending
    began_at: datetime
    run_name: str
    message: str
    """Why it failed."""


@dataclass(frozen=True)
class Reading:
    """What was read of one profile, and where."""

    profile: str
    target: str
    """In words, without credentials."""

    read_from: str
    """`ledger`, `manifests` of a lake, or `history`: then the ledger could not be had."""

    usual_tables: Mapping[str, str]
    """Of each colour, the table that its months go to unless told otherwise."""

    records: tuple[Record, ...]
    last_runs: tuple[LastRun, ...]
    held_by: str = ""
    """Who has the warehouse, where its ledger could not be had."""

    warnings: tuple[str, ...] = ()
