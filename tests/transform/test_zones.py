"""Reading the zone look-up table: both editions, and files that are something else."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
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
        ("<html>no</html>", CorruptFileError, "is an HTML or XML page"),
        ("a,b\n1,2\n", SchemaError, "does not begin with the columns LocationID,Borough"),
        (
            HEADER.replace(",", ";").replace('"', ""),
            SchemaError,
            "are separated by ';', not by commas",
        ),
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
        read_zones(b"LocationID\xff", name="zones.csv")


def test_the_real_table_has_265_zones(tlc_data: Path) -> None:
    zones = read_zones((tlc_data / "taxi_zone_lookup.csv").read_bytes(), name="real")

    assert [each.location_id for each in zones] == list(range(1, 266))
    assert zones[263:] == _read(NEW)
    assert all(all(each) for each in zones)


def _parquet(*, ids: object = None, **others: object) -> bytes:
    columns = {
        "LocationID": ids or pa.array([264, 265]),
        "Borough": pa.array(["Unknown", "N/A"]),
        "Zone": pa.array(["N/A", "Outside of NYC"]),
        "service_zone": pa.array(["N/A", "N/A"]),
    }
    written = io.BytesIO()
    pq.write_table(pa.table(columns | others), written)
    return written.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(_parquet(), id="as it is"),
        pytest.param(_parquet(ids=pa.array([264.0, 265.0])), id="ids as pandas has them"),
        pytest.param(_parquet(ids=pa.array(["264", "265"])), id="ids as texts"),
        pytest.param(_parquet(__index_level_0__=pa.array([0, 1])), id="an index"),
        pytest.param(
            _parquet(Borough=pa.array(["Unknown", "N/A"]).dictionary_encode()), id="categories"
        ),
    ],
)
def test_a_parquet_file_has_the_same_rows(content: bytes) -> None:
    assert read_zones(content, name="zones.parquet") == _read(NEW)


def test_a_text_that_is_missing_in_parquet_is_empty() -> None:
    content = _parquet(service_zone=pa.array([None, "N/A"]))

    assert [zone.service_zone for zone in read_zones(content, name="z")] == ["", "N/A"]


@pytest.mark.parametrize(
    ("content", "error", "told"),
    [
        (_parquet(x=pa.array([1, 2])), SchemaError, "does not begin with the columns"),
        (_parquet(Zone=pa.array([1, 2])), SchemaError, "has columns of other types"),
        (_parquet(ids=pa.array([1.5, 2])), SchemaError, "row 2 of the zone table is none"),
        (_parquet(ids=pa.array([1, 1])), SchemaError, "row 3 .* has LocationID 1 again"),
        (_parquet()[:-9] + b"PAR1", CorruptFileError, "cannot be read as Parquet"),
        (gzip.compress(NEW.encode()), CorruptFileError, "is compressed by gzip"),
        (NEW.encode("utf-16"), SchemaError, "is encoded in UTF-16"),
    ],
    ids=["more", "numbers", "half", "twice", "damaged", "gzip", "utf-16"],
)
def test_another_kind_of_file_is_named_for_what_it_is(
    content: bytes, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        read_zones(content, name="zones.parquet")


def test_a_small_file_that_unfolds_to_much_is_refused() -> None:
    rows = 20_000
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), ["a" * 9_000])
    columns = dict.fromkeys(["Borough", "Zone", "service_zone"], texts)

    with pytest.raises(SchemaError, match="too much for the zone table"):
        read_zones(_parquet(ids=pa.array(range(rows)), **columns), name="zones.parquet")
