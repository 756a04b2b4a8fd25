"""A lake on disk is asked as a warehouse is: reading only, and nothing beside the months."""

from __future__ import annotations

from pathlib import Path

import pytest
from lakes import BucketLake, FolderLake
from months import JANUARY, batch_of

from taxietl.errors import ConfigError, TargetError
from taxietl.load.lake.parquet import write_parquet
from taxietl.load.lake.query import queried
from taxietl.load.lake.values import Form


@pytest.fixture
def folder(tmp_path: Path) -> FolderLake:
    """January of 100 rows, the same as published, and a file of somebody else's."""
    lake = FolderLake(tmp_path / "lake")
    path = tmp_path / "january.parquet"
    rows = write_parquet([batch_of("yellow", 100)], JANUARY, path)
    lake.put(path, form=Form.PARQUET, rows=rows)
    lake.put(path, form=Form.RAW, key="raw/yellow.parquet")
    lake.plant("data/yellow/theirs.parquet", path.read_bytes())
    return lake


def asked(lake: FolderLake | BucketLake, statement: str) -> list[dict[str, object]]:
    with queried(lake.lake, statement) as reader:
        rows: list[dict[str, object]] = reader.read_all().to_pylist()
    return rows


def test_a_colours_months_are_one_table(folder: FolderLake) -> None:
    found = asked(folder, "SELECT count(*) AS n, min(source_month)::TEXT AS m FROM yellow_trips")

    assert found == [{"n": 100, "m": "2021-01-01"}]


def test_a_month_that_was_replaced_is_read_anew(folder: FolderLake, tmp_path: Path) -> None:
    path = tmp_path / "restated.parquet"
    rows = write_parquet([batch_of("yellow", 90)], JANUARY, path)
    standing = folder.lake.standing(JANUARY, folder.lake.key(JANUARY, Form.PARQUET, ""))
    folder.put(path, form=Form.PARQUET, rows=rows, if_generation=standing.generation)

    assert asked(folder, "SELECT count(*) AS n FROM yellow_trips") == [{"n": 90}]


@pytest.mark.parametrize(
    "statement",
    [
        "DROP VIEW yellow_trips",
        "COPY yellow_trips TO 'out.csv'",
        "SELECT * FROM read_text('{root}/_taxietl/yellow/2021-01.json')",
        "SELECT * FROM '{root}/data/yellow/theirs.parquet'",
        "SELECT * FROM green_trips",
    ],
)
def test_nothing_else_can_be_read_and_nothing_written(folder: FolderLake, statement: str) -> None:
    with pytest.raises((ConfigError, TargetError)):
        asked(folder, statement.format(root=folder.root))


def test_an_empty_lake_says_so(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="nothing in"):
        asked(FolderLake(tmp_path), "SELECT 1")


def test_a_bucket_cannot_be_asked_and_says_why(bucket: BucketLake) -> None:
    with pytest.raises(ConfigError, match="gs://lake cannot be asked"):
        asked(bucket, "SELECT 1")
