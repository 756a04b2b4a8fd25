"""Where files come from over HTTP: named addresses with colour, year and month left open."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from taxietl.config.base import Table
from taxietl.config.templates import open_fields


def check_address(template: str) -> str:
    """Refuse an address that no file can be asked for at, or that holds a password.

    Raises:
        ValueError: so it is; the message repeats nothing of it.
    """
    try:
        parts = urlsplit(template)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is not an address") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("must begin with http:// or https:// and a host")
    if "@" in parts.netloc:
        raise ValueError("must hold no user name and no password")
    if parts.fragment or any(each.isspace() or not each.isprintable() for each in template):
        raise ValueError("must hold no blanks and no #")
    named = open_fields(template)
    if named and not {"year", "month"} <= named:
        raise ValueError("must contain both {year} and {month}, or neither")
    return template


def check_month_address(template: str) -> str:
    """Refuse an address at which every month would be the same file.

    Raises:
        ValueError: so it is.
    """
    check_address(template)
    if not holds_months(template):
        raise ValueError("must contain {year} and {month}, or every month would be the same file")
    return template


def holds_months(template: str) -> bool:
    """Whether the address leaves the month open, or is that of one file."""
    return bool(open_fields(template))


class SourceSettings(Table):
    """One `[sources.NAME]`: a server that has the months under the same kind of name."""

    url: Annotated[str, AfterValidator(check_month_address)]
    zones: Annotated[str, AfterValidator(check_address)] | None = None
    """The zone look-up table's address; None where the server has none."""


TLC = SourceSettings(
    url="https://d37ci6vzurychx.cloudfront.net/trip-data/"
    "{color}_tripdata_{year}-{month:02}.parquet",
    zones="https://d37ci6vzurychx.cloudfront.net/misc/taxi_zone_lookup.csv",
)
"""The TLC's own server.

Source: the links of https://www.nyc.gov/site/tlc/about/tlc-trip-record-data.page.
"""

MIRROR = SourceSettings(
    url="https://github.com/DataTalksClub/nyc-tlc-data/releases/download/"
    "{color}/{color}_tripdata_{year}-{month:02}.csv.gz",
    zones="https://github.com/DataTalksClub/nyc-tlc-data/releases/download/"
    "misc/taxi_zone_lookup.csv",
)
"""The CSV files as they were before May 2022. Frozen: yellow and green end with July 2021.

Source: https://github.com/DataTalksClub/nyc-tlc-data, README.md.
"""

BUILT_IN: Mapping[str, SourceSettings] = MappingProxyType({"tlc": TLC, "mirror": MIRROR})
"""The sources that need no configuration; a section of their name changes what it sets."""
