"""The zone table in a lake: put there as a month is, and known for what it is ever after."""

from __future__ import annotations

import threading
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from gcs import Gcs
from lakes import BucketLake, FolderLake, LakeOfATest

from taxietl.errors import NotOursError, TargetError, TryLaterError
from taxietl.load.lake.inspection import leftovers, verify
from taxietl.load.lake.lake import Lake
from taxietl.load.lake.query import queried
from taxietl.load.lake.survey import survey
from taxietl.load.lake.values import ZONES_KEY, ZONES_MANIFEST, Version
from taxietl.load.lake.zones import LakeZones
from taxietl.steps.protocols import NEVER
from taxietl.steps.zones import Zone, ZoneFile, ZoneReport, ZoneRequest
from taxietl.tlc.zones import COLUMNS, CONTRACT_VERSION

TODAY = (
    Zone(1, "EWR", "Newark Airport", "EWR"),
    Zone(264, "Unknown", "N/A", "N/A"),
    Zone(265, "N/A", "Outside of NYC", "N/A"),
)
BEFORE = (TODAY[0], Zone(264, "Unknown", "NV", "N/A"), Zone(265, "Unknown", "NA", "N/A"))


def request(zones: tuple[Zone, ...], *, force: bool = False) -> ZoneRequest:
    file = ZoneFile("files", "file:///files/zones.csv", repr(zones).encode())
    return ZoneRequest(file, zones, "run-1", "amber-fox", force=force)


def load(to: LakeOfATest, zones: tuple[Zone, ...] = TODAY, *, force: bool = False) -> ZoneReport:
    return LakeZones(to.lake).load_zones(request(zones, force=force), NEVER)


def rows(of: LakeOfATest) -> list[tuple[Any, ...]]:
    table = pq.read_table(pa.BufferReader(of.bytes_at(ZONES_KEY) or b""))
    return [tuple(each.values()) for each in table.to_pylist()]


def versions(of: LakeOfATest) -> tuple[Version, ...]:
    return of.lake.manifest(None, None).versions


class CrashingLake(Lake):
    """One whose process dies before it records what it put."""

    def record(self, version: Version) -> None:
        raise KeyboardInterrupt


def crash(on: LakeOfATest, zones: tuple[Zone, ...]) -> None:
    """Put them there, and die before the manifest."""
    with pytest.raises(KeyboardInterrupt):
        LakeZones(CrashingLake(on.profile, on.store)).load_zones(request(zones), NEVER)


def test_the_zones_lie_there_with_the_columns_of_the_table(lake: LakeOfATest) -> None:
    report = load(lake)

    data = lake.bytes_at(ZONES_KEY)
    assert data is not None
    schema = pq.read_schema(pa.BufferReader(data))
    assert {each.name: str(each.type) for each in schema} == {
        name: {"INTEGER": "int32", "TEXT": "string"}[kind] for name, kind in COLUMNS.items()
    }
    assert rows(lake) == list(TODAY)
    assert lake.keys() == sorted([ZONES_KEY, ZONES_MANIFEST])
    (version,) = versions(lake)
    assert version.facts.contract_version == CONTRACT_VERSION
    assert (report.action, report.rows_loaded, report.table) == ("loaded", 3, "taxi_zones")
    assert report.load_id == version.facts.upload_id
    assert report.target == lake.store.uri(ZONES_KEY)


def test_the_same_file_again_is_nothing_to_do(lake: LakeOfATest) -> None:
    first = load(lake)
    before = versions(lake)

    second = load(lake)

    assert second.action == "nothing to do"
    assert (second.load_id, second.loaded_at) == (first.load_id, first.loaded_at)
    assert versions(lake) == before


def test_a_plan_is_what_a_load_does_and_changes_nothing(lake: LakeOfATest) -> None:
    def planned(zones: tuple[Zone, ...], *, force: bool = False) -> str:
        return LakeZones(lake.lake).plan_zones(request(zones, force=force))[0]

    assert planned(TODAY) == "load"
    assert lake.keys() == []
    load(lake)

    assert (planned(TODAY), planned(BEFORE)) == ("nothing", "replace")
    assert planned(TODAY, force=True) == "replace"
    assert len(versions(lake)) == 1


def test_force_replaces_what_has_not_changed_and_what_is_somebody_elses(lake: LakeOfATest) -> None:
    lake.plant(ZONES_KEY, b"theirs")
    with pytest.raises(NotOursError, match="was not put there"):
        load(lake)

    assert load(lake, force=True).action == "replaced"
    assert load(lake, force=True).action == "replaced"
    assert rows(lake) == list(TODAY)


def test_finding_nothing_to_do_writes_nothing_to_the_bucket(bucket: BucketLake, gcs: Gcs) -> None:
    load(bucket)
    gcs.seen.clear()

    load(bucket)

    assert not [each for each in gcs.kinds() if each.startswith(("upload", "session"))]


