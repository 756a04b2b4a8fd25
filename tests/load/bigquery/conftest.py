"""A dataset of a test's own, and a client that does not really wait."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from bigquery import BigQuery
from gcs import Gcs
from lakes import Slept

from taxietl.load.bigquery.profile import BigQueryProfile
from taxietl.load.bigquery.service import Service
from taxietl.load.google.profile import GcpCredentialsProfile
from taxietl.load.lake.patience import Patience


@pytest.fixture
def bigquery() -> Iterator[BigQuery]:
    """The service; its bucket is empty."""
    service = BigQuery(Gcs())
    with service.serving():
        yield service


@pytest.fixture
def slept() -> Slept:
    return Slept()


@pytest.fixture
def service(bigquery: BigQuery, slept: Slept) -> Service:
    """What taxietl asks there."""
    nobody = GcpCredentialsProfile(anonymous=True)
    profile = BigQueryProfile(
        project="p", dataset="trips", credentials="nobody", endpoint=bigquery.url
    ).referring("credentials", nobody)
    patience = Patience(
        attempts=4, connect_seconds=30, silence_seconds=30, sleep=slept, rng=Random(1)
    )
    return Service(profile, patience=patience)
