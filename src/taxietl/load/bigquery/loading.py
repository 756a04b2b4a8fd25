"""Have a month loaded by one job, whoever began it, and hold what it did to the manifest."""

from __future__ import annotations

from taxietl.errors import Cancelled, TargetError
from taxietl.load.bigquery.refusals import job_error
from taxietl.load.bigquery.service import Service
from taxietl.load.bigquery.source import check_is_the_same
from taxietl.load.bigquery.values import Job, PlannedLoad, job_id
from taxietl.load.lake.lake import Lake

_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.25, 10.0


def load(service: Service, lake: Lake, planned: PlannedLoad) -> Job:
    """Load the month; an attempt that is under way, or has just done it, is this one.

    Raises:
        JobBusyError: the job failed for a reason that may pass; the next call takes the next name.
        TargetError: BigQuery refused, or what is there now is not what the lake has.
        TryLaterError: the object was replaced meanwhile.
        Cancelled: asked to stop while the job was under way; it goes on.
    """
    if planned.dataset_is_new:
        service.make_dataset(planned.location)
    for earlier in planned.earlier_jobs:
        wait(service, earlier, planned)
    month = planned.month
    attempt, known = _unburnt(service, planned)
    name = job_id(service.dataset, month.trip_file, month.generation, attempt)
    try:
        if known is None:
            service.begin(name, month, planned.location)
        done = wait(service, name, planned)
    except Cancelled as cancelled:
        raise Cancelled(
            f"{cancelled.reason} Load job {name}, if it had begun, goes on in BigQuery; the next "
            f"run of {month.trip_file} takes it up.",
            signal_number=cancelled.signal_number,
        ) from None
    if done.error is not None:
        raise job_error(done, done.error, f"load {month.trip_file} into {planned.target}")
    check_is_the_same(lake, month)
    _check_rows(service, planned, done)
    return done


def wait(service: Service, name: str, planned: PlannedLoad) -> Job:
    """Until the job is done, well or not.

    Raises:
        TargetError: it is not there any more.
    """
    seconds = _FIRST_WAIT_SECONDS
    while True:
        job = service.job(name, planned.location)
        if job is None:
            raise TargetError(
                f"Job {name} is not in BigQuery any more.",
                hint="Somebody removed it. Run again: what is missing is loaded then.",
            )
        if job.is_done:
            return job
        service.pause(seconds)
        seconds = min(seconds * 1.5, _LONGEST_WAIT_SECONDS)


def _unburnt(service: Service, planned: PlannedLoad) -> tuple[int, Job | None]:
    """The first attempt from the planned one on that has not failed: free, under way or done."""
    month, attempt = planned.month, planned.attempt
    while True:
        name = job_id(service.dataset, month.trip_file, month.generation, attempt)
        found = service.job(name, planned.location)
        if found is None or found.error is None:
            return attempt, found
        attempt += 1


def _check_rows(service: Service, planned: PlannedLoad, job: Job) -> None:
    """Demand of the job and of the table the manifest's number of rows.

    Source: Google Cloud, "Managing partitioned tables", partition expiration; "Enable the BigQuery
    sandbox", limitations.
    """
    month = planned.month
    counted = service.rows(month.trip_file, planned.location)
    if job.rows and not counted:
        raise TargetError(
            f"Job {job.id} wrote {job.rows:,} rows, and partition {planned.partition} of "
            f"{planned.target} has none: it seems to have expired.",
            hint="Partitions are counted by their month, and a sandbox keeps them for 60 days: "
            "switch billing on. Then have them kept: ALTER TABLE "
            f"`{planned.target}` SET OPTIONS (partition_expiration_days = NULL).",
        )
    if (job.rows, counted) != (month.rows, month.rows):
        wrote = "an unknown number of" if job.rows is None else f"{job.rows:,}"
        raise TargetError(
            f"{planned.target} has {counted:,} rows in partition {planned.partition}, of which job "
            f"{job.id} wrote {wrote}; the lake's manifest has {month.rows:,}.",
            hint="Run again: it loads the month anew. `taxietl lake verify` checks the object.",
        )
