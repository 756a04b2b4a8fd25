"""Read the zone look-up table. Pure: bytes in, rows out; every text stays as it is written."""

from __future__ import annotations

import csv
import io

from taxietl.errors import CorruptFileError, SchemaError
from taxietl.steps.zones import Zone
from taxietl.tlc.zones import COLUMNS, FILE_NAMES


def read_zones(content: bytes, *, name: str) -> tuple[Zone, ...]:
    """The table's rows in the file's order; `NA`, `N/A` and `NV` are text.

    Args:
        content: the CSV, in UTF-8.
        name: of the file, for messages.

    Raises:
        CorruptFileError: it is no CSV in UTF-8.
        SchemaError: other columns, no rows, a row with other than four fields, or a LocationID
            that is no number or stands there twice.
    """
    try:
        text = content.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorruptFileError(f"{name} is not a CSV file: {error}.", hint=_HINT) from error
    header, *lines = rows or [[]]
    if [each.strip().lower() for each in header] != [each.lower() for each in COLUMNS]:
        raise SchemaError(
            f"{name} does not begin with the columns {','.join(COLUMNS)}.", hint=_HINT
        )
    zones: dict[int, Zone] = {}
    for number, line in enumerate(lines, start=2):
        if not line:
            continue
        zone = _zone(line)
        if zone is None or zone.location_id in zones:
            what = "is none" if zone is None else f"has LocationID {zone.location_id} again"
            raise SchemaError(
                f"{name}: row {number} of the zone table {what}: {','.join(line)[:80]!r}.",
                hint=_HINT,
            )
        zones[zone.location_id] = zone
    if not zones:
        raise SchemaError(f"{name} names its columns and has no rows.", hint=_HINT)
    return tuple(zones.values())


_HINT = f"Fetch the TLC's {FILE_NAMES[0]} again."


def _zone(line: list[str]) -> Zone | None:
    if len(line) != len(COLUMNS) or not line[0].strip().isdecimal():
        return None
    location_id = int(line[0])
    return Zone(location_id, *line[1:]) if location_id < 2**31 else None
