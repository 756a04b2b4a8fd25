"""What a version of a month says of itself."""

from __future__ import annotations

import pytest

from taxietl.steps.values import SourceVersion
from taxietl.tlc.trip_file import TripFile


@pytest.mark.parametrize(
    ("url", "at_hand"),
    [
        ("https://host/yellow_tripdata_2021-01.parquet", False),
        ("gs://bucket/yellow.parquet", False),
        ("s3://bucket/of-an-extractor-that-we-do-not-know.parquet", False),
        ("file:///files/yellow_tripdata_2021-01.parquet", True),
        ("/lake/yellow.parquet", True),
        ("synthetic:yellow-2021-01?rows=9&seed=1", True),
    ],
)
def test_bytes_are_at_hand_unless_their_address_names_a_server(url: str, at_hand: bool) -> None:
    assert SourceVersion(TripFile("yellow", 2021, 1), "any", url, "1", 9).at_hand is at_hand
