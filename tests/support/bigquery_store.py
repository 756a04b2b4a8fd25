"""What BigQuery holds, and the rules by which it takes and refuses loads.

Source: Google Cloud, "BigQuery REST API" (datasets, tables, jobs), "Loading Parquet data from Cloud
Storage", "Managing partitioned tables", "BigQuery locations", "BigQuery: Error messages".
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from gcs import Gcs
from loopback import Refused

_EU = {
    *("europe-west1", "europe-west3", "europe-west4", "europe-west8", "europe-west9"),
    *("europe-north1", "europe-southwest1", "europe-central2", "europe-west10", "europe-west12"),
}
_REGION = re.compile(r"[a-z]+-[a-z]+\d+")
_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,1024}")
_URI = re.compile(r"gs://([^/]+)/([^#*]+)")
_DECORATED = re.compile(r"(\w+)\$(\d{6})")

_LOAD_KEYS = {
    *("sourceUris", "schema", "destinationTable", "destinationTableProperties"),
    *("createDisposition", "writeDisposition", "sourceFormat", "timePartitioning", "clustering"),
    *(
        "schemaUpdateOptions",
        "ignoreUnknownValues",
        "maxBadRecords",
        "autodetect",
        "parquetOptions",
    ),
}
_FIELD_KEYS = {"name", "type", "mode", "description"}
_TYPES = {
    "INTEGER": (pa.int32(), pa.int64()),
    "FLOAT": (pa.float64(),),
    "STRING": (pa.string(),),
    "DATETIME": (pa.timestamp("us"),),  # written with isAdjustedToUTC=false
    "DATE": (pa.date32(),),
    "BOOLEAN": (pa.bool_(),),
}


class JobFailed(Exception):
    """Why a job that was taken failed."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


def known_keys(what: str, given: dict[str, Any], known: set[str]) -> None:
    """Refuse what the protocol does not have, so that nonsense is noticed."""
    if unknown := set(given) - known:
        raise Refused(
            400, f"Invalid JSON payload received. Unknown name \"{min(unknown)}\" at '{what}'."
        )


def check_location(location: str) -> None:
    """Refuse what is no place of BigQuery's."""
    if location not in ("US", "EU") and not _REGION.fullmatch(location):
        raise Refused(400, f"Invalid value for location: {location} is not a valid value")


@dataclass
class Table:
    """A table by partitions; those of a table that has none are one, without a name."""

    schema: list[dict[str, Any]]
    partitioning: dict[str, Any] | None
    clustering: dict[str, Any] | None = None
    partitions: dict[str, pa.Table] = field(default_factory=dict)

    def keeps_not(self, partition: str) -> bool:
        """Whether it has expired, counted from its month."""
        month = datetime.strptime(partition, "%Y%m").replace(tzinfo=UTC)
        expiration = (self.partitioning or {}).get("expirationMs")
        return expiration is not None and (
            month + timedelta(milliseconds=int(expiration)) < datetime.now(UTC)
        )

    def rows(self, partition: str) -> int:
        """In that partition."""
        return self.partitions[partition].num_rows if partition in self.partitions else 0


@dataclass
class Dataset:
    """A dataset and its tables."""

    location: str
    tables: dict[str, Table] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)


@dataclass
class Job:
    """A load that was asked for."""

    id: str
    location: str
    configuration: dict[str, Any]
    polls_left: int
    state: str = "RUNNING"
    error: JobFailed | None = None
    output_rows: int | None = None
    planned_error: JobFailed | None = None


