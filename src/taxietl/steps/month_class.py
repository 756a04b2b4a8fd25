"""What a source has of a month, held to what is loaded: unchanged, restated, new, withdrawn, ….

Pure: `sync` acts on it, `status --remote` shows it, and `plan.decide` begins with it.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from taxietl.steps.values import SourceVersion
from taxietl.tlc.sync_window import is_overdue
from taxietl.tlc.trip_file import TripFile


class MonthClass(StrEnum):
    """How the source's month compares with the loaded one."""

    UNCHANGED = "unchanged"
    TOUCHED = "touched"
    """Another version by its ETag, with the same bytes."""

    RESTATED = "restated"
    """Other bytes from the same source."""

    CHANGED = "changed"
    """Another version; only its bytes tell whether it is restated or touched."""

    OLDER = "older"
    """An older file than the one that is loaded: one of the source's servers is behind."""

    OTHER_SOURCE = "other source"
    """Loaded from another source, with which this one cannot be compared."""

    NEW = "new"
    """Published, and not loaded."""

    NOT_PUBLISHED = "not published"
    OVERDUE = "overdue"
    """Not published, and it should have been long ago."""

    WITHDRAWN = "withdrawn"
    """Loaded, and the source has it no more."""

    UNKNOWN = "unknown"
    """The source could not be asked."""


class Loaded(Protocol):
    """What a month was loaded from, as a ledger or a manifest tells."""

    @property
    def source(self) -> str:
        """Its name or address."""
        ...

    @property
    def source_url(self) -> str:
        """The file's."""
        ...

    @property
    def source_etag(self) -> str | None:
        """The version's, by the source."""
        ...

    @property
    def source_bytes(self) -> int | None:
        """The file's size."""
        ...

    @property
    def source_sha256(self) -> str:
        """Of the file's bytes."""
        ...


def class_of_published(
    version: SourceVersion,
    loaded: Loaded | None,
    *,
    sha256: str | None = None,
    loaded_last_modified: datetime | None = None,
) -> MonthClass:
    """The class of a month that the source has.

    Args:
        version: what the source has.
        loaded: the month's current row in the ledger; None if it is not loaded.
        sha256: of the version's bytes, if they are known: then they decide.
        loaded_last_modified: when the loaded version was written, if that is known.
    """
    if loaded is None:
        return MonthClass.NEW
    if version.source != loaded.source:
        return MonthClass.OTHER_SOURCE
    is_same_version = _is_same_version(version, loaded)
    if sha256 is not None and sha256 != loaded.source_sha256:
        return MonthClass.RESTATED
    if is_same_version:
        return MonthClass.UNCHANGED
    if sha256 is not None:
        return MonthClass.TOUCHED
    if _is_older(version, loaded_last_modified):
        return MonthClass.OLDER
    return MonthClass.CHANGED


def class_of_unpublished(trip_file: TripFile, *, is_loaded: bool, today: date) -> MonthClass:
    """The class of a month that the source has not."""
    if is_loaded:
        return MonthClass.WITHDRAWN
    return MonthClass.OVERDUE if is_overdue(trip_file, today) else MonthClass.NOT_PUBLISHED


def _is_same_version(version: SourceVersion, loaded: Loaded) -> bool:
    """Whether the source says that nothing changed; a size it does not know is no difference."""
    return (
        version.etag is not None
        and (version.url, version.etag) == (loaded.source_url, loaded.source_etag)
        and version.size_bytes in (None, loaded.source_bytes)
    )


def _is_older(version: SourceVersion, loaded_last_modified: datetime | None) -> bool:
    """Whether the source shows what it had before: one of its servers is behind the others."""
    if version.last_modified is None or loaded_last_modified is None:
        return False
    return version.last_modified < loaded_last_modified
