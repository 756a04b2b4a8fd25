"""Which state a month has, from what is recorded and what ran last. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from taxietl.flows import coverage_reading, drop, ingest, upload
from taxietl.flows.coverage import Coverage, MonthState, coverage_of
from taxietl.flows.coverage_records import Ending, LastRun, Reading, Record
from taxietl.tlc.selection import MonthOptions
from taxietl.tlc.trip_file import TripFile

NOW = datetime(2021, 7, 15, 12, tzinfo=UTC)
JANUARY = TripFile("green", 2021, 1)
RECORD = Record(
    JANUARY,
    "green_trips",
    80,
    NOW - timedelta(days=9),
    "green-2021-01",
    *("./files", "file:///x", None, 9, "a" * 64),
)
RUN = LastRun(
    JANUARY, "green_trips", Ending.FAILED, NOW - timedelta(days=1), "green-2021-01-2", "Error: no"
)


def covered(
    *records: Record,
    runs: tuple[LastRun, ...] = (),
    read_from: str = "ledger",
    options: MonthOptions = MonthOptions(),  # noqa: B008  frozen
) -> Coverage:
    usual = {each: f"{each}_trips" for each in ("yellow", "green", "fhv", "fhvhv")}
    reading = Reading("warehouse", "here", read_from, usual, records, runs)
    return coverage_of(reading, options.filter(NOW.date()), NOW, every_color=bool(options.color))


def state_of(found: Coverage, month: str = "2021-01") -> MonthState:
    ((state,),) = [
        [each.state for each in table.months if str(each.trip_file).endswith(month)]
        for table in found.tables
    ]
    return state


@pytest.mark.parametrize(
    ("record", "run", "state"),
    [
        (RECORD, None, "loaded"),
        (replace(RECORD, dropped_at=NOW), None, "dropped"),
        (replace(RECORD, problem="is gone"), RUN, "broken"),
        (None, RUN, "failed"),
        (RECORD, RUN, "failed"),
        (replace(RECORD, loaded_at=NOW), RUN, "loaded"),
        (replace(RECORD, dropped_at=NOW), RUN, "dropped"),
        (RECORD, replace(RUN, ending=Ending.REFUSED), "refused"),
        (RECORD, replace(RUN, ending=Ending.UNDER_WAY), "loading"),
        (RECORD, replace(RUN, ending=Ending.DONE), "loaded"),
        (None, replace(RUN, ending=Ending.DONE), "missing"),
        (RECORD, replace(RUN, ending=Ending.NOT_PUBLISHED), "loaded"),
        (None, replace(RUN, ending=Ending.NOT_PUBLISHED), "not published"),
    ],
)
def test_the_state_of_a_month(record: Record | None, run: LastRun | None, state: str) -> None:
    found = covered(*[record] * bool(record), runs=(run,) * bool(run))

    assert state_of(found) == state if found.tables else state == "missing"


def test_the_months_go_from_the_colours_first_to_today() -> None:
    (green,) = covered(RECORD).tables

    assert [str(each.trip_file) for each in green.months[:: len(green.months) - 1]] == [
        "green-2013-08",
        "green-2021-07",
    ]
    assert [each.state for each in green.months[-3:]] == [
        "missing",
        "not published",
        "not published",
    ]
    assert (green.rows, len(green.there), str(green.newest)) == (80, 1, "green-2021-01")
    assert green.possible == len(green.months) - 2


def test_a_month_that_is_not_in_the_history_is_unknown_not_missing() -> None:
    found = covered(RECORD, read_from="history")

    assert [state_of(found, each) for each in ("2021-01", "2021-02", "2021-07")] == [
        "loaded",
        "unknown",
        "not published",
    ]


def test_only_what_is_asked_for_is_there() -> None:
    january = covered(RECORD, options=MonthOptions(("green",), "2021", ("1-2",)))
    every = covered(RECORD, options=MonthOptions(("all",), "2021"))

    assert [str(each.trip_file) for each in january.tables[0].months] == [
        "green-2021-01",
        "green-2021-02",
    ]
    assert [each.color for each in every.tables] == ["yellow", "green", "fhv", "fhvhv"]
    assert covered(RECORD).absent == ("yellow", "fhv", "fhvhv")


def test_tables_of_other_names_are_grids_of_their_own() -> None:
    both = covered(RECORD, replace(RECORD, table="mine", rows=7))
    other = covered(replace(RECORD, table="mine"))

    assert [(each.table, each.rows, each.is_usual) for each in both.tables] == [
        ("green_trips", 80, True),
        ("mine", 7, False),
    ]
    assert [each.table for each in other.tables] == ["mine"]


def test_flows_and_tasks_are_called_as_the_reading_calls_them() -> None:
    assert (ingest.ingest.name, ingest.load.name) == (
        coverage_reading.INGEST,
        coverage_reading.LOAD,
    )
    assert (drop.drop_month.name, drop.take_out.name) == (
        coverage_reading.DROP,
        coverage_reading.TAKE_OUT,
    )
    assert upload.upload_month.name == coverage_reading.UPLOAD