class Store:
    """Datasets and jobs of one project."""

    def __init__(self, gcs: Gcs, project: str) -> None:
        self.gcs, self.project = gcs, project
        self.datasets: dict[str, Dataset] = {}
        self.jobs: dict[tuple[str, str], Job] = {}
        self.written: list[str] = []
        """The jobs that have written rows, in order."""

        self.denied: set[str] = set()
        self.polls = 0
        """How often a new job is asked about before it is done."""

        self.job_errors: list[JobFailed] = []
        """What the next jobs fail with, in order."""

        self.rows_lost: int = 0
        """A fault of the service: so many rows of each load are written nowhere."""

        self.when_read: Callable[[], object] = lambda: None
        """What happens elsewhere once a job has read its object."""

        self.lock = threading.RLock()

    def dataset(self, name: str) -> Dataset:
        """That dataset."""
        if name not in self.datasets:
            raise Refused(404, f"Not found: Dataset {self.project}:{name}", "notFound")
        return self.datasets[name]

    def demand(self, permission: str, what: str) -> None:
        """Refuse what nobody may."""
        if permission not in self.denied:
            return
        if permission == "bigquery.jobs.create":
            said = f"User does not have {permission} permission in project {self.project}."
        else:
            said = f"Permission {permission} denied on {what} (or it may not exist)."
        raise Refused(403, f"Access Denied: {what}: {said}", "accessDenied")

    def make(self, name: str, location: str, labels: dict[str, str]) -> None:
        """A new dataset."""
        if not re.fullmatch(r"\w{1,1024}", name, re.ASCII):
            raise Refused(400, f'Invalid dataset ID "{name}".')
        check_location(location)
        with self.lock:
            if name in self.datasets:
                raise Refused(409, f"Already Exists: Dataset {self.project}:{name}", "duplicate")
            self.datasets[name] = Dataset(location, labels=labels)

    def insert(self, job_id: str, location: str, configuration: dict[str, Any]) -> Job:
        """Take a load job, once under each name."""
        if not _JOB_ID.fullmatch(job_id):
            raise Refused(400, f'Invalid job ID "{job_id}".')
        load = configuration["load"]
        known_keys("job.configuration", configuration, {"load", "labels", "jobTimeoutMs", "dryRun"})
        known_keys("job.configuration.load", load, _LOAD_KEYS)
        check_load(load)
        with self.lock:
            key = (location, job_id)
            if key in self.jobs:
                raise Refused(
                    409, f"Already Exists: Job {self.project}:{location}.{job_id}", "duplicate"
                )
            name = load["destinationTable"]["datasetId"]
            where = f"{self.project}:{name} was not found in location {location}"
            if name not in self.datasets or self.datasets[name].location != location:
                raise Refused(404, f"Not found: Dataset {where}", "notFound")
            self.demand("bigquery.tables.create", f"Dataset {self.project}:{name}")
            job = Job(job_id, location, configuration, self.polls)
            if self.job_errors:
                job.planned_error = self.job_errors.pop(0)
            self.jobs[key] = job
            return job

    def asked(self, job_id: str, location: str | None) -> Job:
        """A job, which may be done by now; outside of US and EU its location must be told."""
        with self.lock:
            places = [location] if location else ["US", "EU"]
            job = next((self.jobs[(p, job_id)] for p in places if (p, job_id) in self.jobs), None)
            if job is None:
                raise Refused(404, f"Not found: Job {self.project}:{job_id}", "notFound")
            if job.state != "DONE":
                job.polls_left -= 1
                if job.polls_left < 0:
                    self._run(job)
            return job

    def _run(self, job: Job) -> None:
        job.state = "DONE"
        try:
            if job.planned_error:
                raise job.planned_error
            job.output_rows = self._load(job.configuration["load"])
            self.written.append(job.id)
        except JobFailed as failed:
            job.error = failed

    def _load(self, load: dict[str, Any]) -> int:
        name = load["destinationTable"]["datasetId"]
        dataset = self.datasets[name]
        table_name, partition = _DECORATED.fullmatch(load["destinationTable"]["tableId"]).groups()  # type: ignore[union-attr]
        target = f"{self.project}:{name}.{table_name}"
        rows = self._read(load["sourceUris"][0], dataset.location)
        self.when_read()
        fields = load["schema"]["fields"]
        check_rows(rows, fields)
        month = pc.strftime(rows["source_month"], "%Y%m").unique().to_pylist()
        if month not in ([], [partition]):
            raise JobFailed(
                "invalid",
                "Some rows belong to different partitions rather than destination partition "
                f"{target}${partition}",
            )
        table = dataset.tables.get(table_name) or Table(
            fields, load["timePartitioning"], load.get("clustering")
        )
        check_fits(target, table, load)
        written = rows.slice(self.rows_lost)
        table.schema = fields
        table.partitions[partition] = written  # WRITE_TRUNCATE, of this partition only
        if table.keeps_not(partition):
            del table.partitions[partition]
        dataset.tables[table_name] = table
        return int(written.num_rows)

    def _read(self, uri: str, location: str) -> pa.Table:
        """The object's live generation, if the service may read it from there."""
        bucket_name, key = _URI.fullmatch(uri).groups()  # type: ignore[union-attr]
        bucket = self.gcs.buckets.get(bucket_name)
        if "storage.objects.get" in self.denied:
            raise JobFailed(
                "accessDenied",
                f"Access Denied: File {uri}: etl@p does not have storage.objects.get access to "
                "the Google Cloud Storage object.",
            )
        if bucket is None or key not in bucket.objects:
            raise JobFailed("notFound", f"Not found: URI {uri}")
        if location != "US" and not (
            bucket.location == location or (location == "EU" and bucket.location.lower() in _EU)
        ):
            raise JobFailed(
                "invalid",
                f"Cannot read and write in different locations: source: {bucket.location}, "
                f"destination: {location}",
            )
        return pq.read_table(io.BytesIO(bucket.objects[key].data))

    def count(self, dataset: str, table: str, column: str, first: str, after: str) -> int:
        """The rows whose date is between the two."""
        found = self.dataset(dataset).tables.get(table)
        if found is None:
            raise Refused(404, f"Not found: Table {self.project}:{dataset}.{table}", "notFound")
        texts = [pc.strftime(rows[column], "%Y-%m-%d") for rows in found.partitions.values()]
        return sum(
            int(pc.sum(pc.and_(pc.greater_equal(each, first), pc.less(each, after))).as_py() or 0)
            for each in texts
        )


