"""Bring months of trips into the lake: probe, plan, extract, write Parquet, upload, record."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa  # noqa: TID253  this module is loaded when a month is uploaded

import taxietl
from taxietl.config import settings
from taxietl.errors import TaxietlError, TooManyRejectsError, worst_exit_code
from taxietl.extract.http.download import modified_at
from taxietl.flows.ingest import (
    IngestOptions,
    MonthError,
    extract,
    month_error,
    probe,
    transform,
    write_rejects,
)
from taxietl.flows.lake import open_lake
from taxietl.flows.progress import told
from taxietl.load.checks import check_counts, check_shrink
from taxietl.load.lake.checksum import crc32c_of
from taxietl.load.lake.folder import local_path
from taxietl.load.lake.lake import Lake, Standing, decide_upload, entry_of
from taxietl.load.lake.parquet import lake_schema, schema_digest, write_parquet, written_beside
from taxietl.load.lake.values import Facts, Form, Version, manifest_key, month_of
from taxietl.orchestrator import (
    Stream,
    current_cancellation,
    current_run,
    flow,
    get_run_logger,
    task,
)
from taxietl.steps import registry
from taxietl.steps.plan import version_loaded
from taxietl.steps.values import LoadRequest, SourceFile, SourceVersion, Tally, Transform
from taxietl.tlc.column_rules import NewColumns
from taxietl.tlc.datasets import CONTRACT_VERSION
from taxietl.tlc.trip_file import TripFile


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

    @property
    def read_as(self) -> IngestOptions:
        """How the file is read: all months of a colour have the same columns in the lake."""
        return IngestOptions(self.source, transforms=self.transforms, new_columns=NewColumns.IGNORE)

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
    key: str
    standing: Standing
    is_healed: bool = False


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


@dataclass(frozen=True)
class UploadResult:
    """What became of one month: a report or an error."""

    trip_file: TripFile
    report: UploadReport | None = None
    error: MonthError | None = None


class UploadsFailedError(TaxietlError):
    """Some months of several could not be uploaded; the others were."""

    def __init__(self, results: tuple[UploadResult, ...]) -> None:
        self.results = results
        failed = [each for each in results if each.error]
        names = ", ".join(str(each.trip_file) for each in failed)
        super().__init__(
            f"{len(failed)} of {len(results)} months failed: {names}.",
            hint="The other months are in the lake; the same command takes up what is missing.",
        )
        self.exit_code = worst_exit_code(each.error.exit_code for each in failed if each.error)


@dataclass(frozen=True)
class Staged:
    """A month as it is to lie in the lake, on this machine."""

    path: Path
    facts: Facts


@task(persist_result=False, tags={"gcs"})
def compare(
    version: SourceVersion, options: UploadOptions, sha256: str | None = None
) -> PlannedUpload:
    """Hold what the source has to what the lake holds; heals a manifest that lacks its object."""
    lake = open_lake(options.to)
    planned = _planned(lake, version, options, sha256)
    if not lake.heal(planned.standing):
        return planned
    get_run_logger().warning(
        "%s was in the lake and not in its manifest, as after a crash: now it is", planned.key
    )
    return PlannedUpload(
        planned.action, planned.reason, version, planned.key, planned.standing, is_healed=True
    )


@task(persist_result=False)
def write(
    batches: Stream[pa.RecordBatch, Tally],
    file: SourceFile,
    planned: PlannedUpload,
    options: UploadOptions,
) -> Staged:
    """Write the month's clean rows to a file on this machine."""
    trip_file = file.version.trip_file
    path = _staging(planned.key, options)
    try:
        rows = write_parquet(_watched(batches), trip_file, path)
        tally = batches.result
        request = _request(file, planned, options)
        _check_counts(tally, rows, request)
        known = planned.standing.version if planned.standing.found else None
        check_shrink(rows, entry_of(known, trip_file) if known else None, request)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    facts = _facts(
        file,
        planned,
        options,
        path,
        rows=rows,
        rows_read=tally.rows_read,
        rows_dropped=tally.rows_dropped,
        rows_rejected=tally.rows_rejected,
        values_nulled=tally.values_nulled,
        columns_left_out=tally.ignored_columns,
        era=tally.era,
        schema=schema_digest(lake_schema(trip_file.dataset)),
    )
    return Staged(path, facts)


@task(persist_result=False)
def copy(file: SourceFile, planned: PlannedUpload, options: UploadOptions) -> Staged:
    """Have the published bytes in a file that stays as it is while it is uploaded."""
    path = _staging(planned.key, options)
    with written_beside(path) as part:
        shutil.copyfile(file.path, part)
    facts = _facts(
        file,
        planned,
        options,
        path,
        rows=None,
        rows_read=None,
        rows_dropped={},
        rows_rejected=0,
        values_nulled={},
        columns_left_out=(),
        era=None,
        schema=None,
    )
    return Staged(path, facts)


@task(persist_result=False, tags={"gcs"})
def upload(staged: Staged, planned: PlannedUpload, options: UploadOptions) -> Version:
    """Make the file the month's object, in the place of what was there when it was planned."""
    with told(planned.version.trip_file) as progress:
        return open_lake(options.to).put(
            staged.path,
            staged.facts,
            if_generation=planned.standing.generation,
            cancellation=current_cancellation(),
            progress=progress,
        )


@task(persist_result=False, tags={"gcs"})
def record(version: Version, options: UploadOptions) -> None:
    """Add what was uploaded to the month's manifest."""
    open_lake(options.to).record(version)


