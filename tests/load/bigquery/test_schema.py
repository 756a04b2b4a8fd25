"""The columns in BigQuery are those of the lake's files."""

from __future__ import annotations

import pyarrow as pa
import pytest

from taxietl.load.bigquery.schema import fields
from taxietl.load.lake.parquet import lake_schema
from taxietl.tlc.datasets import DATASETS

KINDS = {
    pa.int32(): "INTEGER",
    pa.float64(): "FLOAT",
    pa.string(): "STRING",
    pa.timestamp("us"): "DATETIME",
    pa.date32(): "DATE",
}


@pytest.mark.parametrize("color", DATASETS)
def test_every_column_has_the_type_that_fits_its_parquet(color: str) -> None:
    inside = [
        (each.name, KINDS[each.type], "NULLABLE" if each.nullable else "REQUIRED")
        for each in lake_schema(DATASETS[color])
    ]

    assert [(each.name, each.kind, each.mode) for each in fields(DATASETS[color])] == inside
