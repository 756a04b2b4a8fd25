"""Leaving out trips without passengers: a missing count is not zero."""

from __future__ import annotations

import pyarrow as pa

from taxietl.tlc.datasets import dataset
from taxietl.transform.zero_passengers import DropZeroPassengers


def test_only_a_count_of_zero_is_left_out() -> None:
    batch = pa.record_batch({"passenger_count": pa.array([0, 1, None, 0, 9], pa.int32())})

    kept = DropZeroPassengers().transform(batch, dataset("yellow"))

    assert kept.column("passenger_count").to_pylist() == [1, None, 9]
    assert kept.schema == batch.schema


def test_a_batch_without_any_is_passed_on_as_it_is() -> None:
    batch = pa.record_batch({"passenger_count": pa.array([1, None], pa.int32())})

    assert DropZeroPassengers().transform(batch, dataset("green")) is batch


def test_a_colour_that_counts_nobody_loses_nothing() -> None:
    batch = pa.record_batch({"dispatching_base_num": ["B00001"]})

    assert DropZeroPassengers().transform(batch, dataset("fhv")) is batch
