"""What is to be done with a month in BigQuery: asked of its jobs and of the table itself."""

from __future__ import annotations

from taxietl.errors import ConfigError
from taxietl.load.bigquery.locations import are_apart, bucket_location
from taxietl.load.bigquery.profile import BigQueryProfile
from taxietl.load.bigquery.refusals import ApartError
from taxietl.load.bigquery.service import Service
from taxietl.load.bigquery.values import Job, LakeMonth, PlannedLoad, job_id
from taxietl.load.lake.gcs_profile import GcsProfile


def plan_load(
    service: Service,
    month: LakeMonth,
    profile: BigQueryProfile,
    lake: GcsProfile,
    *,
    force: bool,
) -> PlannedLoad:
    """Hold what the lake has to what BigQuery has; changes nothing.

    Raises:
        NotOursError: the table is not one for months.
        TargetError: BigQuery refuses, or lies where it cannot read the bucket.
        ConfigError: there is no dataset, and nothing says where to make it.
    """
    location = service.location()
    dataset_is_new = location is None
    if location is None:
        location = place_for(profile, lake)
    trip_file, rows = month.trip_file, 0
    # The job before the rows: one that ends in between must not look as if it had lost them.
    attempt, last = last_attempt(service, month, month.generation, location)
    if not dataset_is_new and service.table(trip_file) is not None:
        rows = service.rows(trip_file, location)
    action, reason = _decided(month, last, rows, force=force)
    earlier: list[str] = []
    if action in ("load", "replace"):
        attempt += 1
        earlier = _under_way(service, month, location)
    return PlannedLoad(
        action,
        reason,
        month,
        service.target(trip_file),
        location,
        dataset_is_new,
        attempt,
        job_id(service.dataset, trip_file, month.generation, attempt),
        rows,
        tuple(earlier),
    )


def last_attempt(
    service: Service, month: LakeMonth, generation: int, location: str
) -> tuple[int, Job | None]:
    """The last job that was begun for a generation, and its number; 0 where none was."""
    attempt, last = 0, None
    while found := service.job(
        job_id(service.dataset, month.trip_file, generation, attempt + 1), location
    ):
        attempt, last = attempt + 1, found
    return attempt, last


def _under_way(service: Service, month: LakeMonth, location: str) -> list[str]:
    """The jobs of earlier generations that may still write to the month's partition."""
    jobs = []
    for generation in month.earlier:
        _, last = last_attempt(service, month, generation, location)
        if last is not None and last.is_done:  # and those before it were waited for then
            break
        jobs += [last.id] if last is not None else []
    return jobs


def place_for(profile: BigQueryProfile, lake: GcsProfile) -> str:
    """Where to make the dataset: where the profile says, else where the bucket is.

    Raises:
        ApartError: BigQuery could not load from the bucket there.
        ConfigError: neither is known.
    """
    bucket = bucket_location(lake)
    if profile.location is None:
        if bucket is not None:
            return bucket
        raise ConfigError(
            f"There is no dataset {profile.project}.{profile.dataset}, and this account may not "
            f"ask where the bucket {lake.bucket_name} is, to make it there.",
            hint=f'Put its place into profile {profile.name!r}: location = "EU". (Or give the '
            "account storage.buckets.get on the bucket: roles/storage.legacyBucketReader.)",
        )
    if bucket is not None and are_apart(bucket, profile.location):
        raise ApartError(
            bucket,
            profile.location,
            what=f"The dataset {profile.project}.{profile.dataset} is not made",
        )
    return profile.location


def _decided(month: LakeMonth, last: Job | None, rows: int, *, force: bool) -> tuple[str, str]:
    """What to do, and why."""
    if last is not None and not last.is_done:
        return "wait", f"job {last.id} is under way"
    todo = "replace" if rows else "load"
    if force:
        return todo, "--force"
    if last is not None and last.error is not None:
        return todo, f"job {last.id} failed ({last.error.reason})"
    if last is not None and rows == month.rows:
        return "nothing", f"{rows:,} rows loaded by job {last.id}"
    if last is not None:
        return todo, f"the table has {rows:,} rows of the month instead of {month.rows:,}"
    if rows and month.earlier:
        return todo, "the lake has a newer version"
    return todo, "no job of this version is known" if rows else "not in BigQuery yet"
