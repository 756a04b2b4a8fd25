"""A lake and a dataset of a test's own, and the commands between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bigquery import BigQuery
from bq_home import MONTH, Command, both, configuration, write_month
from command import Done, Taxietl
from gcs import Gcs


@pytest.fixture
def services(home: Path) -> Iterator[tuple[Gcs, BigQuery]]:
    with both() as (gcs, bigquery):
        Path("taxietl.toml").write_text(configuration(gcs, bigquery))
        yield gcs, bigquery


@pytest.fixture
def gcs(services: tuple[Gcs, BigQuery]) -> Gcs:
    return services[0]


@pytest.fixture
def bigquery(services: tuple[Gcs, BigQuery]) -> BigQuery:
    return services[1]


@pytest.fixture
def upload(taxietl: Taxietl, bigquery: BigQuery, tmp_path: Path) -> Command:
    """Makes a month and brings it into the lake."""

    def run(month: int = 1, *, rows: int = 200, seed: int = 0) -> Done:
        write_month(tmp_path / "files", month, rows=rows, seed=seed)
        source = ("--source", tmp_path / "files")
        done = taxietl("upload-gcs", *MONTH, "--month", month, *source, "--json")
        assert done.code == 0, done.err
        return done

    return run


@pytest.fixture
def load(taxietl: Taxietl, bigquery: BigQuery) -> Command:
    """Loads green months of 2021."""

    def run(*arguments: object, month: object = 1) -> Done:
        return taxietl("load-bq", *MONTH, "--month", month, *arguments)

    return run
