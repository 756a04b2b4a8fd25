"""Bring months of trips into the lake: probe, plan, extract, write Parquet, upload, record."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from taxietl.config import LakeProfile, settings
from taxietl.errors import ConfigError
from taxietl.flows.data_events import (
    Loaded,
    attach_rejects,
    attach_restated,
    refusals_attached,
)
from taxietl.flows.ingest import transform
from taxietl.flows.lake import healed, open_lake
from taxietl.flows.months import SIDE_BY_SIDE, MonthResult, Workers, each_month
from taxietl.flows.progress import Doing, told
from taxietl.flows.source import check_source, digest, extract, probe
from taxietl.flows.staging import Staged, copy, write
from taxietl.flows.upload_plan import PlannedUpload, UploadOptions, check_bytes, plan_upload
from taxietl.flows.warned import warned
from taxietl.load.lake.folder import local_path
from taxietl.load.lake.manifest import manifest_key
from taxietl.load.lake.values import Version
from taxietl.orchestrator import current_cancellation, flow, get_run_logger, task
from taxietl.steps import registry
from taxietl.steps.values import SourceVersion
from taxietl.tlc.trip_file import TripFile

_writing = threading.Lock()
_LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class UploadReport:
    """What was done with a month."""

    action: str
    """`uploaded`, `replaced` or `nothing to do`."""

    reason: str
    trip_file: TripFile
    uri: str
    link: str | None
    manifest: str
    version: Version
    replaced_generation: int | None
    kept_at: Path | None
    is_healed: bool
    """The manifest lacked the object that was there, and has it now."""

    warnings: tuple[str, ...] = ()


@task(persist_result=False, tags={"gcs"})
def compare(
    version: SourceVersion, options: UploadOptions, sha256: str | None = None
) -> PlannedUpload:
    """Hold what the source has to what the lake holds; heals a manifest that lacks its object."""
    lake = open_lake(options.to)
    planned = plan_upload(lake, version, options, sha256)
    for each in planned.goes_to.lacking:
        lake.record(each)
        get_run_logger().warning("%s", healed(each.facts.key))
    return replace(planned, healed=tuple(each.facts.key for each in planned.goes_to.lacking))


@task(persist_result=False, tags={"gcs"})
def compare_months(planned: PlannedUpload, sha256: str, options: UploadOptions) -> None:
    """Refuse a file that the lake has as another month."""
    check_bytes(open_lake(options.to), planned, sha256, force=options.force)


@task(persist_result=False, tags={"gcs"})
def upload(staged: Staged, planned: PlannedUpload, options: UploadOptions) -> Version:
    """Make the file the month's object, in the place of what was there when it was planned."""
    with told(planned.version.trip_file, Doing.UPLOADING) as progress:
        return open_lake(options.to).put(
            staged.path,
            staged.facts,
            if_generation=planned.goes_to.generation,
            cancellation=current_cancellation(),
            progress=progress,
        )


@task(persist_result=False, tags={"gcs"})
def record(version: Version, options: UploadOptions) -> None:
    """Add what was uploaded to the month's manifest."""
    open_lake(options.to).record(version)


@flow(name="Upload to the lake", run_name="{trip_file}")
def upload_month(
    trip_file: TripFile, options: UploadOptions, version: SourceVersion | None = None
) -> UploadReport:
    """Bring one month into the lake; a second run uploads nothing.

    Args:
        trip_file: the month.
        options: from where to where, and how.
        version: what the source has, if it was asked a moment ago.
    """
    version = version or probe(trip_file, options.source)
    with warned(lambda: version.warnings):
        return _uploaded(version, options)


def _uploaded(version: SourceVersion, options: UploadOptions) -> UploadReport:
    """The rest of that flow, its version known."""
    log, trip_file = get_run_logger(), version.trip_file
    planned = compare(version, options)
    if planned.action == "compare" and version.key is not None:
        planned = _once_more(planned, options, digest(version, options.source))
    if planned.action != "nothing":
        file = replace(extract(version, options.source), version=version)
        if planned.action == "compare":
            planned = _once_more(planned, options, file.sha256)
        if planned.action != "nothing":
            compare_months(planned, file.sha256, options)
    log.info("%s: %s", trip_file, planned.reason)
    known = planned.goes_to.standing.version
    if planned.action == "nothing" and known:
        return _report(planned, known, options)
    if options.raw:
        staged = copy(file, planned, options)
    else:
        rows_before = known.facts.rows if known else None
        with _alone(), refusals_attached(trip_file, options.to, rows_before=rows_before):
            staged = write(transform(file, options.read_as), file, planned, options)
    try:
        uploaded = upload(staged, planned, options)
        record(uploaded, options)
    finally:
        if options.keep_local is None:
            staged.path.unlink(missing_ok=True)
    _attach_events(planned, uploaded, options.to)
    return _report(planned, uploaded, options, staged.warnings)


