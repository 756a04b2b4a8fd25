"""Bring months of trips from the lake into BigQuery: look, plan, load by a job, compare."""

from __future__ import annotations

from dataclasses import dataclass

from taxietl.config import LakeProfile, settings
from taxietl.config.addresses import is_address
from taxietl.errors import ConfigError
from taxietl.flows import retries
from taxietl.flows.lake import healed, open_lake
from taxietl.flows.months import SIDE_BY_SIDE, MonthResult, Workers, each_month
from taxietl.load.bigquery.loading import load
from taxietl.load.bigquery.plan import plan_load
from taxietl.load.bigquery.profile import BigQueryProfile
from taxietl.load.bigquery.service import Service
from taxietl.load.bigquery.source import demand_bucket, month_in
from taxietl.load.bigquery.values import Job, PlannedLoad
from taxietl.load.lake.gcs_profile import GcsProfile
from taxietl.load.lake.lake import Lake
from taxietl.orchestrator import current_cancellation, current_run, flow, get_run_logger, task
from taxietl.steps.protocols import NEVER, Cancellation
from taxietl.tlc.trip_file import TripFile

_LINES = """\
[profiles.{name}]
type = "bigquery"
project = "my-project"
dataset = "trips_data_all"
credentials = "gcp"            # left out: application default credentials

[profiles.gcp]
type = "gcp-credentials"
service_account_file = "~/.gc/key.json"
"""


@dataclass(frozen=True)
class BigQueryOptions:
    """What holds for every month of one `load-bq`."""

    lake: str = "lake"
    to: str = "bigquery"
    force: bool = False


@dataclass(frozen=True)
class BigQueryReport:
    """What was done with a month."""

    action: str
    """`loaded`, `replaced` or `nothing to do`."""

    reason: str
    trip_file: TripFile
    uri: str
    generation: int
    table: str
    partition: str
    location: str
    job: str
    rows: int
    rows_before: int
    is_healed: bool
    """The lake's manifest lacked the object that was there, and has it now."""

    run_name: str = ""
    warnings: tuple[str, ...] = ()


@task(persist_result=False, tags={"bq"})
def plan(trip_file: TripFile, options: BigQueryOptions) -> PlannedLoad:
    """Hold what the lake has to what BigQuery has; heals a manifest that lacks its object."""
    return _planned(trip_file, options, heal=True, cancellation=current_cancellation())


@task(persist_result=False, tags={"bq"}, retry=retries.JOBS)
def load_job(planned: PlannedLoad, options: BigQueryOptions) -> Job:
    """Have BigQuery read the month's object, and hold what it did to the manifest."""
    service = Service(_target(options), cancellation=current_cancellation())
    return load(service, _lake(options)[0], planned)


@flow(name="Load into BigQuery", run_name="{trip_file}")
def load_month(trip_file: TripFile, options: BigQueryOptions) -> BigQueryReport:
    """Bring one month from the lake into BigQuery; a second run loads nothing."""
    log = get_run_logger()
    planned = plan(trip_file, options)
    if not planned.month.is_recorded:
        log.warning("%s", healed(planned.month.key))
    log.info("%s: %s", trip_file, planned.reason)
    if planned.action == "nothing":
        return _report(planned, planned.job, "nothing to do")
    log.info("%s: by job %s in %s", trip_file, planned.job, planned.location)
    job = load_job(planned, options)
    return _report(planned, job.id, "replaced" if planned.rows_before else "loaded")


@flow(name="Load months into BigQuery")
def load_months(
    trip_files: tuple[TripFile, ...],
    options: BigQueryOptions,
    *,
    workers: Workers = SIDE_BY_SIDE,
    fail_fast: bool = False,
) -> tuple[MonthResult[BigQueryReport], ...]:
    """Bring many months into BigQuery, each a run of its own, some of them side by side.

    Raises:
        MonthsFailedError: at least one failed; it carries what became of each.
    """
    hint = "The other months are in BigQuery; the same command takes up what is missing."
    return each_month(
        trip_files,
        lambda each: load_month.submit(each, options),
        hint=hint,
        workers=workers,
        fail_fast=fail_fast,
    )


def check(options: BigQueryOptions) -> None:
    """Demand that every name stands for something, before a run begins.

    Raises:
        ConfigError: a profile does not, the lake is no bucket, or a package is missing.
    """
    _lake(options)
    _target(options).client()


def preview(trip_file: TripFile, options: BigQueryOptions) -> PlannedLoad:
    """What `load_month` would do, without doing it."""
    return _planned(trip_file, options, heal=False, cancellation=NEVER)


def _planned(
    trip_file: TripFile, options: BigQueryOptions, *, heal: bool, cancellation: Cancellation
) -> PlannedLoad:
    lake, bucket = _lake(options)
    month = month_in(lake, trip_file, heal=heal)
    target = _target(options)
    service = Service(target, cancellation=cancellation)
    return plan_load(service, month, target, bucket, force=options.force)


def _lake(options: BigQueryOptions) -> tuple[Lake, GcsProfile]:
    lake = open_lake(options.lake)  # tells what to write where there is none
    return lake, demand_bucket(settings().profile(options.lake, LakeProfile))


def _target(options: BigQueryOptions) -> BigQueryProfile:
    chosen = settings()
    is_any = any(isinstance(each, BigQueryProfile) for each in chosen.profiles.values())
    if options.to not in chosen.profiles and not is_any and not is_address(options.to):
        file = chosen.config_file or "./taxietl.toml"
        raise ConfigError(
            f"There is no profile named {options.to!r}, and so no BigQuery dataset.",
            hint=f"Put this into {file}, with your own names:\n\n" + _LINES.format(name=options.to),
        )
    return chosen.profile(options.to, BigQueryProfile)


def _report(planned: PlannedLoad, job: str, action: str) -> BigQueryReport:
    month, run = planned.month, current_run()
    return BigQueryReport(
        action=action,
        reason=planned.reason,
        trip_file=month.trip_file,
        uri=month.uri,
        generation=month.generation,
        table=planned.target,
        partition=planned.partition,
        location=planned.location,
        job=job,
        rows=month.rows,
        rows_before=planned.rows_before,
        is_healed=not month.is_recorded,
        run_name=run.name if run else "",
        warnings=() if month.is_recorded else (healed(month.key),),
    )
