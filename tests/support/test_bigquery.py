"""The BigQuery of the tests refuses what the real one refuses, and answers as it does."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
from bigquery import BigQuery
from gcs import Gcs
from google.api_core.exceptions import BadRequest, Conflict, NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery as google

FIELDS = [
    google.SchemaField("VendorID", "INTEGER"),
    google.SchemaField("source_month", "DATE", mode="REQUIRED"),
]


@pytest.fixture
def service() -> Iterator[BigQuery]:
    service = BigQuery(Gcs())
    service.store.make("trips", "EU", {})
    service.store.gcs.bucket().location = "europe-west4"
    with service.serving():
        yield service


@pytest.fixture
def client(service: BigQuery) -> google.Client:
    return google.Client(
        project="p",
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": service.url},
    )


def put(service: BigQuery, month: date = date(2021, 1, 1), rows: int = 3, **columns: Any) -> None:
    """An object in the bucket."""
    schema = pa.schema(
        [
            ("VendorID", columns.get("kind", pa.int32())),
            pa.field("source_month", pa.date32(), False),
        ]
    )
    table = pa.table({"VendorID": [None] * rows, "source_month": [month] * rows}, schema=schema)
    sink = io.BytesIO()
    pq.write_table(table, sink)
    service.store.gcs.bucket().insert("a.parquet", sink.getvalue(), {"name": "a.parquet"}, None)


def load(client: google.Client, **other: Any) -> google.LoadJob:
    """Load it into January, and wait."""
    config = google.LoadJobConfig(
        source_format="PARQUET",
        schema=FIELDS,
        write_disposition="WRITE_TRUNCATE",
        create_disposition="CREATE_IF_NEEDED",
        time_partitioning=google.TimePartitioning(type_="MONTH", field="source_month"),
        **other.pop("config", {}),
    )
    given = {"job_id": "j", "location": "EU", "retry": None, **other}
    target = given.pop("target", "p.trips.green_trips$202101")
    uri = given.pop("uri", "gs://lake/a.parquet")
    client.load_table_from_uri(uri, target, job_config=config, **given)
    job = client.get_job(given["job_id"], location=given["location"], retry=None)
    assert isinstance(job, google.LoadJob)
    return job


def test_a_load_replaces_its_partition(service: BigQuery, client: google.Client) -> None:
    put(service)
    assert load(client).output_rows == 3
    put(service, date(2021, 2, 1), rows=4)
    load(client, job_id="k", target="p.trips.green_trips$202102")
    put(service, rows=2)
    load(client, job_id="l")

    assert service.rows() == {"202101": 2, "202102": 4}


def test_a_name_is_run_once(service: BigQuery, client: google.Client) -> None:
    put(service)
    load(client)

    with pytest.raises(Conflict):
        load(client)
    assert service.store.written == ["j"]


def test_a_job_outside_of_us_and_eu_is_found_by_its_place_only(
    service: BigQuery, client: google.Client
) -> None:
    service.store.make("there", "europe-west4", {})
    put(service)
    load(client, location="europe-west4", target="p.there.green_trips$202101")

    with pytest.raises(NotFound):
        client.get_job("j", retry=None)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"uri": "gs://lake/a.parquet#17"}, "must be a Google Cloud Storage location"),
        ({"target": "p.trips.green_trips"}, "no monthly partition"),
        ({"target": "p.trips.green_trips$20210101"}, "no monthly partition"),
        ({"job_id": "a.b"}, "Invalid job ID"),
        ({"config": {"labels": {"a": "b"}, "null_marker": "x"}}, 'Unknown name "nullMarker"'),
    ],
)
def test_a_request_that_the_service_would_not_take_is_refused(
    service: BigQuery, client: google.Client, how: dict[str, Any], said: str
) -> None:
    put(service)

    with pytest.raises(BadRequest) as caught:
        load(client, **how)

    assert said in str(caught.value)


def test_a_load_elsewhere_than_the_dataset_is_refused(
    service: BigQuery, client: google.Client
) -> None:
    with pytest.raises(NotFound, match="was not found in location US"):
        load(client, location="US")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("month", "Some rows belong to different partitions"),
        ("type", "Parquet column 'VendorID' has type double"),
        ("place", "Cannot read and write in different locations: source: us-east1"),
        ("object", "Not found: URI gs://lake/a.parquet"),
    ],
)
def test_a_job_that_the_service_would_fail_fails(
    service: BigQuery, client: google.Client, wrong: str, said: str
) -> None:
    put(service)
    match wrong:
        case "month":
            put(service, date(2021, 2, 1))
        case "type":
            put(service, kind=pa.float64())
        case "place":
            service.store.gcs.bucket().location = "us-east1"
        case "object":
            service.store.gcs.bucket().objects.clear()

    job = load(client)

    assert said in job.error_result["message"]
    assert service.store.written == []


def test_what_the_protocol_does_not_have_is_refused(service: BigQuery) -> None:
    base = f"{service.url}/bigquery/v2/projects/p"

    for path, body in (
        ("datasets", {"datasetReference": {"projectId": "p", "datasetId": "x"}, "nonsense": 1}),
        ("queries", {"query": "SELECT 1", "nonsense": 1}),
        ("jobs", {"jobReference": {}, "configuration": {}, "nonsense": 1}),
    ):
        done = requests.post(f"{base}/{path}", json=body, timeout=5)
        assert done.status_code == 400
        assert "nonsense" in done.text
    assert requests.get(f"{base}/datasets/trips?nonsense=1", timeout=5).status_code == 400
