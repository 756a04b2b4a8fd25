"""How published files name their columns, era by era, and which era a file is of.

The TLC has renamed and retyped columns several times, and re-issued old months as Parquet with
newer names. So an era is a set of published names, whatever the form of the file; the months say
where it is met. Case, surrounding blanks and order never matter. Types are not listed: the
contract (`datasets`) fixes those.

Source: the header of every monthly CSV of 2009-01 to 2020-06 and the schemas of the Parquet files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from taxietl.errors import SchemaError
from taxietl.tlc.datasets import Dataset, dataset
from taxietl.tlc.trip_file import TripFile

IGNORED = frozenset({"", "__index_level_0__", "unnamed: 0", "source_month"})
"""Columns that are no data of the TLC's: a pandas index, stored with the file by its writer; and
the one that taxietl adds to its tables, in a file written from such a table."""

# Published names (lower case) that differ from the contract's by more than their case.
_RENAMED: Mapping[str, str] = MappingProxyType(
    {
        "vendor_name": "VendorID",
        "vendor_id": "VendorID",
        "rate_code": "RatecodeID",
        "store_and_forward": "store_and_fwd_flag",
        "fare_amt": "fare_amount",
        "surcharge": "extra",  # the re-issued Parquet of 2011 to 2014 holds it under `extra`
        "tip_amt": "tip_amount",
        "tolls_amt": "tolls_amount",
        "total_amt": "total_amount",
        "start_lon": "pickup_longitude",
        "start_lat": "pickup_latitude",
        "end_lon": "dropoff_longitude",
        "end_lat": "dropoff_latitude",
        "trip_pickup_datetime": "tpep_pickup_datetime",
        "trip_dropoff_datetime": "tpep_dropoff_datetime",
        "pickup_datetime": "tpep_pickup_datetime",
        "dropoff_datetime": "tpep_dropoff_datetime",
    }
)


@dataclass(frozen=True)
class Era:
    """One set of published names of one colour."""

    name: str
    color: str
    since: tuple[int, int]
    until: tuple[int, int] | None
    published: tuple[str, ...]
    """Names in lower case, in the order of the files."""

    text_codes: tuple[str, ...] = ()
    """Contract columns whose codes are published as text, `codes.NUMBERS` having the numbers."""

    @property
    def dataset(self) -> Dataset:
        """The colour's contract."""
        return dataset(self.color)

    @property
    def contract(self) -> dict[str, str]:
        """Contract column -> published name, in the order of the files."""
        return {contract_name(each, self.dataset) or each: each for each in self.published}

    def covers(self, trip_file: TripFile) -> bool:
        """Whether files of that month are known to have these names in one form or the other."""
        month = (trip_file.year, trip_file.month)
        return self.since <= month and (self.until is None or month <= self.until)


@dataclass(frozen=True)
class Layout:
    """How one file's columns answer to the contract."""

    era: Era
    columns: Mapping[str, str]
    """Contract column -> the file's own name for it, as spelt there."""

    new_columns: tuple[str, ...]
    """The file's columns that no era has, as spelt there."""

    absent: tuple[str, ...]
    """Contract columns that files of that month should have, and this one has not."""


def match(published: Sequence[str], trip_file: TripFile) -> Layout:
    """Find the era of a file from its column names.

    Args:
        published: the file's column names, in its order and spelling.
        trip_file: whose month it is said to be; settles which era a wrong file is compared with.

    Raises:
        SchemaError: a column is missing, stands there twice, or too few are known.
    """
    spelt = _spellings(published, trip_file)
    covering = [era for era in ERAS if era.color == trip_file.color and era.covers(trip_file)]
    complete = [era for era in covering if spelt.keys() >= set(era.published)]
    if not complete:
        raise _not_of_any_era(set(spelt), covering, trip_file)
    era = max(complete, key=lambda each: len(each.published))
    columns = {name: spelt[each] for name, each in era.contract.items()}
    new: list[str] = []
    for plain, name in spelt.items():
        if plain in era.published:
            continue
        known = _by_case(era.dataset).get(plain)
        if known is None:
            new.append(name)
        elif known in columns:
            raise _twice((columns[known], name), trip_file)
        else:
            columns[known] = name
    return Layout(era, columns, tuple(new), _absent(era, columns, covering))


