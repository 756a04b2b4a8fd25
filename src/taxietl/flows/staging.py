"""Have a month as it is to lie in the lake in a file on this machine."""

from __future__ import annotations

import hashlib
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa  # noqa: TID253  this module is loaded when a month is uploaded

from taxietl.config import settings
from taxietl.errors import DataError, SourceError, TooManyRejectsError
from taxietl.flows.rejects import write_rejects
from taxietl.flows.upload_plan import PlannedUpload, UploadOptions
from taxietl.flows.warned import warned
from taxietl.load.checks import check_counts, check_month, check_shrink
from taxietl.load.lake.checksum import crc32c_of
from taxietl.load.lake.folder import local_path
from taxietl.load.lake.parquet import lake_schema, schema_digest, write_parquet, written_beside
from taxietl.load.lake.upload import entry_of
from taxietl.load.lake.values import Facts, month_of
from taxietl.orchestrator import Stream, current_cancellation, current_run, task
from taxietl.steps.values import LoadRequest, SourceFile, Tally
from taxietl.transform.pipeline import first_pickups
from taxietl.version import __version__

_LEFT_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Staged:
    """A month as it is to lie in the lake, on this machine."""

    path: Path
    facts: Facts
    warnings: tuple[str, ...] = ()


@task(persist_result=False)
def write(
    batches: Stream[pa.RecordBatch, Tally],
    file: SourceFile,
    planned: PlannedUpload,
    options: UploadOptions,
) -> Staged:
    """Write the month's clean rows to a file on this machine."""
    trip_file = file.version.trip_file
    path = _staging(planned.goes_to.key, options)
    rows = write_parquet(_watched(batches), trip_file, path)
    try:
        tally = batches.result
        request = _request(file, planned, options)
        with warned(lambda: tally.warnings(file.path.name)):
            check_month(tally.pickups, request)
            _check_counts(tally, rows, request)
            standing = planned.goes_to.standing
            known = standing.version if standing.found else None
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
    return Staged(path, facts, tally.warnings(file.path.name))


@task(persist_result=False)
def copy(file: SourceFile, planned: PlannedUpload, options: UploadOptions) -> Staged:
    """Have the published bytes in a file that stays as it is while it is uploaded."""
    warnings = _checked_month(file, planned, options)
    path = _staging(planned.goes_to.key, options)
    with written_beside(path) as part:
        shutil.copyfile(file.path, part)
        with part.open("rb") as copied:
            if hashlib.file_digest(copied, "sha256").hexdigest() != file.sha256:
                raise SourceError(
                    f"{file.path} changed since it was fetched.",
                    hint="Run again when it is no longer being written.",
                )
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
    return Staged(path, facts, warnings)


def _checked_month(
    file: SourceFile, planned: PlannedUpload, options: UploadOptions
) -> tuple[str, ...]:
    """Refuse published bytes of another month; a file that cannot be read is kept all the same."""
    try:
        pickups = first_pickups(file)
    except (DataError, SourceError):
        return ()
    check_month(pickups, _request(file, planned, options))
    return (f"{file.path.name} has {pickups}",) if pickups.are_mostly_outside else ()


def _request(file: SourceFile, planned: PlannedUpload, options: UploadOptions) -> LoadRequest:
    run = current_run()
    return LoadRequest(
        version=file.version,
        table=planned.goes_to.key,
        transforms=options.recorded(),
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
    folder = settings().cache_dir / "lake"
    _sweep(folder)
    return folder / f"{uuid.uuid4().hex[:12]}-{key.rpartition('/')[2]}"


def _sweep(folder: Path) -> None:
    """Take away what uploads that were killed have left: nobody wrote to it for a day."""
    before = time.time() - _LEFT_SECONDS
    for path in folder.glob("*"):
        with suppress(OSError):  # its own upload has just done so
            if path.stat().st_mtime < before:
                path.unlink()


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
        key=planned.goes_to.key,
        size_bytes=path.stat().st_size,
        crc32c=crc32c_of(path, check=current_cancellation().check),
        source=file.version.source,
        source_url=file.version.url,
        source_etag=file.version.etag,
        source_bytes=file.size_bytes,
        source_sha256=file.sha256,
        contract_version=file.version.trip_file.dataset.contract_version,
        transforms=options.recorded(),
        run_id=run.id if run else "",
        run_name=run.name if run else "",
        taxietl_version=__version__,
        uploaded_at=datetime.now(UTC).isoformat(timespec="seconds"),
        upload_id=str(uuid.uuid4()),
        **counted,
    )
