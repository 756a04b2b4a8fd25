"""Read the zone look-up table. Pure: bytes in, rows out; every text stays as it is written."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from taxietl.errors import CorruptFileError, SchemaError
from taxietl.steps.file_kinds import GZIP, PARQUET, kind_of
from taxietl.steps.zones import Zone
from taxietl.tlc.zones import COLUMNS, FILE_NAMES


def read_zones(content: bytes, *, name: str) -> tuple[Zone, ...]:
    """The table's rows in the file's order; `NA`, `N/A` and `NV` are text.

    Args:
        content: the CSV, in UTF-8, or the Parquet file.
        name: of the file, for messages.

    Raises:
        CorruptFileError: it is neither.
        SchemaError: other columns, no rows, a row with other than four fields, or a LocationID
            that is no number or stands there twice.
    """
    header, lines = _table(content, name)
    if [each.strip().lower() for each in header] != [each.lower() for each in COLUMNS]:
        separators = [each for each in ";\t|" if ",".join(header).count(each) == len(COLUMNS) - 1]
        also = f": they are separated by {separators[0]!r}, not by commas" if separators else ""
        raise SchemaError(
            f"{name} does not begin with the columns {','.join(COLUMNS)}{also}.", hint=_HINT
        )
    zones: dict[int, Zone] = {}
    for number, line in enumerate(lines, start=2):
        if not line or not "".join(line).strip():
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


def _table(content: bytes, name: str) -> tuple[Sequence[str], Sequence[list[str]]]:
    """The names of the columns, and the fields of each row."""
    kind = kind_of(content[:4096], name)
    if kind == PARQUET:
        from taxietl.transform.zones_parquet import parquet_table  # a CSV needs no pyarrow

        return parquet_table(content, name)
    if kind == GZIP:
        raise CorruptFileError(
            f"{name} is compressed by gzip.", hint="Unpack it first (gzip -d), and name the CSV."
        )
    try:
        text = content.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorruptFileError(f"{name} is not a CSV file: {error}.", hint=_HINT) from error
    header, *lines = rows or [[]]
    return header, lines


def _zone(line: list[str]) -> Zone | None:
    if len(line) != len(COLUMNS) or not line[0].strip().isdecimal():
        return None
    location_id = int(line[0])
    return Zone(location_id, *line[1:]) if location_id < 2**31 else None
