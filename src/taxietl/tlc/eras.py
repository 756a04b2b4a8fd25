"""How published files name their columns, era by era.

The TLC has renamed and retyped columns several times, and re-issued old months as Parquet with
newer names. So an era is a set of published names, whatever the form of the file; the months say
where it is met. Case, surrounding blanks and order never matter. Types are not listed: the
contract (`datasets`) fixes those. Which era a file is of is told by `layouts`.

Source: the header of every monthly CSV of 2009-01 to 2020-06 and the schemas of the Parquet files;
for the copies of others, the headers of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

from taxietl.tlc.datasets import Dataset, dataset
from taxietl.tlc.trip_file import TripFile

# Published names (lower case) that differ from the contract's by more than their case. A name
# stands for the contract's column only in a colour that has it.
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
        # For-hire vehicles. Until 2016 only where and when a trip began is told.
        "pickup_date": "pickup_datetime",
        "locationid": "PUlocationID",
        "dispatching_base_number": "dispatching_base_num",
        # Azure Open Datasets.
        "tpeppickupdatetime": "tpep_pickup_datetime",
        "tpepdropoffdatetime": "tpep_dropoff_datetime",
        "lpeppickupdatetime": "lpep_pickup_datetime",
        "lpepdropoffdatetime": "lpep_dropoff_datetime",
        "pickupdatetime": "pickup_datetime",
        "dropoffdatetime": "dropOff_datetime",
        "dispatchbasenum": "dispatching_base_num",
        "srflag": "SR_Flag",
        "passengercount": "passenger_count",
        "tripdistance": "trip_distance",
        "startlon": "pickup_longitude",
        "startlat": "pickup_latitude",
        "endlon": "dropoff_longitude",
        "endlat": "dropoff_latitude",
        "pickuplongitude": "pickup_longitude",
        "pickuplatitude": "pickup_latitude",
        "dropofflongitude": "dropoff_longitude",
        "dropofflatitude": "dropoff_latitude",
        "storeandfwdflag": "store_and_fwd_flag",
        "paymenttype": "payment_type",
        "fareamount": "fare_amount",
        "mtatax": "mta_tax",
        "improvementsurcharge": "improvement_surcharge",
        "tipamount": "tip_amount",
        "tollsamount": "tolls_amount",
        "ehailfee": "ehail_fee",
        "totalamount": "total_amount",
        "triptype": "trip_type",
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

    spare: Mapping[str, str] = field(default_factory=dict)
    """Contract column -> a second published name for it, which some of its files fill instead."""

    derived: frozenset[str] = frozenset()
    """Names (lower case) of what the maker of such copies worked out from other columns."""

    @property
    def dataset(self) -> Dataset:
        """The colour's contract."""
        return dataset(self.color)

    @property
    def contract(self) -> dict[str, str]:
        """Contract column -> published name, in the order of the files."""
        spare = self.spare.values()
        own = (each for each in self.published if each not in spare)
        return {contract_name(each, self.dataset) or each: each for each in own}

    def covers(self, trip_file: TripFile) -> bool:
        """Whether files of that month are known to have these names in one form or the other."""
        month = (trip_file.year, trip_file.month)
        return self.since <= month and (self.until is None or month <= self.until)


def contract_name(published: str, dataset: Dataset) -> str | None:
    """The contract's column behind a published name in lower case; None for an unknown one."""
    renamed = _RENAMED.get(published)
    if renamed and not dataset.has(renamed):
        renamed = None
    return by_case(dataset).get(published) or renamed


def by_case(dataset: Dataset) -> dict[str, str]:
    """The contract's columns by their names in lower case."""
    return {name.lower(): name for name in dataset.column_names}


@cache
def every_name() -> frozenset[str]:
    """All names (lower case) that a column of any colour has or had."""
    contracts = (by_case(era.dataset) for era in ERAS)
    return frozenset().union(_RENAMED, *contracts, *(era.published for era in ERAS))


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

