"""How the files of a month name and type their columns, and turn made trips into them.

A month has two forms: the CSV that was published until 2022, and the Parquet that replaced it. They
differ in names, in types and in what they leave empty, not in the trips. The lists are written down
here once more, apart from those that reading goes by, so that a mistake in one of them shows.
Loads pyarrow, so import it on use.

Source: the published files and their headers; TLC, "Data Dictionary - Yellow / LPEP Trip Records"
(revision of 18 March 2025).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

import pyarrow as pa  # noqa: TID253  the module is loaded only to make trips
import pyarrow.compute as pc  # noqa: TID253

from taxietl.extract.synthetic.odds import Numbers
from taxietl.extract.synthetic.trips import Trips

Render = Callable[[Numbers, pa.DataType], pa.Array]

# fmt: off
_NAMES = {
    "yellow": (
        "VendorID", "tpep_pickup_datetime", "tpep_dropoff_datetime", "passenger_count",
        "trip_distance", "RatecodeID", "store_and_fwd_flag", "PULocationID", "DOLocationID",
        "payment_type", "fare_amount", "extra", "mta_tax", "tip_amount", "tolls_amount",
        "improvement_surcharge", "total_amount", "congestion_surcharge",
    ),
    "green": (
        "VendorID", "lpep_pickup_datetime", "lpep_dropoff_datetime", "store_and_fwd_flag",
        "RatecodeID", "PULocationID", "DOLocationID", "passenger_count", "trip_distance",
        "fare_amount", "extra", "mta_tax", "tip_amount", "tolls_amount", "ehail_fee",
        "improvement_surcharge", "total_amount", "payment_type", "trip_type",
        "congestion_surcharge",
    ),
}
# fmt: on


class Missing(Enum):
    """Where a column is empty."""

    NOWHERE = "nowhere"
    IF_DISPATCHED = "in the last block"
    EVERYWHERE = "everywhere"


@dataclass(frozen=True)
class Column:
    """One column of a file: its name, its type, where it is empty, how a value is put."""

    name: str
    type: pa.DataType
    missing: Missing
    render: Render

    def array(self, trips: Trips) -> pa.Array:
        """The trips' values in this column."""
        if self.missing is Missing.EVERYWHERE or (
            trips.dispatched and self.missing is Missing.IF_DISPATCHED
        ):
            return pa.nulls(trips.row_count, self.type)
        return self.render(trips.cells[_cell(self.name)], self.type)


def record_batch(columns: tuple[Column, ...], trips: Trips) -> pa.RecordBatch:
    """The trips in those columns."""
    return pa.record_batch([column.array(trips) for column in columns], schema=schema(columns))


def schema(columns: tuple[Column, ...]) -> pa.Schema:
    """The columns' names and types."""
    return pa.schema([(column.name, column.type) for column in columns])


def csv_columns(color: str) -> tuple[Column, ...]:
    """The columns of a CSV file, amounts and distances as text already."""
    incomplete = {"VendorID", "passenger_count", "RatecodeID", "store_and_fwd_flag", "payment_type"}
    incomplete |= {"trip_type", "congestion_surcharge"} if color == "green" else set()
    columns = []
    for name in _NAMES[color]:
        missing = Missing.IF_DISPATCHED if name in incomplete else Missing.NOWHERE
        missing = Missing.EVERYWHERE if name == "ehail_fee" else missing
        style = _style(name)
        columns.append(Column(name, style.csv_type, missing, style.csv_render))
    return tuple(columns)


def parquet_columns(color: str, year: int, month: int) -> tuple[Column, ...]:
    """The columns of a Parquet file of that month."""
    since_2023_02, since_2025 = (year, month) >= (2023, 2), year >= 2025
    names = list(_NAMES[color])
    if color == "yellow":
        names.append("Airport_fee" if since_2023_02 else "airport_fee")
    if since_2025:
        names.append("cbd_congestion_fee")
    if color == "yellow" and (year, month) >= (2026, 6):
        names.append("request_source")
    types = {name: _style(name).parquet_type for name in names}
    if since_2023_02:
        types |= _RETYPED
    elif color == "green":
        types |= {"payment_type": pa.float64(), "ehail_fee": pa.null()}
    elif (year, month) <= (2020, 7) or (year, month) == (2020, 10):
        types |= {"airport_fee": pa.null()}
    empty = _empty_in_parquet(color, year, month)
    return tuple(
        Column(name, types[name], empty.get(name, Missing.NOWHERE), _style(name).parquet_render)
        for name in names
    )


