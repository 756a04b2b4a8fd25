"""Damage that was planted is found, and nothing else is taken for damage."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from gcs import Gcs
from lakes import KEY, MANIFEST, BucketLake, LakeOfATest
from months import JANUARY, batch_of

from taxietl.config.lakes import LAKE_KEY
from taxietl.load.lake.inspection import Leftover, leftovers, verify
from taxietl.load.lake.manifest import manifest_key
from taxietl.load.lake.parquet import lake_schema, schema_digest, write_parquet
from taxietl.load.lake.survey import survey
from taxietl.load.lake.values import Form, Version
from taxietl.tlc.datasets import DATASETS

DIGEST = schema_digest(lake_schema(DATASETS["yellow"]))


@pytest.fixture
def month(lake: LakeOfATest, tmp_path: Path) -> Version:
    """January as Parquet, in the lake."""
    path = tmp_path / "january.parquet"
    rows = write_parquet([batch_of("yellow", 100)], JANUARY, path)
    return lake.put(path, form=Form.PARQUET, rows=rows, schema=DIGEST)


def left(lake: LakeOfATest) -> list[Leftover]:
    return leftovers(lake.lake, survey(lake.lake, lake.lake.manifests()))


def problems(lake: LakeOfATest) -> dict[str, tuple[str, ...]]:
    return {each.key: each.problems for each in verify(lake.lake)}


def test_a_whole_lake_has_no_problems(lake: LakeOfATest, month: Version, file: Path) -> None:
    lake.put(file, key="raw/a.csv", form=Form.RAW)

    assert problems(lake) == {KEY: (), "raw/a.csv": ()}


def test_a_flipped_byte_is_found(lake: LakeOfATest, month: Version) -> None:
    data = bytearray(lake.bytes_at(KEY) or b"")
    data[200] ^= 1
    lake.plant(KEY, bytes(data))

    (found,) = problems(lake)[KEY]
    assert "checksum" in found
    assert month.facts.crc32c in found


def test_a_missing_object_is_found(lake: LakeOfATest, month: Version) -> None:
    lake.plant(KEY, None)

    assert problems(lake) == {KEY: ("the object is gone",)}


def test_a_broken_manifest_is_found_and_the_others_are_verified(
    lake: LakeOfATest, month: Version, file: Path
) -> None:
    broken = manifest_key("green", "2020-02")
    lake.plant(broken, b"{}")

    found = problems(lake)

    assert found[KEY] == ()
    assert found[broken] == ("it is no manifest that can be read: it lacks 'format'",)


def test_a_foreign_object_is_found(lake: LakeOfATest, month: Version) -> None:
    lake.plant("data/yellow/notes.txt", b"theirs")

    assert problems(lake) == {KEY: (), "data/yellow/notes.txt": ("taxietl did not put it there",)}


def test_another_schema_is_found(lake: LakeOfATest, month: Version, tmp_path: Path) -> None:
    pq.write_table(pa.table({"VendorID": [1] * 100}), tmp_path / "b.parquet")
    lake.plant(KEY, (tmp_path / "b.parquet").read_bytes())

    assert "other columns than were written" in problems(lake)[KEY]


def test_other_rows_are_found(lake: LakeOfATest, month: Version, tmp_path: Path) -> None:
    write_parquet([batch_of("yellow", 99)], JANUARY, tmp_path / "b.parquet")
    lake.plant(KEY, (tmp_path / "b.parquet").read_bytes())

    assert "99 rows instead of 100" in problems(lake)[KEY]


def test_columns_that_were_written_so_and_are_not_the_contracts_are_found(
    lake: LakeOfATest, tmp_path: Path
) -> None:
    table = pa.table({"VendorID": [1]})
    pq.write_table(table, tmp_path / "b.parquet")
    lake.put(tmp_path / "b.parquet", form=Form.PARQUET, rows=1, schema=schema_digest(table.schema))

    assert problems(lake) == {KEY: ("other columns than the contract's",)}


def test_a_cut_object_is_found(lake: LakeOfATest, month: Version) -> None:
    data = lake.bytes_at(KEY) or b""
    lake.plant(KEY, data[:-10])

    found = problems(lake)[KEY]
    assert any("bytes instead of" in each for each in found)
    assert any("the footer cannot be read" in each for each in found)


def test_one_colour_can_be_asked_for(lake: LakeOfATest, month: Version) -> None:
    lake.plant("theirs", b"x")

    assert [each.key for each in verify(lake.lake, color="yellow")] == [KEY]
    assert verify(lake.lake, color="green") == []


def test_a_month_that_its_manifest_lacks_is_not_taken_for_damage_or_for_somebody_elses(
    lake: LakeOfATest, month: Version, tmp_path: Path
) -> None:
    path = tmp_path / "restated.parquet"
    rows = write_parquet([batch_of("yellow", 90)], JANUARY, path)
    lake.upload(path, form=Form.PARQUET, rows=rows, if_generation=month.generation)
    (newer,) = problems(lake)[KEY]
    lake.plant(MANIFEST, None)
    (unknown,) = problems(lake)[KEY]

    assert newer == unknown
    assert newer.startswith("its manifest lacks it, as after a crash: upload it again")


def test_a_copy_elsewhere_is_not_taken_for_the_month_itself(
    bucket: BucketLake, gcs: Gcs, file: Path
) -> None:
    bucket.put(file)
    stored = gcs.bucket().objects[KEY]
    gcs.bucket().insert("backup/a", stored.data, {**stored.resource, "name": "backup/a"}, None)

    assert problems(bucket)["backup/a"] == ("taxietl did not put it there",)


@pytest.fixture
def moved(lake: LakeOfATest, month: Version, file: Path) -> Version:
    """January at another key, which is the profile's by now."""
    lake.profile = lake.profile.model_copy(update={"key": "{color}/{year}-{month}"})
    return lake.put(file, key="yellow/2021-1", form=Form.PARQUET)


def test_what_a_changed_key_left_behind_can_go(
    lake: LakeOfATest, month: Version, moved: Version
) -> None:
    lake.plant("theirs", b"x")

    (old,) = left(lake)

    assert (old.key, old.generation) == (KEY, month.generation)
    assert moved.facts.key in old.why


def test_what_a_changed_key_left_behind_is_verified_as_long_as_it_is_there(
    lake: LakeOfATest, moved: Version
) -> None:
    data = lake.bytes_at(KEY) or b""
    lake.plant(KEY, data[:-1] + b"?")
    damaged = problems(lake)[KEY]
    lake.plant(KEY, None)

    assert any("checksum" in each for each in damaged)
    assert list(problems(lake)) == [moved.facts.key]


def test_a_month_stays_where_it_was_as_long_as_it_is_not_where_it_went(
    lake: LakeOfATest, moved: Version
) -> None:
    lake.plant(moved.facts.key, None)

    assert left(lake) == []


def test_a_month_lies_where_it_was_uploaded_last_though_the_key_is_the_old_one_again(
    lake: LakeOfATest, month: Version, moved: Version
) -> None:
    lake.profile = lake.profile.model_copy(update={"key": LAKE_KEY})

    assert [each.key for each in left(lake)] == [month.facts.key]


def test_what_somebody_put_in_the_place_of_an_old_object_stays(
    lake: LakeOfATest, moved: Version
) -> None:
    lake.plant(KEY, b"theirs")

    assert left(lake) == []
