"""The columns of a month's Parquet file: names and types, which drift from month to month.

Loads pyarrow, so import it on use.

Source: the schemas of the published files, as several people have listed them; TLC, "Data
Dictionary - Yellow / LPEP / FHV / High Volume FHV Trip Records" (revision of 18 March 2025).
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa  # noqa: TID253  the module is loaded only to make trips

from taxietl.extract.synthetic.columns import Column, Missing, cell_of
from taxietl.extract.synthetic.csv_looks import Month, csv_look
from taxietl.extract.synthetic.rendering import (
    Render,
    hundredths,
    millionths,
    texts,
    time,
    whole,
    words,
)

_YELLOW = (
    "VendorID tpep_pickup_datetime tpep_dropoff_datetime passenger_count trip_distance RatecodeID "
    "store_and_fwd_flag PULocationID DOLocationID payment_type fare_amount extra mta_tax "
    "tip_amount tolls_amount improvement_surcharge total_amount congestion_surcharge"
).split()
_GREEN = (
    "VendorID lpep_pickup_datetime lpep_dropoff_datetime store_and_fwd_flag RatecodeID "
    "PULocationID DOLocationID passenger_count trip_distance fare_amount extra mta_tax tip_amount "
    "tolls_amount ehail_fee improvement_surcharge total_amount payment_type trip_type "
    "congestion_surcharge"
).split()
_FHV = (
    "dispatching_base_num pickup_datetime dropOff_datetime PUlocationID DOlocationID SR_Flag "
    "Affiliated_base_number"
).split()
_FHVHV = (
    "hvfhs_license_num dispatching_base_num originating_base_num request_datetime "
    "on_scene_datetime pickup_datetime dropoff_datetime PULocationID DOLocationID trip_miles "
    "trip_time base_passenger_fare tolls bcf sales_tax congestion_surcharge airport_fee tips "
    "driver_pay shared_request_flag shared_match_flag access_a_ride_flag wav_request_flag "
    "wav_match_flag"
).split()
_IDS = ("vendorid", "pulocationid", "dolocationid")
_CODES = ("passenger_count", "ratecodeid", "payment_type", "trip_type")
_CONGESTION_BEFORE_2019 = [(2011, 1), (2011, 3), (2012, 12), (2013, 5), (2014, 1), (2018, 1)]
_CONGESTION_BEFORE_2019 += [(2018, 6), (2018, 9), (2018, 11)]


def parquet_columns(color: str, year: int, month: int) -> tuple[Column, ...]:
    """The columns of a Parquet file of that month."""
    of = (year, month)
    types, empty = _types(color, of), _empty(color, of)
    return tuple(
        Column(
            name,
            cell_of(name),
            types.get(cell_of(name), pa.float64()),
            empty.get(cell_of(name), Missing.NOWHERE),
            _render(color, of, cell_of(name)),
        )
        for name in _names(color, of)
    )


def _names(color: str, of: Month) -> list[str]:
    if color == "yellow" and of < (2011, 1):
        look = csv_look("yellow", of)
        names = list(look.names) if look else []
        return [*names, "__index_level_0__"] if of in ((2010, 2), (2010, 3)) else names
    names = list({"yellow": _YELLOW, "green": _GREEN, "fhv": _FHV, "fhvhv": _FHVHV}[color])
    if color == "yellow":
        names.append("Airport_fee" if of >= (2023, 2) else "airport_fee")
    if color != "fhv" and of >= (2025, 1):
        names.append("cbd_congestion_fee")
    if color == "yellow" and of >= (2026, 6):
        names.append("request_source")
    return names


def _types(color: str, of: Month) -> dict[str, pa.DataType]:
    """Each cell's type, if it is not double."""
    recent = of >= (2023, 2)  # when the TLC changed how it writes its files
    text = pa.large_string() if recent else pa.string()
    types = dict.fromkeys(_TEXTS, text)
    types |= dict.fromkeys(_TIMES, pa.timestamp("us"))
    types |= dict.fromkeys(_IDS, pa.int32() if recent else pa.int64())
    types |= dict.fromkeys(_CODES, pa.int64() if recent or of < (2016, 1) else pa.float64())
    types |= {"trip_time": pa.int64()}
    types |= {"yellow": _yellow_types, "green": _green_types, "fhv": _fhv_types}.get(
        color, _fhvhv_types
    )(of)
    return types