def contract_name(published: str, dataset: Dataset) -> str | None:
    """The contract's column behind a published name in lower case; None for an unknown one."""
    renamed = _RENAMED.get(published)
    if renamed and not dataset.has(renamed):
        renamed = None
    return _by_case(dataset).get(published) or renamed


def _by_case(dataset: Dataset) -> dict[str, str]:
    return {name.lower(): name for name in dataset.column_names}


def _absent(era: Era, columns: Mapping[str, str], covering: Sequence[Era]) -> tuple[str, ...]:
    """What the latest era has that names all of these columns and more, and this file has not.

    An era of other columns (zones instead of coordinates) says nothing of this file.
    """
    alike = [each for each in covering if each.contract.keys() >= era.contract.keys()]
    latest = max(alike, key=lambda each: each.since)
    absent = latest.contract.keys() - columns.keys()
    return tuple(name for name in era.dataset.column_names if name in absent)


def _spellings(published: Sequence[str], trip_file: TripFile) -> dict[str, str]:
    """Each published name as compared -> as spelt, without what is no data."""
    spelt: dict[str, str] = {}
    for name in published:
        plain = name.strip().lower()
        if plain in IGNORED:
            continue
        if plain in spelt:
            raise _twice((spelt[plain], name), trip_file)
        spelt[plain] = name
    return spelt


def _twice(both: tuple[str, str], trip_file: TripFile) -> SchemaError:
    return SchemaError(
        f"The {trip_file} file has one column twice: {_listed(both)}.",
        hint="Rename or remove one of them; which holds the trips cannot be told.",
    )


def _not_of_any_era(names: set[str], covering: Sequence[Era], trip_file: TripFile) -> SchemaError:
    """Name what is missing from the nearest era of that month, and whose columns they are."""
    if not covering:
        return SchemaError(
            f"Files of {trip_file.color} cannot be read by this version.",
            hint=f"It reads those of {', '.join(dict.fromkeys(era.color for era in ERAS))}.",
        )
    nearest = min(covering, key=lambda era: len(set(era.published) ^ names))
    missing = [
        known if known.lower() == each else f"{known} (published as {each})"
        for known, each in nearest.contract.items()
        if each not in names
    ]
    other = next((era.name for era in ERAS if set(era.published) == names), None)
    unknown = sorted(names - set(nearest.published))
    also = f"; these are the columns of {other!r}" if other else ""
    also = also or (f"; unknown are {_listed(unknown)}" if unknown else "")
    return SchemaError(
        f"The file is no {trip_file}: it has no {', '.join(missing)}{also}.",
        hint=f"Compared with {nearest.name!r}, the nearest era of that month. "
        f"`taxietl schema --color {trip_file.color}` lists the columns of every era.",
    )


def _listed(names: Sequence[str]) -> str:
    """The names, cut to what can be read: the first line of any text may stand in for a header."""
    cut = (name.strip() if len(name) <= 40 else f"{name.strip()[:40]}…" for name in names[:10])
    shown = ", ".join(cut)
    return f"{shown} and {len(names) - 10:,} more" if len(names) > 10 else shown


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.lower().split())


