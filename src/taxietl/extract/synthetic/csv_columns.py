"""The columns of a month's CSV file: names, and every value as that era wrote it.

Loads pyarrow, so import it on use.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa  # noqa: TID253  the module is loaded only to make trips

from taxietl.extract.synthetic.columns import Column, Missing, cell_of
from taxietl.extract.synthetic.csv_looks import Month
from taxietl.extract.synthetic.rendering import (
    Render,
    seventeen_digits,
    shortest,
    texts,
    time,
    two_decimals,
    whole,
    words,
)

_VENDORS = words({1: "CMT", 2: "VTS|VTS|DDS"})
_PAYMENTS_2009 = words({1: "Credit|CREDIT", 2: "Cash|CASH", 3: "No Charge", 4: "Dispute"})
_PAYMENTS_2010 = words({1: "CRE|Cre", 2: "CAS|Cas", 3: "No ", 4: "NA "})
_PAYMENTS_2011 = words({1: "CRD", 2: "CSH", 3: "NOC", 4: "DIS|UNK"})
_YES_NO = words({0: "N", 1: "Y"})

_WHOLE = {"vendorid", "passenger_count", "ratecodeid", "payment_type", "trip_type", "sr_flag"}
_WHOLE |= {"pulocationid", "dolocationid", "trip_time"}
_BASES = {"dispatching_base_num", "originating_base_num", "affiliated_base_number"}
_FLAGS = {"store_and_fwd_flag", "shared_request_flag", "shared_match_flag"}
_FLAGS |= {"wav_request_flag", "wav_match_flag"}
_INCOMPLETE = {"vendorid", "passenger_count", "ratecodeid", "store_and_fwd_flag", "payment_type"}


def csv_columns(color: str, month: Month, names: Sequence[str]) -> tuple[Column, ...]:
    """The columns of those names, amounts and distances as text already."""
    return tuple(_column(color, month, name) for name in names)


def _column(color: str, month: Month, name: str) -> Column:
    cell = cell_of(name)
    missing = _missing(color, month, name, cell)
    if cell in _WHOLE and not (cell in ("vendorid", "payment_type") and _in_words(color, month)):
        return Column(name, cell, pa.int64(), missing, whole)
    if cell.endswith("datetime"):
        return Column(name, cell, pa.timestamp("s"), missing, time)
    return Column(name, cell, pa.string(), missing, _text(month, cell))


def _in_words(color: str, month: Month) -> bool:
    return color == "yellow" and month < (2015, 1)


def _missing(color: str, month: Month, name: str, cell: str) -> Missing:
    """Where the column is empty in the files of that month."""
    never = {"ehail_fee"} | ({"airport_fee"} if month < (2021, 4) else set())
    if color == "yellow" and month < (2010, 1):
        never |= {"ratecodeid", "store_and_fwd_flag", "mta_tax"}
    if color == "yellow" and (2014, 1) <= month < (2015, 1):
        never.add("store_and_fwd_flag")
    if color == "fhv" and month < (2017, 7):
        never.add("dropoff_datetime")
    second_base = color == "fhv" and month[0] == 2018 and name == "Dispatching_base_num"
    if cell in never or second_base:
        return Missing.EVERYWHERE
    incomplete = _INCOMPLETE
    if color == "green":
        incomplete = incomplete | {"trip_type", "congestion_surcharge"}
    return Missing.IF_DISPATCHED if cell in incomplete else Missing.NOWHERE


def _text(month: Month, cell: str) -> Render:
    """How a value that is no code and no time is written."""
    if cell == "vendorid":
        return _VENDORS
    if cell == "payment_type":
        early = _PAYMENTS_2010 if month >= (2010, 1) else _PAYMENTS_2009
        return _PAYMENTS_2011 if month >= (2011, 1) else early
    if cell == "store_and_fwd_flag" and month < (2011, 1):
        return words({0: "0", 1: "1"})
    if cell in _FLAGS:
        return _YES_NO
    if cell == "access_a_ride_flag":
        return words({0: "N", 1: "Y", 2: " "})
    if cell == "hvfhs_license_num":
        return texts(lambda value: f"HV{value:04d}")
    if cell in _BASES:
        return _base(month)
    if cell.endswith("itude"):
        return texts(seventeen_digits(1_000_000))
    if month < (2010, 1):
        return texts(seventeen_digits(100))
    return texts(two_decimals if cell in ("trip_distance", "trip_miles") else shortest)


def _base(month: Month) -> Render:
    """A base's licence: some in lower case in 2017-01, a missing one as MySQL writes it in 2019."""

    def text(value: int) -> str:
        return f"b{value:05d}" if month == (2017, 1) and value % 7 == 0 else f"B{value:05d}"

    return texts(text, missing=r"\N" if month == (2019, 1) else None)
