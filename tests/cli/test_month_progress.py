"""How several months are shown as they go: by a table, or by lines."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pytest

from taxietl.cli.month_progress import MonthTable
from taxietl.cli.progress import duration
from taxietl.flows.progress import Doing, Moved
from taxietl.tlc.trip_file import TripFile

JANUARY, FEBRUARY, MARCH = (TripFile("green", 2021, month) for month in (1, 2, 3))


@dataclass
class Report:
    action: str = "loaded"
    rows_loaded: int = 1_000_000


@dataclass
class Error:
    message: str = "no such\nfile"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def shown(table: MonthTable) -> list[str]:
    from rich.console import Console

    text = io.StringIO()
    Console(file=text, width=120).print(table.as_table())
    return [" ".join(line.split()) for line in text.getvalue().splitlines()]


def test_the_table_has_what_ended_and_what_is_under_way_with_rates_and_the_time_left() -> None:
    clock = Clock()
    table = MonthTable(clock=clock)
    table.expected(4)
    table.began(JANUARY)
    clock.now += 10
    table.finished(JANUARY, Report(), None)
    table.began(FEBRUARY)
    table.finished(FEBRUARY, None, Error())
    table.began(MARCH)
    table.moved(MARCH, Moved(Doing.FETCHING, 2_000_000, 8_000_000))
    fetching = shown(table)
    clock.now += 2
    table.ended(MARCH)
    table.moved(MARCH, Moved(Doing.LOADING, 500_000))

    assert fetching[3] == "green-2021-03 fetching 2.0 of 8.0 0.0 s"
    assert shown(table) == [
        "month state rows rows/s MB time",
        "green-2021-01 loaded 1,000,000 100,000 10 s",
        "green-2021-02 failed: no such file 0.0 s",
        "green-2021-03 loading 500,000 250,000 2.0 of 8.0 2.0 s",
        "2 of 4 months ended, 1 under way, 1 failed, 1,000,000 rows, 12 s, about 7.2 s left",
    ]


def test_of_many_months_the_latest_and_the_failed_ones_are_shown() -> None:
    table = MonthTable()
    table.expected(84)
    for number in range(84):
        month = TripFile("green", 2014 + number // 12, number % 12 + 1)
        table.began(month)
        table.finished(month, Report("nothing to do"), Error() if number == 3 else None)

    lines = shown(table)

    assert lines[1].startswith("green-2014-04 failed")
    assert lines[-2].startswith("green-2020-12 nothing to do")
    assert len(lines) == 11


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (61, "1 min 1 s"), (59.4, "59 s"), (4000, "1 h 6 min")],
)
def test_a_duration_is_told_as_a_person_would(seconds: float, text: str) -> None:
    assert duration(seconds) == text
