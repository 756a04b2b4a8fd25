"""What a file is, told by its bytes and not by its name."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from taxietl.errors import CorruptFileError
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


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"<!DOCTYPE html><html></html>", "is an HTML or XML page", id="html"),
        pytest.param(b"\xef\xbb\xbf \r\n<?xml?><Error/>", "is an HTML or XML page", id="xml"),
        pytest.param(b"PK\x03\x04\x14\x00\x00\x00", "is neither CSV, gzip nor", id="zip"),
        pytest.param("VendorID,a\n".encode("utf-16"), "is neither CSV, gzip nor", id="utf-16"),
        pytest.param(b"PAR1", "cut short", id="parquet-of-four-bytes"),
        pytest.param(b"PAR1" + b"x" * 100, "cut short", id="parquet-head"),
    ],
)
def test_what_is_no_trip_file_is_told_apart(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "yellow_tripdata_2021-01.csv.gz"
    path.write_bytes(content)

    with pytest.raises(CorruptFileError, match=told) as error:
        form_of(path)
    assert str(path) in error.value.message
    assert error.value.hint


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(CorruptFileError, match="cannot be read: No such file"):
        form_of(tmp_path / "gone.csv")
