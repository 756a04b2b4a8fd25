"""Reading the zone look-up table: both editions, and files that are something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from taxietl.errors import CorruptFileError, DataError, SchemaError
from taxietl.steps.zones import Zone
from taxietl.transform.zones import read_zones

HEADER = '"LocationID","Borough","Zone","service_zone"\r\n'
NEW = HEADER + '264,"Unknown","N/A","N/A"\r\n265,"N/A","Outside of NYC","N/A"\r\n'
OLD = HEADER + '264,"Unknown","NV","N/A"\r\n265,"Unknown","NA","N/A"\r\n'


def _read(text: str) -> tuple[Zone, ...]:
    return read_zones(text.encode(), name="zones.csv")


def test_what_looks_like_a_missing_value_is_text_in_both_editions() -> None:
    assert _read(NEW) == (
        Zone(264, "Unknown", "N/A", "N/A"),
        Zone(265, "N/A", "Outside of NYC", "N/A"),
    )
    assert _read(OLD) == (Zone(264, "Unknown", "NV", "N/A"), Zone(265, "Unknown", "NA", "N/A"))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\ufeff" + NEW, id="byte order mark"),
        pytest.param(NEW.replace("\r\n", "\n"), id="LF"),
        pytest.param(NEW.replace('"', ""), id="without quotes"),
        pytest.param(NEW + "\r\n", id="blank line"),
        pytest.param(NEW.replace("LocationID", "locationid"), id="other case"),
    ],
)
def test_the_same_rows_in_another_dress_are_the_same(text: str) -> None:
    assert _read(text) == _read(NEW)


def test_commas_and_signs_inside_a_name_stay() -> None:
    assert _read(HEADER + '7,"Queens","Long Island, ""Núñez"" St.","Boro Zone"\n') == (
        Zone(7, "Queens", 'Long Island, "Núñez" St.', "Boro Zone"),
    )


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("<html>no</html>", SchemaError, "does not begin with the columns LocationID,Borough"),
        ("", SchemaError, "does not begin with"),
        (HEADER, SchemaError, "has no rows"),
        (HEADER + '1,"EWR","Newark"\n', SchemaError, "row 2 of the zone table is none"),
        (HEADER + 'one,"a","b","c"\n', SchemaError, "row 2 of the zone table is none"),
        (HEADER + "99999999999,a,b,c\n", SchemaError, "row 2 of the zone table is none"),
        (HEADER + "1,a,b,c\n1,a,b,c\n", SchemaError, "row 3 .* has LocationID 1 again"),
        (HEADER + '1,"a,b,c\n', CorruptFileError, "zones.csv is not a CSV file"),
    ],
)
def test_another_file_is_refused(text: str, error: type[DataError], told: str) -> None:
    with pytest.raises(error, match=told):
        _read(text)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(CorruptFileError, match="is not a CSV file"):
        read_zones(b"PAR1\xff\x00", name="zones.csv")


def test_the_real_table_has_265_zones(tlc_data: Path) -> None:
    zones = read_zones((tlc_data / "taxi_zone_lookup.csv").read_bytes(), name="real")

    assert [each.location_id for each in zones] == list(range(1, 266))
    assert zones[263:] == _read(NEW)
    assert all(all(each) for each in zones)
