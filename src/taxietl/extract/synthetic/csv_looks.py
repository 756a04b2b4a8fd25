"""How the CSV file of each month looks: its header, line ends, blank lines, quotes, spare fields.

Written down here once more, apart from what reading goes by, so that a mistake in either shows.

Source: the first 1,024 bytes of every month's CSV of 2009-01 to 2020-06, and the first hundred
lines of every yellow and green one to 2017-12.
"""

from __future__ import annotations

from dataclasses import dataclass

LF, CRLF = b"\n", b"\r\n"

Month = tuple[int, int]


@dataclass(frozen=True)
class CsvLook:
    """Everything of a CSV file but its values."""

    header: str
    header_end: bytes = CRLF
    blank: bytes = b""
    """What lies between the header and the rows. Where anything does, the header ends in LF."""

    row_end: bytes = CRLF
    unnamed: int = 0
    """Empty fields at the end of each row that the header has no name for."""

    quoted: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names as spelt, blanks included."""
        return tuple(self.header.split(","))

    @property
    def first_line(self) -> bytes:
        """The header as it stands in the file, without its end."""
        if not self.quoted:
            return self.header.encode()
        return ",".join(f'"{name}"' for name in self.names).encode()


def csv_look(color: str, month: Month) -> CsvLook | None:
    """How that month's CSV looks; None where it has been Parquet from the first."""
    return {"yellow": _yellow, "green": _green, "fhv": _fhv, "fhvhv": _fhvhv}[color](month)


def _blank(header: str, unnamed: int = 0, blank: bytes = CRLF) -> CsvLook:
    return CsvLook(header, header_end=LF, blank=blank, unnamed=unnamed)


def _yellow(month: Month) -> CsvLook:
    if month < (2010, 1):
        return _blank(_YELLOW_2009)
    if month < (2014, 1):
        return _blank(_YELLOW_2010)
    if month < (2015, 1):
        return _blank(_YELLOW_2010.replace(",", ", "))
    if month < (2015, 7):
        return CsvLook(_YELLOW_2015.replace("RatecodeID", "RateCodeID"))
    if month < (2016, 7):
        return CsvLook(_YELLOW_2015)
    if month < (2017, 1):
        return CsvLook(_YELLOW_2017, unnamed=2)
    if month < (2019, 1):
        return _blank(_YELLOW_2017)
    # As the frozen copies have it that most people know.
    return CsvLook(f"{_YELLOW_2017},congestion_surcharge", header_end=LF, row_end=LF)


def _green(month: Month) -> CsvLook:
    if month < (2014, 1):
        return _blank(_GREEN_2013, unnamed=2)
    if month < (2015, 1):
        return _blank(_GREEN_2013, unnamed=2, blank=LF + CRLF)
    if month < (2015, 7):
        return CsvLook(_GREEN_2015, unnamed=2)
    if month < (2016, 1):
        return CsvLook(_GREEN_2015)
    if month < (2016, 7):
        return _blank(_GREEN_2015)
    if month < (2017, 1):
        return _blank(_GREEN_2017, unnamed=2)
    if month < (2019, 1):
        return _blank(_GREEN_2017)
    return CsvLook(f"{_GREEN_2017},congestion_surcharge", header_end=LF, row_end=LF)


def _fhv(month: Month) -> CsvLook | None:
    if month < (2017, 1):
        return CsvLook("Dispatching_base_num,Pickup_date,locationID")
    if month < (2017, 7):
        return CsvLook(_FHV_2017)
    if month < (2018, 1):
        return CsvLook(f"{_FHV_2017},SR_Flag", quoted=True)
    if month < (2019, 1):
        return CsvLook(_FHV_2018, quoted=True)
    return CsvLook(_FHV_2019) if month < (2022, 5) else None


def _fhvhv(month: Month) -> CsvLook | None:
    return CsvLook(f"hvfhs_license_num,{_FHV_2019}") if month < (2022, 5) else None


_YELLOW_2009 = (
    "vendor_name,Trip_Pickup_DateTime,Trip_Dropoff_DateTime,Passenger_Count,Trip_Distance,"
    "Start_Lon,Start_Lat,Rate_Code,store_and_forward,End_Lon,End_Lat,Payment_Type,Fare_Amt,"
    "surcharge,mta_tax,Tip_Amt,Tolls_Amt,Total_Amt"
)
_YELLOW_2010 = (
    "vendor_id,pickup_datetime,dropoff_datetime,passenger_count,trip_distance,pickup_longitude,"
    "pickup_latitude,rate_code,store_and_fwd_flag,dropoff_longitude,dropoff_latitude,payment_type,"
    "fare_amount,surcharge,mta_tax,tip_amount,tolls_amount,total_amount"
)
_YELLOW_2015 = (
    "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,"
    "pickup_longitude,pickup_latitude,RatecodeID,store_and_fwd_flag,dropoff_longitude,"
    "dropoff_latitude,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,"
    "improvement_surcharge,total_amount"
)
_YELLOW_2017 = (
    "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,RatecodeID,"
    "store_and_fwd_flag,PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,"
    "tip_amount,tolls_amount,improvement_surcharge,total_amount"
)
_GREEN_2013 = (
    "VendorID,lpep_pickup_datetime,Lpep_dropoff_datetime,Store_and_fwd_flag,RateCodeID,"
    "Pickup_longitude,Pickup_latitude,Dropoff_longitude,Dropoff_latitude,Passenger_count,"
    "Trip_distance,Fare_amount,Extra,MTA_tax,Tip_amount,Tolls_amount,Ehail_fee,Total_amount,"
    "Payment_type,Trip_type "
)
_GREEN_2015 = _GREEN_2013.replace("Total_amount", "improvement_surcharge,Total_amount")
_GREEN_2017 = (
    "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,store_and_fwd_flag,RatecodeID,"
    "PULocationID,DOLocationID,passenger_count,trip_distance,fare_amount,extra,mta_tax,tip_amount,"
    "tolls_amount,ehail_fee,improvement_surcharge,total_amount,payment_type,trip_type"
)
_FHV_2017 = "Dispatching_base_num,Pickup_DateTime,DropOff_datetime,PUlocationID,DOlocationID"
_FHV_2018 = (
    "Pickup_DateTime,DropOff_datetime,PUlocationID,DOlocationID,SR_Flag,Dispatching_base_number,"
    "Dispatching_base_num"
)
_FHV_2019 = (
    "dispatching_base_num,pickup_datetime,dropoff_datetime,PULocationID,DOLocationID,SR_Flag"
)
