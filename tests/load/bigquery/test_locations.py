"""Which buckets BigQuery is sure not to load from."""

from __future__ import annotations

import pytest

from taxietl.load.bigquery.locations import are_apart


@pytest.mark.parametrize(
    ("bucket", "dataset", "apart"),
    [
        ("EU", "US", False),
        ("asia-east1", "US", False),
        ("eu", "EU", False),
        ("europe-west6", "europe-west6", False),
        ("US", "EU", True),
        ("us-east1", "europe-west6", True),
        ("europe-west6", "EU", False),  # not in EU, which is BigQuery's to know
        ("EUR4", "europe-north1", False),
        ("US", "us-central1", False),
    ],
)
def test_only_what_is_sure_counts_as_apart(bucket: str, dataset: str, apart: bool) -> None:
    assert are_apart(bucket, dataset) is apart
