"""The rules that come with taxietl, beside `drop-zero-passengers`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from months import batch_of

from taxietl.errors import ConfigError
from taxietl.steps import registry
from taxietl.tlc.arrow import arrow_schema
from taxietl.tlc.datasets import dataset
from taxietl.tlc.trip_file import TripFile

NOON = datetime(2021, 1, 15, 12)


def _rule(text: str) -> Any:
    ((_, rule),) = registry.transformers([text])
    return rule


def _lasting(*seconds: float | None) -> pa.RecordBatch:
    ends = [None if each is None else NOON + timedelta(seconds=each) for each in seconds]
    rows = len(seconds)
    return batch_of("yellow", rows, tpep_pickup_datetime=[NOON] * rows, tpep_dropoff_datetime=ends)


def _of_fhv(rows: int) -> pa.RecordBatch:
    schema = arrow_schema(dataset("fhv"))
    return pa.RecordBatch.from_arrays([pa.nulls(rows, each.type) for each in schema], schema=schema)


class TestDropImpossibleTrips:
    @pytest.mark.parametrize(
        ("text", "seconds", "kept"),
        [
            ("drop-impossible-trips", -1, 0),
            ("drop-impossible-trips", 0, 1),
            ("drop-impossible-trips", 24 * 3600, 1),
            ("drop-impossible-trips", 24 * 3600 + 1, 0),
            ("drop-impossible-trips", None, 1),
            ("drop-impossible-trips:max_hours=0.5", 1800, 1),
            ("drop-impossible-trips:max_hours=0.5", 1801, 0),
        ],
    )
    def test_only_what_cannot_have_been_is_left_out(
        self, text: str, seconds: float | None, kept: int
    ) -> None:
        trips = _lasting(seconds, 60)

        left = _rule(text).transform(trips, dataset("yellow"))

        assert left.num_rows == kept + 1
        assert left.schema == trips.schema

    @pytest.mark.parametrize("hours", ["0", "-1", "nan", "inf"])
    def test_an_impossible_limit_is_refused(self, hours: str) -> None:
        with pytest.raises(ConfigError, match="cannot be made: ValueError: max_hours"):
            registry.transformers([f"drop-impossible-trips:max_hours={hours}"])

    def test_a_colour_without_ends_loses_nothing(self) -> None:
        trips = _of_fhv(3)

        assert _rule("drop-impossible-trips").transform(trips, dataset("fhv")) is trips


class TestDropOutsideMonth:
    @pytest.mark.parametrize(
        ("moment", "kept"),
        [
            (datetime(2020, 11, 30, 23, 59, 59, 999999), 0),
            (datetime(2020, 12, 1), 1),
            (datetime(2020, 12, 31, 23, 59, 59, 999999), 1),
            (datetime(2021, 1, 1), 0),
            (datetime(2008, 12, 31), 0),
            (None, 1),
        ],
    )
    def test_only_pick_ups_of_other_months_are_left_out(
        self, moment: datetime | None, kept: int
    ) -> None:
        december = TripFile("yellow", 2020, 12)
        trips = batch_of("yellow", 2, tpep_pickup_datetime=[moment, datetime(2020, 12, 5)])

        left = _rule("drop-outside-month").for_month(december).transform(trips, dataset("yellow"))

        assert left.num_rows == kept + 1

    def test_the_pipeline_tells_it_the_month(self, trips: Any) -> None:
        lines = [trips.line(), trips.line(tpep_pickup_datetime="2009-01-01 00:00:00")]

        cleaned = trips.clean(
            trips.csv(*lines), transformers=registry.transformers(["drop-outside-month"])
        )

        cleaned.assert_adds_up()
        assert cleaned.tally.rows_dropped == {"drop-outside-month": 1}


class TestFillMissingPassengers:
    @pytest.mark.parametrize(("text", "filled"), [("", 0), (":count=1", 1)])
    def test_the_missing_get_the_count_and_no_row_is_lost(self, text: str, filled: int) -> None:
        trips = batch_of("yellow", 3, passenger_count=[None, 0, 4])

        full = _rule(f"fill-missing-passengers{text}").transform(trips, dataset("yellow"))

        assert full.column("passenger_count").to_pylist() == [filled, 0, 4]
        assert full.drop_columns(["passenger_count"]) == trips.drop_columns(["passenger_count"])

    def test_nothing_is_done_where_none_is_missing_or_nobody_is_counted(self) -> None:
        rule = _rule("fill-missing-passengers")
        full, uncounted = batch_of("green", 2), _of_fhv(2)

        assert rule.transform(full, dataset("green")) is full
        assert rule.transform(uncounted, dataset("fhv")) is uncounted

    @pytest.mark.parametrize("count", ["-1", "100", "1.5"])
    def test_an_impossible_count_is_refused(self, count: str) -> None:
        with pytest.raises(ConfigError, match="count"):
            registry.transformers([f"fill-missing-passengers:count={count}"])
