"""Rules over pandas frames: what they get, and what they may give back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import taxietl
from taxietl.errors import ConfigError
from taxietl.tlc.datasets import Dataset, dataset
from taxietl.transform.frames import pandas_transformer

BATCH = pa.record_batch(
    {
        "VendorID": pa.array([1, 2, None], pa.int32()),
        "fare_amount": [1.5, None, 3.0],
        "store_and_fwd_flag": ["Y", None, "N"],
        "tpep_pickup_datetime": pa.array([10**15, None, 0], pa.timestamp("us")),
    }
)
YELLOW = dataset("yellow")


@pandas_transformer
def drop_cheap(trips: pd.DataFrame, dataset: Dataset, *, dollars: float = 2.0) -> pd.DataFrame:
    assert dataset is YELLOW
    return trips[(trips["fare_amount"] >= dollars).fillna(True)]


def _changed(change: Any) -> pa.RecordBatch:
    @pandas_transformer
    def rule(trips: pd.DataFrame, dataset: Dataset) -> Any:
        return change(trips)

    return rule().transform(BATCH, YELLOW)


def test_it_is_exported() -> None:
    assert taxietl.pandas_transformer is pandas_transformer


def test_a_function_drops_rows_by_its_options() -> None:
    assert drop_cheap().transform(BATCH, YELLOW).to_pylist() == BATCH.slice(1).to_pylist()
    assert drop_cheap(dollars=1).transform(BATCH, YELLOW) == BATCH
    assert drop_cheap(dollars=9).transform(BATCH, YELLOW).num_rows == 1
    assert drop_cheap().options == {"dollars": 2.0}


def test_a_class_is_one_with_its_fields_as_options() -> None:
    @pandas_transformer
    @dataclass(frozen=True)
    class OnlyVendor:
        vendor: int

        def transform(self, trips: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
            return trips[trips["VendorID"] == self.vendor]

    rule: Any = OnlyVendor(2)

    assert rule.transform(BATCH, YELLOW) == BATCH.slice(1, 1)
    assert rule.version.startswith("source ")


def test_the_version_changes_with_the_source_text() -> None:
    @pandas_transformer
    def one(trips: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
        return trips

    @pandas_transformer
    def two(trips: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
        return trips[:1]

    assert one().version == one().version != two().version


def test_a_function_that_cannot_take_a_dataset_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match=r"rule has to take \(trips, dataset\)"):

        @pandas_transformer
        def rule(trips: pd.DataFrame, *, dollars: float = 1) -> pd.DataFrame:
            return trips


def test_a_rule_without_source_text_has_to_say_its_version() -> None:
    scope: dict[str, Any] = {}
    exec(compile("def rule(trips, dataset): return trips", "<a rule>", "exec"), scope)

    with pytest.raises(ConfigError, match="'rule' does not say its version"):
        pandas_transformer(scope["rule"])()
    scope["rule"].version = "5"
    assert pandas_transformer(scope["rule"])().version == "5"


def test_types_are_arrows_and_nothing_is_lost_on_the_way() -> None:
    seen = []

    def note(trips: pd.DataFrame) -> pd.DataFrame:
        seen.append(trips.dtypes)
        return trips

    assert _changed(note) == BATCH
    assert {type(each) for each in seen[0]} == {pd.ArrowDtype}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda trips: trips.assign(VendorID=[1.0, 2.0, None]), id="numpy floats"),
        pytest.param(lambda trips: pd.DataFrame(BATCH.to_pydict(), dtype=object), id="objects"),
        pytest.param(lambda trips: trips.set_index(pd.Index(["a", "b", "c"])), id="own index"),
    ],
)
def test_other_types_that_hold_the_same_values_are_taken(change: Any) -> None:
    assert _changed(change) == BATCH


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda trips: trips.assign(extra=1), "changed the columns: new extra"),
        (lambda trips: trips.drop(columns="VendorID"), "changed the columns: no VendorID"),
        (lambda trips: trips[trips.columns[::-1]], "changed the columns, their order"),
        (lambda trips: trips.assign(VendorID=1.5), "made VendorID other than int32"),
        (lambda trips: trips.assign(fare_amount="much"), "made fare_amount other than double"),
        (lambda trips: trips.assign(VendorID=2**40), "made VendorID other than int32"),
    ],
)
def test_what_does_not_fit_is_named(change: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        _changed(change)


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(TypeError, match="returned NoneType, not a DataFrame"):
        _changed(lambda trips: None)


def test_no_row_left_is_a_batch_all_the_same() -> None:
    assert _changed(lambda trips: trips[:0]) == BATCH.slice(0, 0)
