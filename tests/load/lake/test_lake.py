"""The manifest: last, never half, and made whole from the objects themselves."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from gcs import Gcs
from lakes import JANUARY, KEY, MANIFEST, BucketLake, LakeOfATest, facts

from taxietl.errors import NotOursError, TargetError, TryLaterError
from taxietl.load.lake.manifest import Manifest
from taxietl.load.lake.standing import State
from taxietl.load.lake.upload import decide_upload, destination
from taxietl.load.lake.values import Form, Version, facts_of
from taxietl.steps.plan import Plan
from taxietl.steps.values import SourceVersion, Transform


def plan(
    lake: LakeOfATest, *, etag: str = '"é"', sha256: str | None = None, **other: object
) -> Plan:
    """What would be done with January, whose source has that version."""
    version = SourceVersion(
        JANUARY, "file:///files", "file:///files/yellow_tripdata_2021-01.csv", etag, 10
    )
    asked = {"transforms": (), "force": False, **other}
    goes_to = destination(lake.lake, JANUARY, Form.PARQUET, "")
    return decide_upload(version, sha256, goes_to, **asked)  # type: ignore[arg-type]


def heal(lake: LakeOfATest) -> None:
    """Record what a crash kept from the manifest, as an upload does first."""
    for each in destination(lake.lake, JANUARY, Form.PARQUET, "").lacking:
        lake.lake.record(each)


def test_a_version_is_recorded_once(lake: LakeOfATest, file: Path) -> None:
    version = lake.put(file)
    lake.lake.record(version)

    assert [each["generation"] for each in lake.manifest()["versions"]] == [version.generation]
    assert lake.lake.manifest("yellow", "2021-01").versions == (version,)
    assert lake.keys() == [MANIFEST, KEY]


def test_a_restated_month_is_a_new_version_beside_the_old(lake: LakeOfATest, file: Path) -> None:
    first = lake.put(file)
    file.write_bytes(b"restated")

    second = lake.put(file, if_generation=first.generation, source_sha256="b" * 64)

    assert lake.bytes_at(KEY) == b"restated"
    assert second.generation > first.generation
    assert lake.lake.manifest("yellow", "2021-01").versions == (first, second)
    assert lake.lake.manifest("yellow", "2021-01").newest(Form.PARQUET) == second


def test_a_crash_before_the_manifest_is_healed_from_the_object(
    lake: LakeOfATest, file: Path
) -> None:
    version = lake.upload(file)
    assert lake.manifest() is None

    assert lake.lake.parquet(JANUARY).state is State.UNRECORDED
    heal(lake)

    assert lake.lake.manifest("yellow", "2021-01").versions == (version,)
    assert destination(lake.lake, JANUARY, Form.PARQUET, "").lacking == ()


def test_a_crash_after_a_restated_month_heals_that_version(lake: LakeOfATest, file: Path) -> None:
    first = lake.put(file)
    file.write_bytes(b"restated")
    second = lake.upload(file, if_generation=first.generation)

    heal(lake)

    assert lake.lake.manifest("yellow", "2021-01").versions == (first, second)


def test_an_upload_that_lost_to_another_changes_nothing(lake: LakeOfATest, file: Path) -> None:
    first = lake.put(file)
    file.write_bytes(b"later")

    with pytest.raises(TryLaterError, match="meanwhile"):
        lake.put(file, if_generation=0)

    assert lake.lake.manifest("yellow", "2021-01").versions == (first,)
    assert lake.bytes_at(KEY) != b"later"


def test_what_others_record_meanwhile_is_kept(lake: LakeOfATest, file: Path) -> None:
    versions = [lake.upload(file, key=f"data/{n}", form=Form.RAW) for n in range(6)]

    threads = [threading.Thread(target=lake.lake.record, args=(each,)) for each in versions]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert {each.generation for each in lake.lake.manifest("yellow", "2021-01").versions} == {
        each.generation for each in versions
    }


def test_a_manifest_whose_answer_was_lost_is_written_once(
    bucket: BucketLake, gcs: Gcs, file: Path
) -> None:
    version = bucket.upload(file)
    gcs.fail("upload.multipart", lose_answer=True)

    bucket.lake.record(version)

    assert bucket.lake.manifest("yellow", "2021-01").versions == (version,)
    assert gcs.kinds().count("upload.multipart") == 2


@pytest.mark.parametrize("content", [b"{", b"{}", b"null", b"[]", b"\xff\xfe\x00"])
def test_what_is_no_manifest_is_left_as_it_is(
    lake: LakeOfATest, file: Path, content: bytes
) -> None:
    version = lake.upload(file)
    lake.plant(MANIFEST, content)

    with pytest.raises(TargetError, match="not a manifest"):
        lake.lake.record(version)

    assert lake.bytes_at(MANIFEST) == content


def test_a_manifest_of_a_later_taxietl_is_not_to_be_moved_away(
    lake: LakeOfATest, file: Path
) -> None:
    version = lake.upload(file)
    lake.plant(MANIFEST, b'{"format": 2}')

    with pytest.raises(TargetError, match="its format is 2, not 1") as caught:
        lake.lake.record(version)

    assert "A later taxietl wrote it" in caught.value.hint
    assert lake.bytes_at(MANIFEST) == b'{"format": 2}'


def test_a_manifest_that_was_copied_from_another_month_counts_for_nothing(
    lake: LakeOfATest, file: Path
) -> None:
    version = lake.put(file)
    of_green = Version(replace(version.facts, color="green"), version.generation)
    for copied in (
        Manifest("green", "2021-01", ()),
        Manifest("yellow", "2021-02", ()),
        Manifest("yellow", "2021-01", (version, of_green)),
    ):
        lake.plant(MANIFEST, copied.dumped())

        with pytest.raises(TargetError, match=r"not a manifest .* it tells of"):
            lake.lake.record(version)

        assert lake.bytes_at(MANIFEST) == copied.dumped()


def test_what_there_is_to_do(lake: LakeOfATest, file: Path) -> None:
    assert plan(lake).action == "load"
    version = lake.put(file)
    assert plan(lake).action == "nothing"
    assert plan(lake, etag="2").action == "compare"
    assert plan(lake, etag="2", sha256="a" * 64).action == "nothing"
    restated = plan(lake, etag="2", sha256="b" * 64)
    assert (restated.action, restated.reason[:8]) == ("replace", "restated")
    assert plan(lake, force=True).action == "replace"
    assert plan(lake, transforms=(Transform("rule", "1"),)).action == "replace"
    lake.plant(KEY, None)
    assert plan(lake) == Plan("load", "the object is gone")
    assert version.facts.rows is None


def test_bytes_that_somebody_changed_are_replaced(lake: LakeOfATest, file: Path) -> None:
    lake.put(file)
    data = bytearray(lake.bytes_at(KEY) or b"")
    data[1000] ^= 1
    lake.plant(KEY, bytes(data))

    assert plan(lake) == Plan("replace", "the object is not what run 'amber-fox' put there")


def test_the_same_bytes_under_another_generation_are_left(lake: LakeOfATest, file: Path) -> None:
    lake.put(file)

    lake.plant(KEY, lake.bytes_at(KEY))

    assert plan(lake).action == "nothing"


def test_what_taxietl_did_not_put_there_is_left(lake: LakeOfATest) -> None:
    lake.plant(KEY, b"theirs")

    with pytest.raises(NotOursError, match="was not put there"):
        plan(lake)

    assert plan(lake, force=True).action == "replace"


def test_published_bytes_lie_apart_with_their_own_ending(lake: LakeOfATest) -> None:
    url = "https://example.org/yellow_tripdata_2021-01.csv.gz"

    assert lake.lake.key(JANUARY, Form.PARQUET, url) == KEY
    assert lake.lake.key(JANUARY, Form.RAW, url) == f"raw/{KEY.removesuffix('.parquet')}.csv.gz"


def test_facts_come_back_from_metadata_as_they_were(file: Path) -> None:
    told = facts(file, transforms=(Transform("a", "1", {"b": 2}),), rows=3, rows_dropped={"a": 1})

    assert facts_of(told.metadata()) == told
    assert all(isinstance(each, str) for each in told.metadata().values())


@pytest.mark.parametrize("missing", ["taxietl-crc32c", "taxietl-key", "taxietl-transforms"])
def test_metadata_that_is_not_whole_is_not_ours(file: Path, missing: str) -> None:
    metadata = facts(file).metadata()
    del metadata[missing]

    assert facts_of(metadata) is None
    assert facts_of({**facts(file).metadata(), "taxietl-transforms": "{"}) is None
