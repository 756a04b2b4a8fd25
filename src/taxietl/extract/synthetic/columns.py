"""The columns of a month's file, in either form, and made trips turned into them.

A month has two forms: the CSV that was published until 2022, and the Parquet that replaced it. They
differ in names, in types and in what they leave empty, not in the trips. Loads pyarrow, so import
it on use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import pyarrow as pa  # noqa: TID253  the module is loaded only to make trips

from taxietl.extract.synthetic.rendering import Render
from taxietl.extract.synthetic.rides import Trips


class Missing(Enum):
    """Where a column is empty."""

    NOWHERE = "nowhere"
    IF_DISPATCHED = "in the last block"
    EVERYWHERE = "everywhere"


@dataclass(frozen=True)
class Column:
    """One column of a file: its name, its type, where it is empty, how a value is put."""

    name: str
    cell: str
    """Name of its values in `Trips.cells`."""

    type: pa.DataType
    missing: Missing
    render: Render

    def array(self, trips: Trips) -> pa.Array:
        """The trips' values in this column."""
        if self.missing is Missing.EVERYWHERE or (
            trips.dispatched and self.missing is Missing.IF_DISPATCHED
        ):
            return pa.nulls(trips.row_count, self.type)
        return self.render(trips.cells[self.cell], self.type)


def record_batch(columns: Sequence[Column], trips: Trips) -> pa.RecordBatch:
    """The trips in those columns."""
    return pa.record_batch([column.array(trips) for column in columns], schema=schema(columns))


def schema(columns: Sequence[Column]) -> pa.Schema:
    """The columns' names and types."""
    return pa.schema([(column.name, column.type) for column in columns])


def cell_of(name: str) -> str:
    """The name of a column's values in `Trips.cells`."""
    plain = name.strip().lower().removeprefix("tpep_").removeprefix("lpep_")
    return _OLD_NAMES.get(plain, plain)


_OLD_NAMES = {
    "vendor_name": "vendorid",
    "vendor_id": "vendorid",
    "trip_pickup_datetime": "pickup_datetime",
    "trip_dropoff_datetime": "dropoff_datetime",
    "start_lon": "pickup_longitude",
    "start_lat": "pickup_latitude",
    "end_lon": "dropoff_longitude",
    "end_lat": "dropoff_latitude",
    "rate_code": "ratecodeid",
    "store_and_forward": "store_and_fwd_flag",
    "fare_amt": "fare_amount",
    "surcharge": "extra",
    "tip_amt": "tip_amount",
    "tolls_amt": "tolls_amount",
    "total_amt": "total_amount",
    "pickup_date": "pickup_datetime",
    "locationid": "pulocationid",
    "dispatching_base_number": "dispatching_base_num",
    "__index_level_0__": "pulocationid",  # left behind by pandas: any whole numbers do
}
