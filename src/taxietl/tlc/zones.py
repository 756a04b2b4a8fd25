"""The taxi zones that location ids stand for, and the table that names them.

Source: TLC, `misc/taxi_zone_lookup.csv`: 265 rows, of which two editions are known. They differ in
264 (`Unknown,NV,N/A`; now `Unknown,N/A,N/A`) and 265 (`Unknown,NA,N/A`; now `N/A,Outside of
NYC,N/A`): `NA`, `N/A` and `NV` are text there, not missing values.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TABLE = "taxi_zones"
VIEW = "zones"

COLUMNS: Mapping[str, str] = MappingProxyType(
    {"LocationID": "INTEGER", "Borough": "TEXT", "Zone": "TEXT", "service_zone": "TEXT"}
)
"""Of the table, as the file spells them, with their SQL types."""

VIEW_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "location_id": "LocationID",
        "borough": "Borough",
        "zone": "Zone",
        "service_zone": "service_zone",
    }
)
"""Plain names, and the table's."""

CONTRACT_VERSION = "1"
"""Goes up whenever the same file would give other values or columns."""

FIRST, LAST = 1, 265
UNKNOWN, OUTSIDE = 264, 265
"""Not known where; and outside of the city."""

FILE_NAMES = ("taxi_zone_lookup.csv", "taxi+_zone_lookup.csv", "taxi_zone_lookup.parquet")
"""Today's, an older one, and that of a copy as Parquet."""
