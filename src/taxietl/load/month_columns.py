"""A month of a table: what its columns are called, and what counts as odd there. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from taxietl.load.dialect import Dialect
from taxietl.load.sql import quoted
from taxietl.load.table_names import TableName
from taxietl.tlc.datasets import Column
from taxietl.tlc.trip_file import TripFile
from taxietl.tlc.zones import FIRST, LAST, OUTSIDE, UNKNOWN

# What stands in this SQL is a name of ours, or is quoted.
# ruff: noqa: S608


@dataclass(frozen=True)
class MonthColumns:
    """A month of a table, and what the table calls things."""

    trip_file: TripFile
    table: TableName
    columns: tuple[Column, ...]
    """Those that the table has; a month loaded under an older contract may lack some."""

    dialect: Dialect

    def name(self, *candidates: str) -> str | None:
        """The first of these columns that the table has, quoted."""
        by_name = {each.name.lower(): each.name for each in self.columns}
        found = [by_name[each.lower()] for each in candidates if each.lower() in by_name]
        return quoted(found[0]) if found else None

    @property
    def start(self) -> str | None:
        """Pick-up time."""
        return self.name(self.trip_file.dataset.started_at)

    @property
    def end(self) -> str | None:
        """Drop-off time."""
        return self.name(self.trip_file.dataset.ended_at)

    @property
    def total(self) -> str | None:
        """What was charged."""
        return self.name("total_amount", "base_passenger_fare")

    @property
    def distance(self) -> str | None:
        """Miles."""
        return self.name("trip_distance", "trip_miles")

    @property
    def seconds(self) -> str | None:
        """How long a trip lasted."""
        if not (self.start and self.end):
            return None
        end, start = (self.dialect.seconds.format(each) for each in (self.end, self.start))
        return f"({end} - {start})"

    @property
    def rows(self) -> str:
        """The month's rows, for a FROM."""
        where = f"source_month = {self.dialect.date.format(self.trip_file.source_month)}"
        return f"(SELECT * FROM {self.table.sql} WHERE {where}) AS m"

    @property
    def outside(self) -> str:
        """Whether a trip began outside the month."""
        since, until = (
            self.dialect.date.format(each)
            for each in (self.trip_file.source_month, self.trip_file.next_month)
        )
        return f"{self.start} < {since} OR {self.start} >= {until}"


def checks(month: MonthColumns) -> dict[str, str]:
    """What is counted, each by name, and its condition."""
    found: dict[str, str] = {}
    if month.start:
        found["outside_month"] = month.outside
    if month.start and month.end:
        found["ends_before_start"] = f"{month.end} < {month.start}"
        found["no_duration"] = f"{month.end} = {month.start}"
        found["longer_than_a_day"] = f"{month.seconds} > 86400"
    if month.distance:
        found["zero_distance"] = f"{month.distance} = 0"
        found["negative_distance"] = f"{month.distance} < 0"
    if month.total:
        found["negative_total"] = f"{month.total} < 0"
    if passengers := month.name("passenger_count"):
        found["zero_passengers"] = f"{passengers} = 0"
    for end, name in (("pickup", "PULocationID"), ("dropoff", "DOLocationID")):
        if zone := month.name(name):
            found[f"unknown_{end}_zone"] = f"{zone} = {UNKNOWN}"
            found[f"outside_{end}_zone"] = f"{zone} = {OUTSIDE}"
            found[f"invalid_{end}_zone"] = f"{zone} NOT BETWEEN {FIRST} AND {LAST}"
    if (vendor := month.name("VendorID")) and month.start and month.end:
        # Valid times, wrong values: the vendor wrote the month where the minute belongs.
        number = month.trip_file.month
        minutes = [
            f"{month.dialect.minute.format(each)} = {number}" for each in (month.start, month.end)
        ]
        found["vendor_6_month_as_minute"] = f"{vendor} = 6 AND {' AND '.join(minutes)}"
    return found
