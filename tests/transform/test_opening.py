"""What a file is, told by its bytes and not by its name."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path
from typing import Any

import pytest

from taxietl.errors import CorruptFileError, SchemaError, TaxietlError
from taxietl.transform.opening import form_of


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.parquet", "t"])
def test_a_parquet_file_is_one_under_any_name(trips: Any, name: str) -> None:
    path = trips.parquet().rename(trips.folder / name)

    assert form_of(path) == "parquet"
    assert trips.clean(path).table.num_rows == 3


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.parquet"])
def test_a_gzip_is_one_under_any_name(trips: Any, name: str) -> None:
    path = trips.folder / name
    path.write_bytes(gzip.compress(f"{trips.header}\n{trips.line()}\n".encode()))

    assert form_of(path) == "csv.gz"
    assert trips.clean(path).table.num_rows == 1


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.parquet"])
def test_a_csv_is_one_under_any_name(trips: Any, name: str) -> None:
    path = trips.folder / name
    path.write_text(f"{trips.header}\n{trips.line()}\n")

    assert form_of(path) == "csv"
    assert trips.clean(path).table.num_rows == 1


HEADER = "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime\n"
CSV = HEADER.encode()


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "in-a-gzip"])
@pytest.mark.parametrize(
    ("content", "error", "told", "hint"),
    [
        (b"<!DOCTYPE html><html></html>", CorruptFileError, "is an HTML or XML page", "fetch"),
        (b"\xef\xbb\xbf \r\n<?xml?><Error/>", CorruptFileError, "is an HTML or XML page", "fetch"),
        (bz2.compress(CSV), CorruptFileError, "is compressed by bzip2", "-dc /"),
        (lzma.compress(CSV), CorruptFileError, "is compressed by xz", "-dc /"),
        (b"\x28\xb5\x2f\xfd...", CorruptFileError, "is compressed by zstd", "-dc /"),
        (b"PK\x03\x04\x14\x00\x00\x00", CorruptFileError, "is a zip archive", "Unpack it first"),
        (b"PK\x03\x04....[Content_Types].xml", CorruptFileError, "is a spreadsheet", "Save or"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", CorruptFileError, "an Excel workbook", "Save or"),
        (b"t.csv".ljust(257, b"\0") + b"ustar", CorruptFileError, "is a tar archive", "Unpack it"),
        (b"ARROW1\0\0", CorruptFileError, "is an Arrow IPC", "Save or export"),
        (b"version https://git-lfs.github.com/spec/v1\n", CorruptFileError, "Git LFS", "lfs pull"),
        (b"GIF89a\0", CorruptFileError, "is neither CSV, gzip nor", "Fetch it again"),
        (HEADER.encode("utf-16"), SchemaError, "is encoded in UTF-16,", "iconv -f UTF-16 "),
        (HEADER.encode("utf-16-le"), SchemaError, "in UTF-16LE,", "iconv -f UTF-16LE"),
        (HEADER.encode("utf-16-be"), SchemaError, "in UTF-16BE,", "iconv -f UTF-16BE"),
        (HEADER.encode("utf-32"), SchemaError, "is encoded in UTF-32,", "iconv -f UTF-32 "),
        (HEADER.encode("utf-32-le"), SchemaError, "in UTF-32LE,", "iconv -f UTF-32LE"),
        (HEADER.encode("utf-32-be"), SchemaError, "in UTF-32BE,", "iconv -f UTF-32BE"),
        (b'{"VendorID": 1}\n', SchemaError, "is JSON, not CSV", "Convert it"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else None,
)
def test_what_is_no_trip_file_is_named_for_what_it_is(
    tmp_path: Path, content: bytes, error: type[TaxietlError], told: str, hint: str, packed: bool
) -> None:
    path = tmp_path / "yellow_tripdata_2021-01.csv.gz"
    path.write_bytes(gzip.compress(content) if packed else content)

    with pytest.raises(error, match=told) as raised:
        form_of(path)
    assert raised.value.message.startswith(str(path))
    assert hint in raised.value.hint


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"PAR1", "cut short", id="parquet-of-four-bytes"),
        pytest.param(b"PAR1" + b"x" * 100, "cut short", id="parquet-head"),
        pytest.param(gzip.compress(gzip.compress(CSV)), "gzip within gzip", id="gzip-twice"),
        pytest.param(gzip.compress(b"PAR1" + CSV), "gzip around Parquet", id="parquet-in-gzip"),
    ],
)
def test_a_file_that_is_cut_or_packed_twice_is_told_as_that(
    tmp_path: Path, content: bytes, told: str
) -> None:
    path = tmp_path / "yellow_tripdata_2021-01.csv.gz"
    path.write_bytes(content)

    with pytest.raises(CorruptFileError, match=told) as error:
        form_of(path)
    assert str(path) in error.value.message
    assert error.value.hint


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(CorruptFileError, match="cannot be read: No such file"):
        form_of(tmp_path / "gone.csv")