def test_another_edition_is_a_new_generation_beside_the_old(lake: LakeOfATest) -> None:
    load(lake, BEFORE)

    report = load(lake, TODAY[:2])

    assert (report.action, report.reason[:8]) == ("replaced", "restated")
    assert rows(lake) == list(TODAY[:2])
    first, second = versions(lake)
    assert second.generation > first.generation
    assert [each.facts.rows for each in (first, second)] == [3, 2]


def test_the_same_zones_make_the_same_bytes(lake: LakeOfATest) -> None:
    load(lake)
    first = lake.bytes_at(ZONES_KEY)
    lake.plant(ZONES_KEY, None)

    report = load(lake)

    assert (report.action, report.reason) == ("loaded", "the object is gone")
    assert lake.bytes_at(ZONES_KEY) == first


def test_bytes_that_somebody_changed_are_replaced(lake: LakeOfATest) -> None:
    load(lake)
    data = bytearray(lake.bytes_at(ZONES_KEY) or b"")
    data[40] ^= 1
    lake.plant(ZONES_KEY, bytes(data))

    report = load(lake)

    assert (report.action, report.reason) == (
        "replaced", "the object is not what run 'amber-fox' put there",
    )  # fmt: skip
    assert rows(lake) == list(TODAY)


@pytest.mark.parametrize("before", [None, BEFORE], ids=["the first", "a restated one"])
def test_a_crash_before_the_manifest_is_healed_from_the_object(
    lake: LakeOfATest, before: tuple[Zone, ...] | None
) -> None:
    if before:
        load(lake, before)
    crash(lake, TODAY)
    recorded = len(versions(lake))

    report = load(lake)

    assert report.action == "nothing to do"
    assert "its manifest lacked that" in report.reason
    assert len(versions(lake)) == recorded + 1
    assert "lacked" not in load(lake).reason


def test_what_taxietl_did_not_put_there_is_left(lake: LakeOfATest) -> None:
    lake.plant(ZONES_KEY, b"theirs")

    with pytest.raises(NotOursError, match="was not put there by taxietl"):
        load(lake)

    assert lake.bytes_at(ZONES_KEY) == b"theirs"


def test_a_month_copied_to_their_place_is_not_theirs(bucket: BucketLake, gcs: Gcs) -> None:
    load(bucket)
    stored = gcs.bucket().objects[ZONES_KEY]
    stored.resource["metadata"]["taxietl-color"] = "yellow"
    del gcs.bucket().objects[ZONES_MANIFEST]

    with pytest.raises(NotOursError):
        load(bucket)


def test_of_two_at_once_one_wins(lake: LakeOfATest) -> None:
    both_looked = threading.Barrier(2)
    ended: list[str] = []

    class WaitingLake(Lake):
        """Does not put before the other has looked."""

        def put(self, *arguments: Any, **options: Any) -> Version:
            both_looked.wait(10)
            return super().put(*arguments, **options)

    def run() -> None:
        try:
            waiting = WaitingLake(lake.profile, lake.store)
            LakeZones(waiting).load_zones(request(TODAY), NEVER)
            ended.append("won")
        except TryLaterError:
            ended.append("lost")

    threads = [threading.Thread(target=run) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(ended) == ["lost", "won"]
    assert rows(lake) == list(TODAY)
    assert len(versions(lake)) == 1


def test_verify_knows_them_and_gc_leaves_them(lake: LakeOfATest) -> None:
    load(lake, BEFORE)
    load(lake)

    (found,) = verify(lake.lake)

    assert (found.key, found.problems) == (ZONES_KEY, ())
    assert leftovers(lake.lake, survey(lake.lake, lake.lake.manifests())) == []
    assert verify(lake.lake, color="yellow") == []


def test_verify_finds_what_was_changed(lake: LakeOfATest) -> None:
    load(lake)
    lake.plant(ZONES_KEY, (lake.bytes_at(ZONES_KEY) or b"")[:-1] + b"?")

    (found,) = verify(lake.lake)

    assert any("checksum" in each for each in found.problems)


def test_verify_finds_columns_that_are_not_the_contracts(lake: LakeOfATest) -> None:
    load(lake)
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"LocationID": [1, 2, 3]}), sink)
    lake.plant(ZONES_KEY, sink.getvalue().to_pybytes())

    assert "other columns than were written" in verify(lake.lake)[0].problems


def test_a_profiles_check_does_not_take_them_for_a_month(bucket: BucketLake) -> None:
    load(bucket)

    assert bucket.profile.check().endswith("no months yet.")


def test_a_lake_on_disk_answers_from_them(tmp_path: Any) -> None:
    folder = FolderLake(tmp_path / "lake")
    load(folder)

    with queried(folder.lake, 'SELECT "Zone" FROM taxi_zones WHERE "LocationID" = 265') as reader:
        assert reader.read_all().to_pylist() == [{"Zone": "Outside of NYC"}]


def test_a_lake_that_refuses_is_as_it_was(bucket: BucketLake, gcs: Gcs) -> None:
    load(bucket, BEFORE)
    gcs.fail("upload.resumable", status=403, reason="forbidden")
    gcs.fail("upload.multipart", status=403, reason="forbidden")

    with pytest.raises(TargetError, match="not allowed"):
        load(bucket)

    assert rows(bucket) == list(BEFORE)
