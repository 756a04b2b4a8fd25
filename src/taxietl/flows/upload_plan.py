"""What is to be done with a month on its way to the lake."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taxietl.errors import RefusedLoadError
from taxietl.flows.defaults import with_defaults
from taxietl.flows.ingest import IngestOptions
from taxietl.flows.source import modified_at
from taxietl.load.lake.lake import Lake
from taxietl.load.lake.survey import other_month_of
from taxietl.load.lake.upload import Destination, decide_upload, destination, entry_of
from taxietl.load.lake.values import Form
from taxietl.steps import registry
from taxietl.steps.month_class import MonthClass
from taxietl.steps.plan import version_loaded
from taxietl.steps.values import SourceVersion, Transform
from taxietl.tlc.column_rules import NewColumns


@dataclass(frozen=True)
class UploadOptions:
    """What holds for every month of one `upload-gcs`."""

    source: str
    to: str = "lake"
    transforms: tuple[str, ...] = ()
    raw: bool = False
    keep_local: Path | None = None
    max_rejects: int = 0
    max_shrink: float = 0.05
    force: bool = False

    @classmethod
    def configured(cls, **given: Any) -> UploadOptions:
        """These, None for one that was not given: then it is as `[ingest]` has it."""
        return cls(**with_defaults(given, to="lake", transforms=()))

    @property
    def read_as(self) -> IngestOptions:
        """How the file is read: all months of a colour have the same columns in the lake."""
        return IngestOptions(self.source, transforms=self.transforms, new_columns=NewColumns.IGNORE)

    def recorded(self) -> tuple[Transform, ...]:
        """The rules, as the manifest has them."""
        return tuple(each for each, _ in registry.transformers(self.transforms))

    @property
    def form(self) -> Form:
        """What is to lie in the lake."""
        return Form.RAW if self.raw else Form.PARQUET


@dataclass(frozen=True)
class PlannedUpload:
    """What is to be done with a month, and what it may replace."""

    action: str
    reason: str
    version: SourceVersion
    goes_to: Destination
    month_class: MonthClass | None
    """None of a month whose object is gone, is somebody else's or was asked for by force."""

    healed: tuple[str, ...] = ()
    """Objects that their manifest lacked, and has now."""


def plan_upload(
    lake: Lake, version: SourceVersion, options: UploadOptions, sha256: str | None
) -> PlannedUpload:
    """Hold what the source has to what the lake holds; changes nothing.

    Args:
        sha256: of the bytes, where they are at hand; None before that.

    Raises:
        NotOursError: something else lies where the month goes.
        RefusedLoadError: the month came from another source, and has other bytes.
    """
    goes_to = destination(lake, version.trip_file, options.form, version.url)
    known = goes_to.standing.version
    plan = decide_upload(
        version,
        sha256,
        goes_to,
        transforms=options.recorded(),
        force=options.force,
        loaded_last_modified=modified_at(
            version_loaded(entry_of(known, version.trip_file).report), options.source
        )
        if known
        else None,
    )
    return PlannedUpload(plan.action, plan.reason, version, goes_to, plan.month_class)


def check_bytes(lake: Lake, planned: PlannedUpload, sha256: str, *, force: bool) -> None:
    """Refuse a file that the lake has as another month.

    Raises:
        RefusedLoadError: it has, and nobody said --force.
    """
    known, trip_file = planned.goes_to.standing.version, planned.version.trip_file
    if force or (known and known.facts.source_sha256 == sha256):
        return
    if month := other_month_of(lake, trip_file, sha256):
        raise RefusedLoadError(
            f"{trip_file}: these bytes are in the lake as {trip_file.color}-{month} already "
            f"(SHA-256 {sha256[:12]}).",
            hint="Check the file and the month asked for; --force uploads them as this month, too.",
        )
