"""The contract of each colour: its columns, their kinds, and where they come from.

A table's columns are the TLC's names of today, spelt as its files spell them, then those of past
eras; all may be null. `source_month` follows them in every table and is not listed here.

Source: TLC, "Data Dictionary - Yellow / LPEP / FHV / High Volume FHV Trip Records" (revision of
18 March 2025), and the headers of the published files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from taxietl.errors import UnknownNameError


class Kind(StrEnum):
    """What a column's values are; decides their type and how they are summed."""

    CODE = "code"
    COUNT = "count"
    SECONDS = "seconds"
    MONEY = "money"
    MILES = "miles"
    DEGREES = "degrees"
    TIME = "time"
    TEXT = "text"

    @property
    def sql_type(self) -> str:
        """The standard SQL type, the same in every warehouse."""
        return _SQL_TYPES[self]


_SQL_TYPES = {
    Kind.CODE: "INTEGER",
    Kind.COUNT: "INTEGER",
    Kind.SECONDS: "INTEGER",
    Kind.MONEY: "DOUBLE PRECISION",
    Kind.MILES: "DOUBLE PRECISION",
    Kind.DEGREES: "DOUBLE PRECISION",
    Kind.TIME: "TIMESTAMP",
    Kind.TEXT: "TEXT",
}


@dataclass(frozen=True)
class Column:
    """One column of a colour's table."""

    name: str
    kind: Kind
    note: str


@dataclass(frozen=True)
class Dataset:
    """One colour: its table, its columns in order, the first month published, and its version."""

    color: str
    view: str
    """The plain-named view that shows its trips, beside those of like colours."""

    columns: tuple[Column, ...]
    started_at: str
    ended_at: str
    first_month: tuple[int, int]
    contract_version: str
    """Goes up whenever the same file would give other values or columns; a month loaded under
    another version is loaded again."""

    @property
    def table(self) -> str:
        """The table its trips are loaded into unless `--table` says otherwise."""
        return f"{self.color}_trips"

    @property
    def column_names(self) -> tuple[str, ...]:
        """The contract's columns in the table's order, without `source_month`."""
        return tuple(column.name for column in self.columns)

    def has(self, name: str) -> bool:
        """Whether the colour has a column of that name."""
        return name in self.column_names

    def columns_with(self, names: Iterable[str]) -> tuple[Column, ...]:
        """The contract's columns, then those of these names that no era has, as text."""
        added = (name for name in names if not self.has(name))
        return (*self.columns, *(Column(each, Kind.TEXT, "no era has it") for each in added))


def dataset(color: str) -> Dataset:
    """The contract of a colour.

    Raises:
        UnknownNameError: no such colour.
    """
    try:
        return DATASETS[color]
    except KeyError:
        raise UnknownNameError("colour", color, DATASETS) from None


_VENDOR = Column(
    "VendorID", Kind.CODE, "provider: 1 CMT, 2 Curb (VeriFone, VTS), 3 DDS (2009/10), 6, 7"
)
_PASSENGERS = Column("passenger_count", Kind.COUNT, "as entered by the driver; 0 is not missing")
_DISTANCE = Column("trip_distance", Kind.MILES, "by the taximeter")
_RATE = Column(
    "RatecodeID", Kind.CODE, "1 standard, 2 JFK, 3 Newark, 4 Nassau, 5 negotiated, 6 group, 99"
)
_FLAG = Column("store_and_fwd_flag", Kind.TEXT, "Y: held in the vehicle before it was sent; N: not")
_PU = Column("PULocationID", Kind.CODE, "taxi zone of the pick-up, 1 to 265")
_DO = Column("DOLocationID", Kind.CODE, "taxi zone of the drop-off, 1 to 265")
_PAYMENT = Column(
    "payment_type", Kind.CODE, "0 flex, 1 card, 2 cash, 3 no charge, 4 dispute, 5 unknown, 6 void"
)
_FARE = Column("fare_amount", Kind.MONEY, "time and distance by the meter")
_EXTRA = Column("extra", Kind.MONEY, "rush hour and night; `surcharge` until 2014")
_MTA = Column("mta_tax", Kind.MONEY, "MTA tax")
_TIP = Column("tip_amount", Kind.MONEY, "card tips; cash tips are not recorded")
_TOLLS = Column("tolls_amount", Kind.MONEY, "tolls of the trip")
_IMPROVEMENT = Column("improvement_surcharge", Kind.MONEY, "since 2015")
_TOTAL = Column("total_amount", Kind.MONEY, "charged in all, without cash tips")
_CONGESTION = Column("congestion_surcharge", Kind.MONEY, "New York State, since 2019")
_AIRPORT = Column(
    "airport_fee", Kind.MONEY, "LaGuardia and JFK; `Airport_fee` in files since 2023-02"
)
_CBD = Column("cbd_congestion_fee", Kind.MONEY, "MTA congestion relief zone, since 2025-01")
_COORDINATES = (
    Column("pickup_longitude", Kind.DEGREES, "WGS 84; until 2016-06"),
    Column("pickup_latitude", Kind.DEGREES, "WGS 84; until 2016-06"),
    Column("dropoff_longitude", Kind.DEGREES, "WGS 84; until 2016-06"),
    Column("dropoff_latitude", Kind.DEGREES, "WGS 84; until 2016-06"),
)