_FHV_2017 = _names(
    "Dispatching_base_num Pickup_DateTime DropOff_datetime PUlocationID DOlocationID SR_Flag"
)
_FHV_2018 = _names(
    "Pickup_DateTime DropOff_datetime PUlocationID DOlocationID SR_Flag Dispatching_base_number "
    "Dispatching_base_num"
)
_FHVHV_2019 = _names(
    "hvfhs_license_num dispatching_base_num pickup_datetime dropoff_datetime PULocationID "
    "DOLocationID SR_Flag"
)
_FHVHV_PARQUET = _names(
    "hvfhs_license_num dispatching_base_num originating_base_num request_datetime "
    "on_scene_datetime pickup_datetime dropoff_datetime PULocationID DOLocationID trip_miles "
    "trip_time base_passenger_fare tolls bcf sales_tax congestion_surcharge airport_fee tips "
    "driver_pay shared_request_flag shared_match_flag access_a_ride_flag wav_request_flag "
    "wav_match_flag"
)
_AZURE_YELLOW = _names(
    "vendorID tpepPickupDateTime tpepDropoffDateTime passengerCount tripDistance puLocationId "
    "doLocationId startLon startLat endLon endLat rateCodeId storeAndFwdFlag paymentType "
    "fareAmount extra mtaTax improvementSurcharge tipAmount tollsAmount totalAmount"
)
_AZURE_GREEN = _names(
    "vendorID lpepPickupDatetime lpepDropoffDatetime passengerCount tripDistance puLocationId "
    "doLocationId pickupLongitude pickupLatitude dropoffLongitude dropoffLatitude rateCodeID "
    "storeAndFwdFlag paymentType fareAmount extra mtaTax improvementSurcharge tipAmount "
    "tollsAmount ehailFee totalAmount tripType"
)
_AZURE_FHV = _names(
    "dispatchBaseNum pickupDateTime dropOffDateTime puLocationId doLocationId srFlag"
)

_TEXT_CODES = ("VendorID", "payment_type")
_YELLOW_2019 = (*_YELLOW_ZONES, "congestion_surcharge")
_YELLOW_AIRPORT = (*_YELLOW_2019, "airport_fee")
_YELLOW_2025 = (*_YELLOW_AIRPORT, "cbd_congestion_fee")
_GREEN_2015 = (*_GREEN_2013, "improvement_surcharge")
_GREEN_2019 = (*_GREEN_ZONES, "congestion_surcharge")
_FHV_PARQUET = (*_FHV_2017, "affiliated_base_number")
_FHV_BOTH = MappingProxyType({"dispatching_base_num": "dispatching_base_num"})
_AZURE_DERIVED = frozenset({"puyear", "pumonth"})

_OF_THE_TLC = (
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
    Era(
        "fhv 2015",
        "fhv",
        (2015, 1),
        (2016, 12),
        _names("Dispatching_base_num Pickup_date locationID"),
    ),
    Era("fhv 2017", "fhv", (2017, 1), (2017, 6), _FHV_2017[:-1]),
    Era("fhv 2017-07", "fhv", (2017, 7), (2017, 12), _FHV_2017),
    # Both columns of the dispatching base are there, and in 2018-01 the second is empty.
    Era("fhv 2018", "fhv", (2018, 1), (2018, 12), _FHV_2018, spare=_FHV_BOTH),
    Era("fhv 2019", "fhv", (2019, 1), None, _FHV_2017),
    # The Parquet files of all months, and the copies of 2019 and 2020 re-packed as CSV.gz.
    Era("fhv Parquet", "fhv", (2015, 1), (2022, 4), _FHV_PARQUET),
    Era("fhv 2022-05", "fhv", (2022, 5), None, _FHV_PARQUET),
    Era("fhvhv 2019", "fhvhv", (2019, 2), (2022, 4), _FHVHV_2019),
    Era("fhvhv Parquet", "fhvhv", (2019, 2), None, _FHVHV_PARQUET),
    Era("fhvhv 2025", "fhvhv", (2025, 1), None, (*_FHVHV_PARQUET, "cbd_congestion_fee")),
)

# The frozen CSV of 2021-06 has the columns of fhv, and letters for the flag.
_OF_DATATALKSCLUB = (
    Era(
        "fhvhv 2021, DataTalksClub",
        *("fhvhv", (2021, 1), (2021, 12), _FHV_PARQUET, ("SR_Flag",)),
    ),
)

_OF_AZURE = (
    Era(
        "yellow, Azure Open Datasets",
        *("yellow", (2009, 1), (2019, 12), _AZURE_YELLOW, _TEXT_CODES),
        derived=_AZURE_DERIVED,
    ),
    Era(
        "green, Azure Open Datasets",
        *("green", (2013, 8), (2019, 12), _AZURE_GREEN),
        derived=_AZURE_DERIVED,
    ),
    Era(
        "fhv, Azure Open Datasets",
        *("fhv", (2015, 1), (2019, 12), _AZURE_FHV),
        derived=_AZURE_DERIVED,
    ),
)

# NYC Open Data has the TLC's own names in lower case, which is no difference: its files are of the
# TLC's eras. So are DataTalksClub's copies of fhv, and whatever pandas and pyarrow have rewritten.
ERAS: tuple[Era, ...] = (*_OF_THE_TLC, *_OF_DATATALKSCLUB, *_OF_AZURE)
"""Every era, the TLC's own first and oldest first within a colour, then the copies of others."""


@cache
def contract_era(color: str) -> Era:
    """The contract's own names, all of them: what a lake's files have, of whatever month.

    None of `ERAS`, since nobody publishes such files.
    """
    names = tuple(name.lower() for name in dataset(color).column_names)
    return Era("lake, all columns of the contract", color, (2009, 1), None, names)