def _yellow_types(of: Month) -> Mapping[str, pa.DataType]:
    if of < (2011, 1):
        types = dict.fromkeys(("vendorid", "payment_type", *_TIMES), pa.string())
        rate = pa.int64() if of in ((2010, 2), (2010, 3)) else pa.string()
        if of >= (2010, 1):
            return types | {"ratecodeid": rate}
        return types | dict.fromkeys(("ratecodeid", "store_and_fwd_flag"), pa.float64())
    types = {"payment_type": pa.int64()}
    if of < (2018, 7):
        types |= {"passenger_count": pa.int64(), "ratecodeid": pa.int64()}
    if of < (2019, 1) and of not in _CONGESTION_BEFORE_2019:
        types["congestion_surcharge"] = pa.null()
    if of == (2014, 8):
        types["improvement_surcharge"] = pa.null()
    if (of <= (2020, 7) and of not in ((2011, 1), (2018, 1))) or of == (2020, 10):
        types["airport_fee"] = pa.null()
    return types


def _green_types(of: Month) -> Mapping[str, pa.DataType]:
    types = {"ehail_fee": pa.null()} if of < (2023, 2) else {}
    if of < (2016, 1):
        types["trip_type"] = pa.float64()
    if of < (2019, 1):
        types["congestion_surcharge"] = pa.null()
    if of < (2015, 1):
        types["improvement_surcharge"] = pa.null()
    return types


def _fhv_types(_: Month) -> Mapping[str, pa.DataType]:
    return {"pulocationid": pa.float64(), "dolocationid": pa.float64(), "sr_flag": pa.null()}


def _fhvhv_types(of: Month) -> Mapping[str, pa.DataType]:
    return dict.fromkeys(("airport_fee", "wav_match_flag"), pa.null()) if of < (2020, 1) else {}


def _empty(color: str, of: Month) -> Mapping[str, Missing]:
    """What a Parquet file leaves empty; it names a dispatched trip's vendor, unlike the CSV."""
    incomplete = ["passenger_count", "ratecodeid", "store_and_fwd_flag", "congestion_surcharge"]
    # Yellow has payment type 0 where green has none.
    incomplete += ["airport_fee"] if color == "yellow" else ["payment_type", "trip_type"]
    never = [name for name, kind in _types(color, of).items() if kind == pa.null()]
    never += ["ehail_fee", "request_source"]
    if of < (2019, 1):
        never.append("congestion_surcharge")
    if of < (2021, 4):
        never.append("airport_fee")
    if color == "yellow" and of < (2010, 1):
        never += ["ratecodeid", "mta_tax"]
    if color == "fhv" and of < (2017, 7):
        never += ["dropoff_datetime", "dolocationid"]
    return dict.fromkeys(incomplete, Missing.IF_DISPATCHED) | dict.fromkeys(
        never, Missing.EVERYWHERE
    )


def _render(color: str, of: Month, cell: str) -> Render:
    if color == "fhv" and cell in _BASES:
        return texts(_padded)
    if color == "yellow" and of < (2011, 1) and cell in _RENDERS_2009:
        late_flag = cell == "store_and_fwd_flag" and of >= (2010, 1)
        rate_is_number = cell == "ratecodeid" and of in ((2010, 2), (2010, 3))
        if not late_flag and not rate_is_number:
            return _RENDERS_2009[cell]
    return _RENDERS.get(cell, millionths if cell.endswith("itude") else hundredths)


def _padded(value: int) -> str:
    """A base's licence, some of them padded with blanks."""
    return f"B{value:05d}".ljust(15) if value % 3 == 0 else f"B{value:05d}"


_TIMES = ("pickup_datetime", "dropoff_datetime", "request_datetime", "on_scene_datetime")
_BASES = ("dispatching_base_num", "originating_base_num", "affiliated_base_number")
_FLAGS = (
    *("store_and_fwd_flag", "request_source", "shared_request_flag", "shared_match_flag"),
    *("wav_request_flag", "wav_match_flag"),
)
_TEXTS = (*_BASES, *_FLAGS, "hvfhs_license_num", "access_a_ride_flag")

_RENDERS: Mapping[str, Render] = {
    **dict.fromkeys((*_IDS, *_CODES, "trip_time", "sr_flag"), whole),
    **dict.fromkeys(_TIMES, time),
    **dict.fromkeys(_FLAGS, words({0: "N", 1: "Y"})),
    **dict.fromkeys(_BASES, texts(lambda value: f"B{value:05d}")),
    "access_a_ride_flag": words({0: "N", 1: "Y", 2: " "}),
    "hvfhs_license_num": texts(lambda value: f"HV{value:04d}"),
}


_RENDERS_2009: Mapping[str, Render] = {
    "pickup_datetime": time,
    "dropoff_datetime": time,
    "vendorid": words({1: "CMT", 2: "VTS|VTS|DDS"}),
    "payment_type": words({1: "Credit|CRE", 2: "CASH|CAS", 3: "No Charge", 4: "NA "}),
    "ratecodeid": texts(str),
    "store_and_fwd_flag": whole,
}