_YELLOW_2009 = _names(
    "vendor_name Trip_Pickup_DateTime Trip_Dropoff_DateTime Passenger_Count Trip_Distance "
    "Start_Lon Start_Lat Rate_Code store_and_forward End_Lon End_Lat Payment_Type Fare_Amt "
    "surcharge mta_tax Tip_Amt Tolls_Amt Total_Amt"
)
_YELLOW_2010 = _names(
    "vendor_id pickup_datetime dropoff_datetime passenger_count trip_distance pickup_longitude "
    "pickup_latitude rate_code store_and_fwd_flag dropoff_longitude dropoff_latitude payment_type "
    "fare_amount surcharge mta_tax tip_amount tolls_amount total_amount"
)
_YELLOW_2015 = _names(
    "VendorID tpep_pickup_datetime tpep_dropoff_datetime passenger_count trip_distance "
    "pickup_longitude pickup_latitude RatecodeID store_and_fwd_flag dropoff_longitude "
    "dropoff_latitude payment_type fare_amount extra mta_tax tip_amount tolls_amount "
    "improvement_surcharge total_amount"
)
_YELLOW_ZONES = _names(
    "VendorID tpep_pickup_datetime tpep_dropoff_datetime passenger_count trip_distance RatecodeID "
    "store_and_fwd_flag PULocationID DOLocationID payment_type fare_amount extra mta_tax "
    "tip_amount tolls_amount improvement_surcharge total_amount"
)
_GREEN_2013 = _names(
    "VendorID lpep_pickup_datetime Lpep_dropoff_datetime Store_and_fwd_flag RateCodeID "
    "Pickup_longitude Pickup_latitude Dropoff_longitude Dropoff_latitude Passenger_count "
    "Trip_distance Fare_amount Extra MTA_tax Tip_amount Tolls_amount Ehail_fee Total_amount "
    "Payment_type Trip_type"
)
_GREEN_ZONES = _names(
    "VendorID lpep_pickup_datetime lpep_dropoff_datetime store_and_fwd_flag RatecodeID "
    "PULocationID DOLocationID passenger_count trip_distance fare_amount extra mta_tax tip_amount "
    "tolls_amount ehail_fee improvement_surcharge total_amount payment_type trip_type"
)

_TEXT_CODES = ("VendorID", "payment_type")
_YELLOW_2019 = (*_YELLOW_ZONES, "congestion_surcharge")
_YELLOW_AIRPORT = (*_YELLOW_2019, "airport_fee")
_YELLOW_2025 = (*_YELLOW_AIRPORT, "cbd_congestion_fee")
_GREEN_2015 = (*_GREEN_2013, "improvement_surcharge")
_GREEN_2019 = (*_GREEN_ZONES, "congestion_surcharge")

ERAS: tuple[Era, ...] = (
    Era("yellow 2009", "yellow", (2009, 1), (2009, 12), _YELLOW_2009, _TEXT_CODES),
    Era("yellow 2010", "yellow", (2010, 1), (2014, 12), _YELLOW_2010, _TEXT_CODES),
    Era("yellow 2015", "yellow", (2015, 1), (2016, 6), _YELLOW_2015),
    Era("yellow 2016-07", "yellow", (2016, 7), (2018, 12), _YELLOW_ZONES),
    Era("yellow 2019", "yellow", (2019, 1), None, _YELLOW_2019),
    # The Parquet files that took the place of every CSV file from 2011 on; the months from 2022-05
    # have never been published in another form.
    Era("yellow Parquet", "yellow", (2011, 1), (2022, 4), _YELLOW_AIRPORT),
    Era("yellow 2022-05", "yellow", (2022, 5), None, _YELLOW_AIRPORT),
    Era("yellow 2025", "yellow", (2025, 1), None, _YELLOW_2025),
    Era("yellow 2026-06", "yellow", (2026, 6), None, (*_YELLOW_2025, "request_source")),
    Era("green 2013", "green", (2013, 8), (2014, 12), _GREEN_2013),
    Era("green 2015", "green", (2015, 1), (2016, 6), _GREEN_2015),
    Era("green 2016-07", "green", (2016, 7), (2018, 12), _GREEN_ZONES),
    # As CSV since 2019-01; the Parquet files of all months have these names.
    Era("green 2019", "green", (2013, 8), None, _GREEN_2019),
    Era("green 2025", "green", (2025, 1), None, (*_GREEN_2019, "cbd_congestion_fee")),
)
"""Every era of yellow and green, oldest first within its colour."""
