"""What is asked of BigQuery, through Google's own client, with none of the client's own retries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from taxietl.errors import TargetError
from taxietl.load.bigquery.refusals import not_ours, refusal_in
from taxietl.load.bigquery.schema import MONTH_COLUMN, fields
from taxietl.load.bigquery.values import Job, JobError, LakeMonth, Table, partition
from taxietl.load.lake.patience import Patience, insist, pause
from taxietl.steps.protocols import NEVER, Cancellation
from taxietl.tlc.trip_file import TripFile

if TYPE_CHECKING:
    from google.cloud.bigquery import Client, LoadJobConfig, QueryJob

R = TypeVar("R")

_ONCE: Any = None
"""Tells the client not to try again by itself; its annotations do not know that."""

_FOUR_DAYS = timedelta(days=4)
_LABELS = {"made-by": "taxietl"}


class DatasetProfile(Protocol):
    """Which dataset it is, as profiles of type `bigquery` say it."""

    @property
    def project(self) -> str: ...
    @property
    def dataset(self) -> str: ...
    def client(self) -> Client: ...


class Service:
    """A dataset, and the jobs that load into it. Every request has a deadline."""

    def __init__(
        self,
        profile: DatasetProfile,
        *,
        patience: Patience | None = None,
        cancellation: Cancellation = NEVER,
    ) -> None:
        self._profile = profile
        self._patience = patience or Patience()
        self._cancellation = cancellation
        self.dataset = profile.dataset
        self.address = f"{profile.project}.{profile.dataset}"

    @cached_property
    def _client(self) -> Client:
        return self._profile.client()

    def target(self, trip_file: TripFile) -> str:
        """The colour's table, as statements name it."""
        return f"{self.address}.{trip_file.dataset.table}"

    def location(self) -> str | None:
        """Where the dataset is; None if there is none."""
        from google.api_core.exceptions import NotFound

        def ask() -> str | None:
            try:
                found = self._client.get_dataset(self.address, retry=_ONCE, timeout=self._seconds)
            except NotFound as error:
                reasons = {each.get("reason") for each in error.errors or ()}
                # Another server's 404, as of a wrong `endpoint`, tells nothing of a dataset.
                if "notFound" not in reasons or "Not found: Project" in str(error.message):
                    raise
                return None
            return str(found.location)

        return self._insist(ask, f"look at the dataset {self.address}")

    def make_dataset(self, location: str) -> None:
        """Make the dataset there; if somebody else was faster, it is theirs that counts."""
        from google.api_core.exceptions import Conflict
        from google.cloud.bigquery import Dataset

        wanted = Dataset(self.address)
        wanted.location = location
        wanted.labels = _LABELS

        def make() -> None:
            try:
                self._client.create_dataset(wanted, retry=_ONCE, timeout=self._seconds)
            except Conflict:
                return

        self._insist(make, f"make the dataset {self.address} in {location}")

    def table(self, trip_file: TripFile) -> Table | None:
        """The colour's table; None if there is none.

        Raises:
            NotOursError: it is no table whose partitions are the files' months.
        """
        from google.api_core.exceptions import NotFound

        target = self.target(trip_file)

        def ask() -> Table | None:
            try:
                found = self._client.get_table(target, retry=_ONCE, timeout=self._seconds)
            except NotFound:
                return None
            by = found.time_partitioning
            if by is None or (by.type_, by.field) != ("MONTH", MONTH_COLUMN):
                raise not_ours(target, f"is not partitioned by month on {MONTH_COLUMN}")
            clustering = found.clustering_fields
            return Table(tuple(clustering) if clustering else None, by.expiration_ms)

        return self._insist(ask, f"look at {target}")

    def rows(self, trip_file: TripFile, location: str) -> int:
        """How many rows the month's partition of a table has, as a query counts them now."""
        from google.cloud.bigquery import QueryJobConfig

        first = trip_file.source_month
        after = (first.replace(day=28) + _FOUR_DAYS).replace(day=1)
        statement = (
            f"SELECT COUNT(*) FROM `{self.target(trip_file)}` "  # noqa: S608  names are checked
            f"WHERE {MONTH_COLUMN} >= DATE '{first}' AND {MONTH_COLUMN} < DATE '{after}'"
        )
        config = QueryJobConfig(use_query_cache=False, labels=_LABELS)

        def ask() -> int:
            found = self._client.query_and_wait(
                statement,
                job_config=config,
                location=location,
                retry=_ONCE,
                job_retry=_ONCE,
                api_timeout=self._seconds,
                wait_timeout=self._seconds,
            )
            ((count,),) = found
            return int(count)

        return self._insist(ask, f"count {trip_file} in {self.target(trip_file)}")

    def may_run_jobs(self, location: str | None) -> None:
        """Ask for a job that is not run.

        Raises:
            TargetError: the account may not.
        """
        from google.cloud.bigquery import QueryJobConfig

        def ask() -> QueryJob:
            return self._client.query(
                "SELECT 1",
                job_config=QueryJobConfig(dry_run=True, use_query_cache=False),
                location=location,
                retry=_ONCE,
                job_retry=_ONCE,
                timeout=self._seconds,
            )

        self._insist(ask, f"run jobs in project {self._profile.project}")

    def job(self, job_id: str, location: str) -> Job | None:
        """The job of that name; None if there is none, or BigQuery has forgotten it."""
        from google.api_core.exceptions import NotFound

        def ask() -> Job | None:
            try:
                found = self._client.get_job(
                    job_id, location=location, retry=_ONCE, timeout=self._seconds
                )
            except NotFound:
                return None
            return _told(found)

        return self._insist(ask, f"look at job {job_id}")

    def begin(self, job_id: str, month: LakeMonth, location: str) -> Job:
        """Begin a load, or have the one that was begun under that name."""
        from google.api_core.exceptions import Conflict

        trip_file = month.trip_file
        config = _load_config(trip_file, self.table(trip_file))

        def insert() -> Job | None:
            try:
                begun = self._client.load_table_from_uri(
                    month.uri,
                    f"{self.target(trip_file)}${partition(trip_file)}",
                    job_id=job_id,
                    location=location,
                    job_config=config,
                    retry=_ONCE,
                    timeout=self._seconds,
                )
            except Conflict:  # another process's, or this one's, whose answer was lost
                return None
            return _told(begun)

        begun = self._insist(insert, f"load {month.uri} by job {job_id}")
        return begun or self._known(job_id, location)

    def _known(self, job_id: str, location: str) -> Job:
        """A job that was begun; it may take a moment to be found."""
        for seconds in (0.5, 1.0, 2.0, 4.0, 8.0):
            if found := self.job(job_id, location):
                return found
            self.pause(seconds)
        raise TargetError(
            f"BigQuery knows job {job_id}, and does not find it in {location}.",
            hint="Run again: it looks for the job once more.",
        )

    def pause(self, seconds: float) -> None:
        """Wait, until asked to stop at the latest."""
        pause(seconds, self._patience, self._cancellation)

    @property
    def _seconds(self) -> float:
        return self._patience.silence_seconds

    def _insist(self, work: Callable[[], R], doing: str) -> R:
        return insist(
            work,
            doing,
            patience=self._patience,
            cancellation=self._cancellation,
            meaning=refusal_in,
        )