@flow(name="Upload to the lake", run_name="{trip_file}")
def upload_month(trip_file: TripFile, options: UploadOptions) -> UploadReport:
    """Bring one month into the lake; a second run uploads nothing."""
    log = get_run_logger()
    version = probe(trip_file, options.source)
    planned = compare(version, options)
    if planned.action != "nothing":
        file = extract(version, options.source)
        if planned.action == "compare":
            planned = compare(version, options, file.sha256)
    log.info("%s: %s", trip_file, planned.reason)
    if planned.action == "nothing" and planned.standing.version:
        return _report(planned, planned.standing.version, options)
    if options.raw:
        staged = copy(file, planned, options)
    else:
        staged = write(transform(file, options.read_as), file, planned, options)
    try:
        uploaded = upload(staged, planned, options)
        record(uploaded, options)
    finally:
        if options.keep_local is None:
            staged.path.unlink(missing_ok=True)
    return _report(planned, uploaded, options)


@flow(name="Upload months to the lake")
def upload_months(
    trip_files: tuple[TripFile, ...], options: UploadOptions
) -> tuple[UploadResult, ...]:
    """Bring many months into the lake, each a run of its own; one's failure stops no other.

    Raises:
        UploadsFailedError: at least one failed; it carries what became of each.
    """
    results = []
    for each in trip_files:
        try:
            results.append(UploadResult(each, report=upload_month(each, options)))
        except Exception as error:  # noqa: BLE001  told at the end, once the others are done
            results.append(UploadResult(each, error=month_error(error)))
    if any(result.error for result in results):
        raise UploadsFailedError(tuple(results))
    return tuple(results)


def check(options: UploadOptions) -> None:
    """Demand that every name stands for something, before a run begins.

    Raises:
        ConfigError: the lake, the source or a transformer does not.
        SourceError: the source is a path at which nothing lies.
    """
    open_lake(options.to)
    registry.extractor(options.source)
    registry.transformers(options.transforms)


def preview(trip_file: TripFile, options: UploadOptions) -> PlannedUpload:
    """What `upload_month` would do, without doing it."""
    version = probe(trip_file, options.source)
    lake = open_lake(options.to)
    planned = _planned(lake, version, options, None)
    if planned.action != "compare":
        return planned
    file = registry.extractor(options.source).extract(version, into=settings().cache_dir)
    return _planned(lake, version, options, file.sha256)


def _planned(
    lake: Lake, version: SourceVersion, options: UploadOptions, sha256: str | None
) -> PlannedUpload:
    key = lake.key(version.trip_file, options.form, version.url)
    standing = lake.standing(version.trip_file, key)
    known = standing.version
    plan = decide_upload(
        version,
        sha256,
        standing,
        uri=lake.store.uri(key),
        transforms=_transforms(options),
        force=options.force,
        loaded_last_modified=modified_at(
            version_loaded(entry_of(known, version.trip_file).report), settings().cache_dir
        )
        if known
        else None,
    )
    return PlannedUpload(plan.action, plan.reason, version, key, standing)


def _transforms(options: UploadOptions) -> tuple[Transform, ...]:
    return tuple(each for each, _ in registry.transformers(options.transforms))


def _request(file: SourceFile, planned: PlannedUpload, options: UploadOptions) -> LoadRequest:
    run = current_run()
    return LoadRequest(
        version=file.version,
        table=planned.key,
        transforms=_transforms(options),
        max_rejects=options.max_rejects,
        max_shrink=options.max_shrink,
        force=options.force,
        run_id=run.id if run else "",
        run_name=run.name if run else "",
    )


def _check_counts(tally: Tally, rows: int, request: LoadRequest) -> None:
    """As for a warehouse: every row accounted for, and not too many rejected."""
    try:
        check_counts(tally, rows, request)
    except TooManyRejectsError as error:
        path = write_rejects(error.tally, request.run_name or str(request.trip_file))
        error.hint += f" They are listed in {path}."
        raise


def _staging(key: str, options: UploadOptions) -> Path:
    """Where the file lies until it is uploaded, or is kept."""
    if options.keep_local is not None:
        return local_path(options.keep_local, key)
    return settings().cache_dir / "lake" / f"{uuid.uuid4().hex[:12]}-{key.rpartition('/')[2]}"


def _watched(batches: Stream[pa.RecordBatch, Tally]) -> Iterator[pa.RecordBatch]:
    """The batches, as long as nobody asks to stop."""
    cancellation = current_cancellation()
    for batch in batches:
        cancellation.check()
        yield batch


def _facts(
    file: SourceFile, planned: PlannedUpload, options: UploadOptions, path: Path, **counted: Any
) -> Facts:
    run = current_run()
    return Facts(
        color=file.version.trip_file.color,
        month=month_of(file.version.trip_file),
        form=options.form,
        key=planned.key,
        size_bytes=path.stat().st_size,
        crc32c=crc32c_of(path, check=current_cancellation().check),
        source=file.version.source,
        source_url=file.version.url,
        source_etag=file.version.etag,
        source_bytes=file.size_bytes,
        source_sha256=file.sha256,
        contract_version=CONTRACT_VERSION,
        transforms=_transforms(options),
        run_id=run.id if run else "",
        run_name=run.name if run else "",
        taxietl_version=taxietl.__version__,
        uploaded_at=datetime.now(UTC).isoformat(timespec="seconds"),
        upload_id=str(uuid.uuid4()),
        **counted,
    )


def _report(planned: PlannedUpload, version: Version, options: UploadOptions) -> UploadReport:
    lake, facts = open_lake(options.to), version.facts
    before = planned.standing.found
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
        is_healed=planned.is_healed,
    )
