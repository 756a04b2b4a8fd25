"""A bucket of a test's own, and ways to put things there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gcs import Gcs
from lakes import BucketLake, FolderLake, LakeOfATest


@pytest.fixture
def gcs() -> Iterator[Gcs]:
    """The service, with a bucket `lake`."""
    service = Gcs()
    service.bucket("lake")
    with service.serving():
        yield service


@pytest.fixture
def bucket(gcs: Gcs) -> BucketLake:
    """A lake in that bucket."""
    return BucketLake(gcs)


@pytest.fixture(params=["bucket", "folder"])
def lake(request: pytest.FixtureRequest, gcs: Gcs, tmp_path: Path) -> LakeOfATest:
    """A lake of either kind."""
    return BucketLake(gcs) if request.param == "bucket" else FolderLake(tmp_path / "lake")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of three chunks and a bit, all bytes unlike their neighbours."""
    path = tmp_path / "month.parquet"
    path.write_bytes(bytes(range(251)) * 3500)
    return path