def _load_config(trip_file: TripFile, table: Table | None) -> LoadJobConfig:
    """Replace the month's partition whole; make the table where there is none."""
    from google.cloud.bigquery import (
        CreateDisposition,
        LoadJobConfig,
        SchemaField,
        SchemaUpdateOption,
        SourceFormat,
        TimePartitioning,
        TimePartitioningType,
        WriteDisposition,
    )

    config = LoadJobConfig(
        source_format=SourceFormat.PARQUET,
        schema=[
            SchemaField(each.name, each.kind, mode=each.mode) for each in fields(trip_file.dataset)
        ],
        create_disposition=CreateDisposition.CREATE_IF_NEEDED,
        write_disposition=WriteDisposition.WRITE_TRUNCATE,
        # Where it says less than the table does, BigQuery sees another table.
        time_partitioning=TimePartitioning(
            type_=TimePartitioningType.MONTH,
            field=MONTH_COLUMN,
            expiration_ms=table.expiration_ms if table else None,
        ),
        # Once a later version of the contract has more columns than the table.
        schema_update_options=[SchemaUpdateOption.ALLOW_FIELD_ADDITION],
        labels=_LABELS,
    )
    if table is not None and table.clustering:
        config.clustering_fields = list(table.clustering)
    return config


def _told(job: Any) -> Job:
    """What Google's client knows of a job."""
    error = job.error_result
    return Job(
        str(job.job_id),
        is_done=job.state == "DONE",
        error=JobError(str(error.get("reason", "")), str(error.get("message", "")))
        if error
        else None,
        rows=None if job.output_rows is None else int(job.output_rows),
    )