_YELLOW = Dataset(
    "yellow",
    "trips",
    (
        _VENDOR,
        Column("tpep_pickup_datetime", Kind.TIME, "meter engaged, New York wall clock"),
        Column("tpep_dropoff_datetime", Kind.TIME, "meter disengaged, New York wall clock"),
        _PASSENGERS,
        _DISTANCE,
        _RATE,
        _FLAG,
        _PU,
        _DO,
        _PAYMENT,
        _FARE,
        _EXTRA,
        _MTA,
        _TIP,
        _TOLLS,
        _IMPROVEMENT,
        _TOTAL,
        _CONGESTION,
        _AIRPORT,
        _CBD,
        Column("request_source", Kind.TEXT, "since 2026-06"),
        *_COORDINATES,
    ),
    started_at="tpep_pickup_datetime",
    ended_at="tpep_dropoff_datetime",
    first_month=(2009, 1),
    contract_version="2",
)

_GREEN = Dataset(
    "green",
    "trips",
    (
        _VENDOR,
        Column("lpep_pickup_datetime", Kind.TIME, "meter engaged, New York wall clock"),
        Column("lpep_dropoff_datetime", Kind.TIME, "meter disengaged, New York wall clock"),
        _FLAG,
        _RATE,
        _PU,
        _DO,
        _PASSENGERS,
        _DISTANCE,
        _FARE,
        _EXTRA,
        _MTA,
        _TIP,
        _TOLLS,
        Column("ehail_fee", Kind.MONEY, "empty in nearly every month"),
        _IMPROVEMENT,
        _TOTAL,
        _PAYMENT,
        Column("trip_type", Kind.CODE, "1 street hail, 2 dispatch"),
        _CONGESTION,
        _CBD,
        *_COORDINATES,
    ),
    started_at="lpep_pickup_datetime",
    ended_at="lpep_dropoff_datetime",
    first_month=(2013, 8),
    contract_version="2",
)

_FHV = Dataset(
    "fhv",
    "hire_trips",
    (
        Column("dispatching_base_num", Kind.TEXT, "licence of the base that dispatched the trip"),
        Column("pickup_datetime", Kind.TIME, "New York wall clock"),
        Column("dropOff_datetime", Kind.TIME, "New York wall clock; since 2017"),
        Column("PUlocationID", Kind.CODE, "taxi zone of the pick-up"),
        Column("DOlocationID", Kind.CODE, "taxi zone of the drop-off; since 2017"),
        Column("SR_Flag", Kind.CODE, "1: a shared ride; empty: not"),
        Column("Affiliated_base_number", Kind.TEXT, "base the vehicle is affiliated with"),
    ),
    started_at="pickup_datetime",
    ended_at="dropOff_datetime",
    first_month=(2015, 1),
    contract_version="2",
)

_FHVHV = Dataset(
    "fhvhv",
    "hire_trips",
    (
        Column("hvfhs_license_num", Kind.TEXT, "HV0002 Juno, HV0003 Uber, HV0004 Via, HV0005 Lyft"),
        Column("dispatching_base_num", Kind.TEXT, "base that dispatched the trip"),
        Column("originating_base_num", Kind.TEXT, "base that received the request"),
        Column("request_datetime", Kind.TIME, "asked for, New York wall clock"),
        Column("on_scene_datetime", Kind.TIME, "driver arrived, accessible vehicles mostly"),
        Column("pickup_datetime", Kind.TIME, "New York wall clock"),
        Column("dropoff_datetime", Kind.TIME, "New York wall clock"),
        _PU,
        _DO,
        Column("trip_miles", Kind.MILES, "passenger trip"),
        Column("trip_time", Kind.SECONDS, "passenger trip"),
        Column("base_passenger_fare", Kind.MONEY, "before tolls, tips, taxes and fees"),
        Column("tolls", Kind.MONEY, "tolls of the trip"),
        Column("bcf", Kind.MONEY, "Black Car Fund"),
        Column("sales_tax", Kind.MONEY, "New York State sales tax"),
        _CONGESTION,
        Column("airport_fee", Kind.MONEY, "LaGuardia, Newark and JFK"),
        Column("tips", Kind.MONEY, "tips to the driver"),
        Column("driver_pay", Kind.MONEY, "without tolls and tips, net of commission"),
        Column("shared_request_flag", Kind.TEXT, "Y/N: agreed to share"),
        Column("shared_match_flag", Kind.TEXT, "Y/N: shared"),
        Column("access_a_ride_flag", Kind.TEXT, "Y/N: for the MTA; Uber leaves it blank"),
        Column("wav_request_flag", Kind.TEXT, "Y/N: wheelchair-accessible vehicle asked for"),
        Column("wav_match_flag", Kind.TEXT, "Y/N: wheelchair-accessible vehicle came"),
        _CBD,
        Column("SR_Flag", Kind.CODE, "1: a shared ride; CSV files until 2020 and later copies"),
        Column("Affiliated_base_number", Kind.TEXT, "a CSV copy of 2021 has it instead of fares"),
    ),
    started_at="pickup_datetime",
    ended_at="dropoff_datetime",
    first_month=(2019, 2),
    contract_version="2",
)

DATASETS: Mapping[str, Dataset] = MappingProxyType(
    {each.color: each for each in (_YELLOW, _GREEN, _FHV, _FHVHV)}
)
"""Every colour by its name."""
