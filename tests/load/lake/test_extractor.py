"""The lake as a source, be it a bucket or a folder."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from lakes import JANUARY, BucketLake, FolderLake, LakeOfATest
from lakes import KEY as JANUARY_KEY

from taxietl.errors import Cancelled, ConfigError, MissingFileError, SourceError, TargetError
from taxietl.load.lake.extractor import LakeMonths
from taxietl.load.lake.folder_profile import FolderProfile
from taxietl.orchestrator.stop.cancellation import Cancellation
from taxietl.tlc.trip_file import TripFile

MARCH = TripFile("yellow", 2020, 3)
KEY = "data/yellow/yellow_tripdata_2020-03.parquet"
DATA = bytes(range(251)) * 70_000
"""Two parts and a bit."""


def march(lake: LakeOfATest, folder: Path, data: bytes = DATA) -> None:
    """Upload it, in the place of what is there."""
    path, there = folder / "march.parquet", lake.store.stat(KEY)
    path.write_bytes(data)
    lake.put(path, key=KEY, month="2020-03", if_generation=there.generation if there else 0)


def test_a_month_is_copied_byte_by_byte(lake: BucketLake | FolderLake, tmp_path: Path) -> None:
    march(lake, tmp_path)
    months = LakeMonths(lake.profile)
    told: list[tuple[int, int | None]] = []

    version = months.probe(MARCH)
    file = months.extract(
        version, into=tmp_path / "cache", progress=lambda *done: told.append(done)
    )

    assert (version.size_bytes, version.url) == (len(DATA), lake.store.uri(KEY))
    assert file.path.read_bytes() == DATA
    assert file.sha256 == hashlib.sha256(DATA).hexdigest()
    assert told[-1] == (len(DATA), len(DATA))
    assert len(told) == 3
    assert [each.name for each in (tmp_path / "cache").iterdir()] == [file.path.name]
    assert months.tail(version, 10) == DATA[-10:]
    assert months.tail(version, len(DATA) + 1) == DATA


def test_a_month_that_is_not_there_comes_with_the_command_that_brings_it(
    lake: BucketLake | FolderLake,
) -> None:
    with pytest.raises(MissingFileError, match="has no yellow-2020-03") as error:
        LakeMonths(lake.profile).probe(MARCH)

    assert "upload-gcs --color yellow --year 2020 --month 3" in error.value.hint


def _flipped(lake: BucketLake | FolderLake) -> bytes:
    data = bytearray(lake.bytes_at(JANUARY_KEY) or b"")
    data[1000] ^= 1
    return bytes(data)


def test_a_month_is_read_where_its_manifest_says_whatever_the_key_is_by_now(
    lake: BucketLake | FolderLake, file: Path
) -> None:
    lake.put(file)
    profile = lake.profile.model_copy(update={"key": "{color}/{year}-{month}"})

    assert LakeMonths(profile).probe(JANUARY).url == lake.store.uri(JANUARY_KEY)


def test_a_month_of_an_older_contract_is_not_taken_for_a_current_one(
    lake: BucketLake | FolderLake, file: Path
) -> None:
    lake.put(file, contract_version="0")

    with pytest.raises(SourceError, match="was uploaded under contract 0") as caught:
        LakeMonths(lake.profile).probe(JANUARY)

    assert "taxietl upload-gcs --color yellow" in caught.value.hint


def test_a_month_whose_bytes_somebody_changed_is_not_taken(
    lake: BucketLake | FolderLake, file: Path
) -> None:
    lake.put(file)
    lake.plant(JANUARY_KEY, _flipped(lake))

    with pytest.raises(TargetError, match="not what run 'amber-fox' put there") as caught:
        LakeMonths(lake.profile).probe(JANUARY)

    assert "upload-gcs --color yellow --year 2021 --month 1" in caught.value.hint


def test_a_byte_that_flips_on_the_disk_once_it_was_asked_for_is_not_taken(
    tmp_path: Path, file: Path
) -> None:
    lake = FolderLake(tmp_path / "lake")
    lake.put(file)
    months = LakeMonths(lake.profile)
    asked = months.probe(JANUARY)
    path = tmp_path / "lake" / JANUARY_KEY
    stat = path.stat()
    path.write_bytes(_flipped(lake))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    with pytest.raises(TargetError, match="not what run"):
        months.extract(asked, into=tmp_path / "cache")


def test_a_month_that_was_replaced_meanwhile_is_not_taken_for_the_one_asked_for(
    lake: BucketLake | FolderLake, tmp_path: Path
) -> None:
    march(lake, tmp_path)
    months = LakeMonths(lake.profile)
    version = months.probe(MARCH)
    march(lake, tmp_path, DATA[1:])

    with pytest.raises(SourceError, match="was replaced since"):
        months.extract(version, into=tmp_path / "cache")
    with pytest.raises(SourceError, match="was replaced since"):
        months.tail(version, 10)

    assert list((tmp_path / "cache").iterdir()) == []
    assert months.probe(MARCH).key != version.key


def test_a_run_that_is_to_stop_leaves_nothing(
    lake: BucketLake | FolderLake, tmp_path: Path
) -> None:
    march(lake, tmp_path)
    months, cancellation = LakeMonths(lake.profile), Cancellation()
    version = months.probe(MARCH)

    with pytest.raises(Cancelled):
        months.extract(
            version,
            into=tmp_path / "cache",
            cancellation=cancellation,
            progress=lambda *_: cancellation.request("Stopped by SIGINT."),
        )

    assert list((tmp_path / "cache").iterdir()) == []


def test_what_lies_at_another_key_is_taken_with_its_ending(
    lake: BucketLake | FolderLake, tmp_path: Path
) -> None:
    lake.plant("raw/yellow/2020/03.csv.gz", DATA)
    months = LakeMonths(lake.profile, "raw/{color}/{year}/{month:02}.csv.gz")

    file = months.extract(months.probe(MARCH), into=tmp_path)

    assert file.path.name.endswith(".csv.gz")
    assert file.path.read_bytes() == DATA
    with pytest.raises(MissingFileError, match="at other/key"):
        LakeMonths(lake.profile, "other/key").probe(MARCH)


@pytest.mark.parametrize("template", ["{colour}.parquet", "{month:99999999d}", "{color.__class__}"])
def test_a_key_that_no_month_fills_is_refused_before_anything_is_asked(template: str) -> None:
    with pytest.raises(ConfigError, match=r"The key of --source has an? "):
        LakeMonths(FolderProfile(path=Path("lake")), template)


def test_a_bucket_that_cannot_be_asked_is_a_matter_of_the_source(bucket: BucketLake) -> None:
    bucket.plant(KEY, DATA)
    bucket.gcs.bucket().objects.clear()
    bucket.gcs.buckets.clear()

    with pytest.raises(SourceError) as error:
        LakeMonths(bucket.profile).probe(MARCH)

    assert error.value.exit_code == 3