def _empty_in_parquet(color: str, year: int, month: int) -> Mapping[str, Missing]:
    """What a Parquet file leaves empty; it names a dispatched trip's vendor, unlike the CSV."""
    incomplete = ["passenger_count", "RatecodeID", "store_and_fwd_flag", "congestion_surcharge"]
    # Yellow has payment type 0 where green has none.
    incomplete += (
        ["airport_fee", "Airport_fee"] if color == "yellow" else ["payment_type", "trip_type"]
    )
    never = ["ehail_fee", "request_source"]
    if (year, month) < (2021, 4):
        never.append("airport_fee")
    return dict.fromkeys(incomplete, Missing.IF_DISPATCHED) | dict.fromkeys(
        never, Missing.EVERYWHERE
    )


def _cell(name: str) -> str:
    """The name of a column's values in `Trips.cells`."""
    return name.lower().removeprefix("tpep_").removeprefix("lpep_")


def _whole(values: Numbers, type_: pa.DataType) -> pa.Array:
    return pa.array(values).cast(type_)


def _time(values: Numbers, type_: pa.DataType) -> pa.Array:
    return pa.array(values.view("datetime64[s]")).cast(type_)


def _flag(values: Numbers, type_: pa.DataType) -> pa.Array:
    return pc.take(pa.array(["N", "Y"], type_), pa.array(values))


def _hundredths(values: Numbers, type_: pa.DataType) -> pa.Array:
    # Dividing gives the double nearest to the decimal, the one a reader of the CSV gets.
    return pa.array(values / 100.0, type_)


def _money_text(values: Numbers, type_: pa.DataType) -> pa.Array:
    """Amounts in their shortest form: `8`, `0.5`, `-2.16`."""
    return _texts(values, type_, _shortest)


def _miles_text(values: Numbers, type_: pa.DataType) -> pa.Array:
    """Distances with two decimals and no zero before the point: `.50`, `2.10`."""
    return _texts(values, type_, lambda value: f"{value // 100 or ''}.{value % 100:02d}")


def _shortest(value: int) -> str:
    whole, part = divmod(abs(value), 100)
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}" + (f".{part:02d}".rstrip("0") if part else "")


def _texts(values: Numbers, type_: pa.DataType, text_of: Callable[[int], str]) -> pa.Array:
    # Amounts repeat a lot: each distinct one is formatted once a chunk, then looked up.
    coded = pc.dictionary_encode(pa.array(values))
    texts = pa.array([text_of(value) for value in coded.dictionary.to_pylist()], type_)
    return pc.take(texts, coded.indices)


@dataclass(frozen=True)
class _Style:
    """How values of one kind are put in both forms; the Parquet type is that of 2019."""

    csv_type: pa.DataType
    csv_render: Render
    parquet_type: pa.DataType
    parquet_render: Render


_ID = _Style(pa.int64(), _whole, pa.int64(), _whole)
_CODE = _Style(pa.int64(), _whole, pa.float64(), _whole)
_TIME = _Style(pa.timestamp("s"), _time, pa.timestamp("us"), _time)
_TEXT = _Style(pa.string(), _flag, pa.string(), _flag)
_MILES = _Style(pa.string(), _miles_text, pa.float64(), _hundredths)
_MONEY = _Style(pa.string(), _money_text, pa.float64(), _hundredths)

_STYLES = {
    "vendorid": _ID,
    "pulocationid": _ID,
    "dolocationid": _ID,
    "payment_type": _ID,
    "passenger_count": _CODE,
    "ratecodeid": _CODE,
    "trip_type": _CODE,
    "pickup_datetime": _TIME,
    "dropoff_datetime": _TIME,
    "store_and_fwd_flag": _TEXT,
    "request_source": _TEXT,
    "trip_distance": _MILES,
}

_RETYPED = {
    **dict.fromkeys(("VendorID", "PULocationID", "DOLocationID"), pa.int32()),
    **dict.fromkeys(("passenger_count", "RatecodeID", "payment_type", "trip_type"), pa.int64()),
    **dict.fromkeys(("store_and_fwd_flag", "request_source"), pa.large_string()),
}
"""Types that are others since 2023-02, when the TLC changed how it writes its files."""


def _style(name: str) -> _Style:
    return _STYLES.get(_cell(name), _MONEY)