def _attach_events(planned: PlannedUpload, uploaded: Version, to: str) -> None:
    """Tell what an upload changed or left out that somebody may want to know."""
    trip_file, known = planned.version.trip_file, planned.goes_to.standing.version
    old, new = known.facts if known else None, uploaded.facts
    attach_rejects(trip_file, to, new.rows_rejected)
    attach_restated(
        trip_file,
        to,
        before=Loaded(old.source, old.source_sha256, old.rows) if old else None,
        after=Loaded(new.source, new.source_sha256, new.rows),
    )


def _once_more(planned: PlannedUpload, options: UploadOptions, sha256: str) -> PlannedUpload:
    """The plan, the bytes known."""
    again = compare(planned.version, options, sha256)
    return replace(again, healed=(*planned.healed, *again.healed))


@flow(name="Upload months to the lake")
def upload_months(
    trip_files: tuple[TripFile, ...],
    options: UploadOptions,
    *,
    workers: Workers = SIDE_BY_SIDE,
    fail_fast: bool = False,
) -> tuple[MonthResult[UploadReport], ...]:
    """Bring many months into the lake, each a run of its own, some of them side by side.

    Raises:
        MonthsFailedError: at least one failed; it carries what became of each.
    """
    hint = "The other months are in the lake; the same command takes up what is missing."
    return each_month(
        trip_files,
        lambda each: upload_month.submit(each, options),
        hint=hint,
        workers=workers,
        fail_fast=fail_fast,
    )


def check(options: UploadOptions, trip_files: Sequence[TripFile]) -> None:
    """Demand that every name stands for something, before a run begins.

    Raises:
        ConfigError: the lake, the source or a transformer does not, the source is one file and
            the months are several, or files are to be kept in the lake itself.
        SourceError: the source is a path at which nothing lies.
    """
    open_lake(options.to)
    lake = settings().profile(options.to, LakeProfile)
    on_disk = lake.disk_path and lake.disk_path.resolve()
    if options.keep_local and options.keep_local.resolve() == on_disk:
        # What is written there, before it is checked, would be the object itself.
        raise ConfigError(
            f"--keep-local {options.keep_local} is the lake's own folder.",
            hint="Leave --keep-local out: the months lie there anyway.",
        )
    check_source(options.source, trip_files)
    registry.transformers(options.transforms)


def preview(trip_file: TripFile, options: UploadOptions) -> PlannedUpload:
    """What `upload_month` would do, without doing it."""
    version = probe(trip_file, options.source)
    lake = open_lake(options.to)
    planned = plan_upload(lake, version, options, None)
    if planned.action == "nothing" or not (planned.action == "compare" or version.at_hand):
        return planned
    file = registry.extractor(options.source).extract(version, into=settings().cache_dir)
    if planned.action == "compare":
        planned = plan_upload(lake, version, options, file.sha256)
    if planned.action != "nothing":
        check_bytes(lake, planned, file.sha256, force=options.force)
    return planned


@contextmanager
def _alone() -> Iterator[None]:
    """One month at a time is read and written: that takes all processors, and the most memory."""
    while not _writing.acquire(timeout=_LOOK_SECONDS):
        current_cancellation().check()
    try:
        yield
    finally:
        _writing.release()


def _report(
    planned: PlannedUpload,
    version: Version,
    options: UploadOptions,
    warnings: Sequence[str] = (),
) -> UploadReport:
    lake, facts = open_lake(options.to), version.facts
    before = planned.goes_to.found
    is_done = planned.action == "nothing"
    actions = {"load": "uploaded", "replace": "replaced", "nothing": "nothing to do"}
    kept = local_path(options.keep_local, facts.key) if options.keep_local else None
    return UploadReport(
        action=actions[planned.action],
        reason=planned.reason,
        trip_file=planned.version.trip_file,
        uri=lake.store.uri(facts.key),
        link=lake.store.link(facts.key),
        manifest=lake.store.uri(manifest_key(facts.color, facts.month)),
        version=version,
        replaced_generation=before.generation if before and not is_done else None,
        kept_at=None if is_done else kept,
        is_healed=bool(planned.healed),
        warnings=(
            *planned.version.warnings,
            *map(healed, planned.healed),
            *warnings,
        ),
    )
