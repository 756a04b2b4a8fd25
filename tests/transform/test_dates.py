"""Times in another order than ISO 8601: exact where the file shows the order, else refused."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxietl.errors import SchemaError
from taxietl.extract.synthetic.csv_looks import csv_look
from taxietl.tlc.datasets import Kind, dataset
from taxietl.tlc.trip_file import TripFile

PICKUP, DROPOFF = "tpep_pickup_datetime", "tpep_dropoff_datetime"


def half(t: datetime) -> str:
    return f"{t.hour % 12 or 12:02}:{t:%M:%S} {t:%p}"


DIALECTS: dict[str, Callable[[datetime], str]] = {
    "open-data": lambda t: f"{t:%m/%d/%Y} {half(t)}",
    "open-data-short": lambda t: f"{t.month}/{t.day}/{t.year} {half(t).lstrip('0')}",
    "month-first-24": lambda t: f"{t.month}/{t.day}/{t.year} {t.hour}:{t:%M:%S}",
    "day-first": lambda t: f"{t:%d/%m/%Y %H:%M:%S}",
    "day-first-dots": lambda t: f"{t.day}.{t.month}.{t.year} {t:%H:%M:%S}",
    "day-first-dashes": lambda t: f"{t:%d-%m-%YT%H:%M:%S}",
    "browser": lambda t: f'"{t.month}/{t.day}/{t.year}, {half(t).lower()}"',
    "browser-of-today": lambda t: f'"{t.month}/{t.day}/{t.year}, {half(t)}"'.replace(" ", "\u202f"),
    "padded": lambda t: f"\xa0{t:%m/%d/%Y}\xa0{half(t)}\u200b",
    "year-first-slashes": lambda t: f"{t:%Y/%m/%d %H:%M:%S}",
    "year-first-short": lambda t: f"{t.year}-{t.month}-{t.day} {t.hour}:{t.minute}:{t.second}",
    "year-first-half": lambda t: f"{t:%Y-%m-%d} {half(t)}",
    "iso": lambda t: f"{t:%Y-%m-%dT%H:%M:%S}",
    "iso-parts": lambda t: f"{t:%Y-%m-%d %H:%M:%S}.000",
    "parts": lambda t: f"{t:%m/%d/%Y %H:%M:%S}.000",
}
SHOWS = datetime(2021, 1, 13, 0, 0, 1)
TIMES = st.datetimes(datetime(2008, 1, 1), datetime(2098, 12, 31)).map(
    lambda time: time.replace(microsecond=0)
)


@given(times=st.lists(TIMES, min_size=1, max_size=9), dialect=st.sampled_from(sorted(DIALECTS)))
def test_every_time_is_exact_whatever_its_dialect(
    trips: Any, times: list[datetime], dialect: str
) -> None:
    times = [*times, SHOWS]
    write = DIALECTS[dialect]
    lines = [trips.line(**{PICKUP: write(each), DROPOFF: write(each)}) for each in times]

    cleaned = trips.clean(trips.csv(*lines), block_bytes=400)

    cleaned.assert_adds_up()
    assert cleaned.column(PICKUP) == cleaned.column(DROPOFF) == times
    assert cleaned.tally.values_nulled == {}


@pytest.mark.parametrize(
    ("color", "month", "dialect"),
    [
        ("yellow", (2009, 1), "open-data"),
        ("yellow", (2014, 5), "day-first"),
        ("green", (2013, 9), "year-first-slashes"),
        ("green", (2021, 2), "open-data"),
        ("fhv", (2015, 1), "day-first"),
        ("fhv", (2018, 1), "year-first-slashes"),
        ("fhv", (2019, 8), "open-data"),
        ("fhvhv", (2019, 2), "day-first"),
    ],
)
def test_the_times_of_any_colour_and_era(
    trips: Any, color: str, month: tuple[int, int], dialect: str
) -> None:
    look = csv_look(color, month)
    assert look is not None
    names = [name for name in look.names if "date" in name.lower()]
    times = [datetime(*month, day, 11, 59, 58) for day in range(1, 29)]
    lines = [
        ",".join(DIALECTS[dialect](each) if name in names else "" for name in look.names)
        for each in times
    ]

    path = trips.csv(*lines, header=",".join(look.names))
    cleaned = trips.clean(path, TripFile(color, *month))

    of = [each.name for each in dataset(color).columns if each.kind is Kind.TIME]
    loaded = [cleaned.column(name) for name in of if any(cleaned.column(name))]
    assert loaded == [times] * len(names)


def test_a_time_far_behind_shows_what_the_first_ones_are(trips: Any) -> None:
    lines = [trips.line(**{PICKUP: "01/02/2021 10:00:00 AM"})] * 500
    lines += [trips.line(**{DROPOFF: "13/01/2021 00:30"})]

    cleaned = trips.clean(trips.csv(*lines, name="t.csv.gz"), block_bytes=1000)

    assert cleaned.column(PICKUP)[0] == datetime(2021, 2, 1, 10)
    assert cleaned.column(DROPOFF)[-1] == datetime(2021, 1, 13, 0, 30)


def test_it_is_logged_which_line_shows_the_order(
    trips: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "taxietl.transform")
    lines = [trips.line(), trips.line(**{PICKUP: "1/31/2021 10:00"})]
    path = trips.csv(*lines)

    assert trips.clean(path).column(PICKUP)[-1] == datetime(2021, 1, 31, 10)
    assert caplog.messages == [
        f"{path}: dates are read as month, day, year, as 1/31/2021 10:00 in line 3 shows"
    ]


@pytest.mark.parametrize("block_bytes", [400, 1 << 20])
@pytest.mark.parametrize("first", ["13/1/2021", "1/13/2021"])
def test_two_orders_in_one_file_refuse_it(trips: Any, first: str, block_bytes: int) -> None:
    other = "1/14/2021" if first.startswith("13") else "14/1/2021"
    lines = [trips.line()] * 300 + [trips.line(**{PICKUP: f"{first} 10:00"})]
    lines += [trips.line(**{DROPOFF: f"{other} 10:00"})]
    path = trips.csv(*lines)

    with pytest.raises(SchemaError, match=rf"are in two orders: .* {other} in line 303") as error:
        trips.clean(path, block_bytes=block_bytes)
    assert str(path) in error.value.message
    assert "2020-12-31 23:59:00" in error.value.hint


@pytest.mark.parametrize(
    ("time", "hint"),
    [
        (
            "01/02/2021 10:00:00 AM",
            "no time of the file that can be taken apart has a day above 12",
        ),
        ("12.12.2020 23:59", "no time of the file that can be taken apart has a day above 12"),
        ("31/12/20 23:59", "has two digits"),
    ],
)
def test_what_nothing_shows_stays_refused(trips: Any, time: str, hint: str) -> None:
    with pytest.raises(SchemaError, match=f"3 of 3 values of {PICKUP}") as error:
        trips.clean(trips.csv(*[trips.line(**{PICKUP: time})] * 3))
    assert hint in error.value.hint


def test_the_order_is_not_blamed_where_the_file_shows_it(trips: Any) -> None:
    lines = [trips.line(**{PICKUP: time}) for time in ("1/13/2021 10:00", "1/13/2021 25:00")]

    with pytest.raises(SchemaError, match=f"1 of 2 values of {PICKUP}") as error:
        trips.clean(trips.csv(*lines))
    assert "is another format" in error.value.hint


def test_a_remark_has_the_time_as_it_is_written(trips: Any) -> None:
    cleaned = trips.clean(trips.csv(trips.line(**{PICKUP: "01/31/2021"})))

    assert [(each.line, each.raw) for each in cleaned.tally.remarks] == [(2, "01/31/2021")]


IMPOSSIBLE = (
    *("2/30/2021 10:00", "13/13/2021 10:00", "1/2-2021 10:00", "1/2/20211 10:00"),
    *("1/2/2021 13:00 PM", "1/2/2021 0:00 AM", "1/2/2021 24:00", "1/2/2021 10:60"),
    *("2021/2/29 10:00", "2021/1/2 10:00 ZM", "2021/1/2 10", "1/2/2021 10:00Z", "1/2/0000"),
)


def test_times_that_do_not_exist_are_null_and_noted_as_they_are_written(trips: Any) -> None:
    good = [trips.line(**{PICKUP: "1/31/2021 10:00"})] * 100 * len(IMPOSSIBLE)
    bad = [trips.line(**{PICKUP: time}) for time in IMPOSSIBLE]

    cleaned = trips.clean(trips.csv(*good, *bad))

    assert cleaned.column(PICKUP)[len(good) :] == [None] * len(bad)
    assert [(note.line, note.raw) for note in cleaned.tally.notes] == [
        (len(good) + number, time) for number, time in enumerate(IMPOSSIBLE, 2)
    ]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary()], ids=str)
def test_texts_in_parquet_are_read_alike(trips: Any, kind: pa.DataType) -> None:
    texts = ["01/02/2021 12:00:00 AM", None, "01/31/2021 12:00:01 PM"]
    path = trips.parquet(**{PICKUP: pa.array(texts).cast(kind)})

    assert trips.clean(path).column(PICKUP) == [
        datetime(2021, 1, 2),
        None,
        datetime(2021, 1, 31) + timedelta(hours=12, seconds=1),
    ]
