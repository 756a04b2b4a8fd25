"""A folder as a source: which of several files is taken, and what is told where none is."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from taxietl.errors import CorruptFileError, MissingFileError, SourceError
from taxietl.extract.folder import Folder
from taxietl.tlc.trip_file import TripFile

JANUARY = TripFile("green", 2021, 1)


def put(path: Path, content: str = "trips") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


@pytest.mark.parametrize("ending", ["parquet", "csv.gz", "csv"])
@pytest.mark.parametrize("below", [".", "green"], ids=["there", "in-its-colour"])
def test_a_month_is_found_by_the_tlc_s_name(tmp_path: Path, ending: str, below: str) -> None:
    path = put(tmp_path / below / f"green_tripdata_2021-01.{ending}")

    version = Folder(tmp_path).probe(JANUARY)

    assert version.url == path.resolve().as_uri()
    assert version.source == tmp_path.as_uri()
    assert version.size_bytes == 5


def test_parquet_is_taken_before_csv_and_that_is_said(
    tmp_path: Path,
) -> None:
    parquet = put(tmp_path / "green" / "green_tripdata_2021-01.parquet")
    put(tmp_path / "green_tripdata_2021-01.csv")
    put(tmp_path / "green_tripdata_2021-01.csv.gz")

    version = Folder(tmp_path).probe(JANUARY)

    assert version.url == parquet.as_uri()
    (said,) = version.warnings
    taken, left = said.split(" is taken, ")
    assert taken.endswith(str(Path("green", "green_tripdata_2021-01.parquet")))
    assert left == "green_tripdata_2021-01.csv.gz, green_tripdata_2021-01.csv left"


def test_files_of_other_months_and_colours_are_none_of_it(tmp_path: Path) -> None:
    put(tmp_path / "green_tripdata_2021-02.csv")
    put(tmp_path / "yellow_tripdata_2021-01.csv")
    put(tmp_path / "yellow" / "green_tripdata_2021-01.csv")
    (tmp_path / "green_tripdata_2021-01.parquet").mkdir()

    with pytest.raises(MissingFileError, match="has no file of green-2021-01") as error:
        Folder(tmp_path).probe(JANUARY)
    assert "green_tripdata_2021-01.csv.gz" in error.value.hint


def test_extracting_hashes_the_file_where_it_lies(tmp_path: Path) -> None:
    folder = tmp_path / "trips of 2021, #1 100%"
    path = put(folder / "green_tripdata_2021-01.csv", "some trips")
    source = Folder(folder)

    file = source.extract(source.probe(JANUARY), into=tmp_path / "cache")

    assert file.path == path
    assert file.sha256 == hashlib.sha256(b"some trips").hexdigest()
    assert file.size_bytes == 10
    assert not (tmp_path / "cache").exists()


def test_a_file_that_goes_between_is_told(tmp_path: Path) -> None:
    path = put(tmp_path / "green_tripdata_2021-01.csv")
    source = Folder(tmp_path)
    version = source.probe(JANUARY)
    path.unlink()

    with pytest.raises(SourceError, match="There is no file"):
        source.extract(version, into=tmp_path)


@pytest.mark.parametrize("inside", [False, True], ids=["in-the-folder", "the-folder-itself"])
@pytest.mark.parametrize("name", [f"{JANUARY.stem}.parquet", JANUARY.stem])
def test_a_folder_of_parts_is_told_from_nothing(tmp_path: Path, name: str, inside: bool) -> None:
    parts = tmp_path / name
    parts.mkdir()
    for number in range(3):
        (parts / f"part-0000{number}.snappy.parquet").touch()
    (parts / "_SUCCESS").touch()

    with pytest.raises(CorruptFileError, match="is a folder of 3 Parquet parts") as error:
        Folder(parts if inside else tmp_path).probe(JANUARY)
    assert str(parts) in error.value.message
    assert f"'{parts}/*.parquet'" in error.value.hint