def check_load(load: dict[str, Any]) -> None:
    """Refuse a load that the service would not take."""
    destination = load.get("destinationTable", {})
    if set(destination) != {"projectId", "datasetId", "tableId"}:
        raise Refused(400, "Required parameter is missing: destinationTable")
    if len(load.get("sourceUris", [])) != 1 or not _URI.fullmatch(load["sourceUris"][0]):
        raise Refused(400, "Source URI must be a Google Cloud Storage location: gs://bucket/object")
    partitioning = load.get("timePartitioning") or {}
    known_keys("timePartitioning", partitioning, {"type", "field", "expirationMs"})
    if partitioning.get("type") == "MONTH" and not _DECORATED.fullmatch(destination["tableId"]):
        raise Refused(400, f'Invalid table ID "{destination["tableId"]}": no monthly partition.')
    fields = load.get("schema", {}).get("fields", [])
    for each in fields:
        known_keys("schema.fields", each, _FIELD_KEYS)
        if each["type"] not in _TYPES or each["mode"] not in ("NULLABLE", "REQUIRED"):
            raise Refused(400, f"Invalid value for type: {each['type']} is not a valid value")
    by = next((each for each in fields if each["name"] == partitioning.get("field")), None)
    if partitioning and (by is None or by["type"] not in ("DATE", "DATETIME")):
        raise Refused(400, "The field specified for partitioning cannot be found in the schema.")
    for key, fitting in (
        ("sourceFormat", {"PARQUET"}),
        ("writeDisposition", {"WRITE_TRUNCATE"}),
        ("createDisposition", {"CREATE_IF_NEEDED"}),
    ):
        if load.get(key) not in fitting:
            raise Refused(400, f"Invalid value for {key}: {load.get(key)}")


def check_rows(rows: pa.Table, fields: list[dict[str, Any]]) -> None:
    """Fail where the file is not as the schema says."""
    names = [each["name"] for each in fields]
    if unknown := set(rows.column_names).symmetric_difference(names):
        raise JobFailed("invalid", f"Provided schema and file differ in {min(unknown)}.")
    for each in fields:
        column = rows[each["name"]]
        if column.type not in _TYPES[each["type"]]:
            raise JobFailed(
                "invalid",
                f"Error while reading data, error message: Parquet column '{each['name']}' has "
                f"type {column.type} which does not match the target {each['type']}.",
            )
        if each["mode"] == "REQUIRED" and (rows.schema.field(each["name"]).nullable):
            raise JobFailed("invalid", f"Field {each['name']} is REQUIRED, and optional in Parquet")


def check_fits(target: str, table: Table, load: dict[str, Any]) -> None:
    """Fail where the table that is there is another one than the load describes."""
    described = (load["timePartitioning"], load.get("clustering"))
    if (table.partitioning, table.clustering) != described:
        raise JobFailed(
            "invalid", f"Incompatible table partitioning specification for {target}: {described}"
        )
    have = {each["name"]: each for each in table.schema}
    given = {each["name"]: each for each in load["schema"]["fields"]}
    for name, field_ in have.items():
        if name not in given:
            raise JobFailed(
                "invalid", f"Provided Schema does not match Table {target}. Field {name} is missing"
            )
        if field_["type"] != given[name]["type"]:
            raise JobFailed(
                "invalid",
                f"Provided Schema does not match Table {target}. Field {name} has changed type "
                f"from {field_['type']} to {given[name]['type']}",
            )
    if set(given) - set(have) and "ALLOW_FIELD_ADDITION" not in load.get("schemaUpdateOptions", []):
        raise JobFailed(
            "invalid", f"Provided Schema does not match Table {target}. Cannot add fields"
        )
