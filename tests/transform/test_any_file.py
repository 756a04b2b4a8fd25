"""Files of any era, with any dirt and any line ends: every row is accounted for, every value right.

The oracle is how the file was made: each cell was drawn together with what it means.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from taxietl.extract.synthetic.csv_looks import csv_look
from taxietl.tlc.trip_file import TripFile

MONTHS = {
    "yellow": ["2009-01", "2010-05", "2014-05", "2015-01", "2015-07", "2016-07", "2017-01"],
    "green": ["2013-08", "2014-01", "2015-01", "2015-07", "2016-01", "2016-07", "2017-01"],
    "fhv": ["2015-01", "2017-01", "2017-07", "2019-01"],
    "fhvhv": ["2019-02"],
}
for _color in ("yellow", "green"):
    MONTHS[_color] += ["2019-01", "2021-01"]
ERAS = [(color, month) for color, months in MONTHS.items() for month in months]

LOST = object()
"""Means: null, counted and noted."""

NOTHING = [("", None), (r"\N", None)]
WHOLE = [("1", 1), ("265", 265), ("007", 7), ("1.0", 1), (" 2 ", 2), ("-1", -1), ("2e1", 20)]
WHOLE += [("1.5", LOST), ("x", LOST), ("99999999999", LOST), ("NaN", LOST), ("0x1", LOST)]
NUMBER = [("0", 0.0), (".50", 0.5), ("2.6299999999999999", 2.63), ("-52", -52.0), (" 3", 3.0)]
NUMBER += [("1e3", 1000.0), ("$8", LOST), ("inf", LOST), ("1e999", LOST), ("1,5", LOST)]
TIME = [("2020-02-29 23:59:59", datetime(2020, 2, 29, 23, 59, 59))]
TIME += [("2009-01-01T00:00:00.5", datetime(2009, 1, 1, 0, 0, 0, 500_000))]
TIME += [("2021-02-29 00:00:00", LOST), ("7/8/2021 22:56", LOST), ("soon", LOST)]
TEXT = [("N", "N"), ("é", "é"), ("a,b", "a,b"), ("NA", "NA"), ("x y", "x y")]
LICENCE = [("B00001", "B00001"), ("b7 ", "b7"), ("   ", None), ("B,1", "B,1")]
VENDOR = [("CMT", 1), ("vts", 2), ("DDS ", 3), ("2", 2), ("Uber", LOST)]
PAYMENT = [("Cash", 2), ("NA ", 5), ("No ", 3), ("CRD", 1), ("1", 1), ("IOU", LOST)]
FLAG = [("0", "N"), ("1.0", "Y"), ("N", "N"), ("Y", "Y")]

CODES = {"vendorid", "ratecodeid", "rate_code", "pulocationid", "dolocationid", "locationid"}
CODES |= {"passenger_count", "payment_type", "trip_type", "sr_flag"}
LICENCES = {"dispatching_base_num", "hvfhs_license_num"}


def _pool(name: str) -> list[tuple[str, Any]]:
    """What may stand in a column, and what it means."""
    plain = name.strip().lower()
    if plain in ("vendor_name", "vendor_id", "vendorid"):
        return VENDOR + NOTHING
    if plain == "payment_type":
        return PAYMENT + NOTHING
    if plain.startswith("store_and_f"):
        return FLAG + NOTHING
    if plain in CODES:
        return WHOLE + NOTHING
    if plain in LICENCES:
        return LICENCE + NOTHING
    return (TIME if "date" in plain else NUMBER) + NOTHING


def _clean(name: str) -> tuple[str, Any]:
    return _pool(name)[0]


@dataclass(frozen=True)
class Made:
    """A file, and what it means."""

    color: str
    month: str
    content: bytes
    cells: list[list[tuple[str, Any]]]
    """Text and meaning, by row that is a trip, then by column of the file."""

    rejected: list[int]
    """Lines that are none: of another length, or without one number or time."""

    lines: list[int]
    """Line of each row."""

    names: tuple[str, ...]


def _is_trip(names: tuple[str, ...], cells: list[tuple[str, Any]]) -> bool:
    """Whether one of the numbers and times can be read."""
    typed = [cell for name, cell in zip(names, cells, strict=True) if not _is_text(name)]
    return any(meaning is not None and meaning is not LOST for _, meaning in typed)


def _is_text(name: str) -> bool:
    plain = name.strip().lower()
    return plain in LICENCES or plain.startswith("store_and_f")


FILLING = 120  # clean rows about the others: over 1 % of lost cells would be another format


@st.composite
def made_files(draw: st.DrawFn) -> Made:
    color, month = draw(st.sampled_from(ERAS))
    year, number = map(int, month.split("-"))
    look = csv_look(color, (year, number))
    assert look is not None
    quoted = draw(st.booleans())
    order = draw(st.permutations(range(len(look.names))))
    names = tuple(look.names[at] for at in order)
    clean = [_clean(name) for name in names]
    end = draw(st.sampled_from([b"\n", b"\r\n", b"mixed"]))
    kinds = draw(st.lists(st.sampled_from(["row", "row", "blank", "short", "long"]), max_size=6))
    kinds = ["clean"] * draw(st.integers(0, FILLING)) + kinds
    kinds += ["clean"] * max(1, FILLING - len(kinds))
    lost: set[int] = set()
    text = [",".join(f'"{name}"' if quoted else name for name in names).encode()]
    rows: list[list[tuple[str, Any]]] = []
    rejected, lines = [], []
    for line, kind in enumerate(kinds, 2):
        cells = clean if kind != "row" else [draw(st.sampled_from(_pool(name))) for name in names]
        for at, (_, meaning) in enumerate(cells):
            if meaning is LOST and at in lost:
                cells = [*cells[:at], clean[at], *cells[at + 1 :]]
        is_trip = _is_trip(names, cells)
        if is_trip:
            lost |= {at for at, (_, meaning) in enumerate(cells) if meaning is LOST}
        fields = [f'"{cell}"' if quoted or "," in cell else cell for cell, _ in cells]
        if kind == "blank":
            fields = []
        elif kind == "short":
            fields.pop()
        elif kind == "long":
            fields += ["spare"] * 3
        if kind in ("short", "long") or (kind == "row" and not is_trip):
            rejected.append(line)
        elif kind != "blank":
            rows.append(list(cells))
            lines.append(line)
        unnamed = [""] * look.unnamed if kind in ("row", "clean") else []
        text.append(",".join([*fields, *unnamed]).encode())
    ends = [b"\r\n" if end == b"mixed" and at % 3 else end for at in range(len(text))]
    ends = [b"\n" if each == b"mixed" else each for each in ends]
    content = b"".join(a + b for a, b in zip(text, ends, strict=True))
    if draw(st.booleans()):
        content = b"\xef\xbb\xbf" + content
    return Made(color, month, content, rows, rejected, lines, names)


@given(made=made_files(), block_bytes=st.sampled_from([700, 5_000, 1 << 20]))
@settings(max_examples=60)
def test_every_row_is_accounted_for_and_every_value_is_what_was_meant(
    trips: Any, made: Made, block_bytes: int
) -> None:
    year, number = map(int, made.month.split("-"))
    path = trips.write(made.content)

    cleaned = trips.clean(path, TripFile(made.color, year, number), block_bytes=block_bytes)

    cleaned.assert_adds_up()
    assert cleaned.lines("row") == made.rejected
    columns = _columns(made, cleaned.table.column_names)
    lost = []
    for at, name in enumerate(made.names):
        loaded = cleaned.column(columns[name])
        for line, value, cells in zip(made.lines, loaded, made.cells, strict=True):
            text, meant = cells[at]
            if meant is LOST:
                lost.append((line, columns[name], text))
            assert value == (None if meant is LOST else meant), (name, line)
    notes = [note for note in cleaned.tally.notes if note.kind == "value"]
    noted = [(note.line, note.column, note.raw) for note in notes]
    assert sorted(noted) == sorted(lost)
    assert sum(cleaned.tally.values_nulled.values()) == len(lost)
    for column in set(cleaned.table.column_names) - set(columns.values()):
        assert cleaned.table.column(column).null_count == cleaned.table.num_rows, column


TODAY = {
    "vendor_name": "VendorID",
    "vendor_id": "VendorID",
    "rate_code": "RatecodeID",
    "store_and_forward": "store_and_fwd_flag",
    "surcharge": "extra",
    "fare_amt": "fare_amount",
    "tip_amt": "tip_amount",
    "tolls_amt": "tolls_amount",
    "total_amt": "total_amount",
    "start_lon": "pickup_longitude",
    "start_lat": "pickup_latitude",
    "end_lon": "dropoff_longitude",
    "end_lat": "dropoff_latitude",
    "pickup_date": "pickup_datetime",
    "locationid": "PUlocationID",
}


def _columns(made: Made, table: list[str]) -> dict[str, str]:
    """Each of the file's columns -> the table's."""
    by_case = {name.lower(): name for name in table}
    columns = {}
    for name in made.names:
        plain = name.strip().lower().removeprefix("trip_")
        if made.color == "yellow" and "datetime" in plain:
            plain = f"tpep_{plain.removeprefix('tpep_')}"
        plain = "trip_" + plain if plain in ("distance", "type") else plain
        columns[name] = by_case[TODAY.get(plain, plain).lower()]
    assert len(set(columns.values())) == len(columns)
    return columns
