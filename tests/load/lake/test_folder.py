"""The lake on disk: as a bucket promises, by hand."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath

import pytest
from lakes import KEY, FolderLake, facts

from taxietl.errors import TargetError
from taxietl.load.lake.folder import FolderStore, local_path
from taxietl.load.lake.inspection import leftovers
from taxietl.load.lake.store import ChangedError
from taxietl.load.lake.survey import survey
from taxietl.load.lake.values import facts_of
from taxietl.orchestrator import Cancellation
from taxietl.steps.protocols import untold


@pytest.fixture
def folder(tmp_path: Path) -> FolderLake:
    return FolderLake(tmp_path / "lake")


def test_keys_have_slashes_on_every_platform() -> None:
    path = local_path(PureWindowsPath("C:/lake"), KEY)

    assert str(path) == r"C:\lake\data\yellow\yellow_tripdata_2021-01.parquet"


def test_a_file_arrives_with_its_facts(folder: FolderLake, file: Path) -> None:
    version = folder.upload(file)

    found = folder.store.stat(KEY)
    assert found is not None
    assert (found.generation, found.crc32c) == (version.generation, version.facts.crc32c)
    assert facts_of(found.metadata) == version.facts


def test_facts_of_other_bytes_count_for_nothing(folder: FolderLake, file: Path) -> None:
    folder.upload(file)
    folder.plant(KEY, b"theirs")

    found = folder.store.stat(KEY)

    assert found is not None
    assert found.metadata == {}


def test_generations_grow_even_if_the_clock_stands_still(folder: FolderLake, file: Path) -> None:
    first = folder.upload(file)
    later = first.generation + 10**12
    os.utime(folder.root / KEY, ns=(later, later))

    second = folder.upload(file, if_generation=later)

    assert second.generation > later


def test_what_a_killed_upload_left_is_no_object(folder: FolderLake) -> None:
    folder.plant("data/yellow/.x-1234.taxietl-part", b"half")

    assert list(folder.store.objects()) == []
    assert list(folder.store.unfinished()) == []  # it may be under way


def test_what_a_killed_upload_left_can_go_after_a_day(folder: FolderLake, file: Path) -> None:
    left = "data/yellow/.x-1234.taxietl-part"
    folder.plant(left, b"half")
    folder.put(file)
    yesterday = time.time() - 25 * 3600
    os.utime(folder.root / left, (yesterday, yesterday))

    (found,) = leftovers(folder.lake, survey(folder.lake, folder.lake.manifests()))
    folder.store.delete(found.key, found.generation)

    assert found.key == left
    assert folder.keys() == ["_taxietl/yellow/2021-01.json", KEY]


def test_months_that_somebody_moved_to_another_disk_are_listed_through_the_link(
    folder: FolderLake, file: Path, tmp_path: Path
) -> None:
    folder.put(file)
    (folder.root / "data/yellow").rename(tmp_path / "other disk")
    (folder.root / "data/yellow").symlink_to(tmp_path / "other disk")
    (folder.root / "data/back").symlink_to(folder.root)
    (folder.root / "data/gone").symlink_to(tmp_path / "nowhere")

    assert [each.key for each in folder.store.objects()] == [KEY]


def test_what_ends_while_a_folder_is_listed_is_not_missed(folder: FolderLake, file: Path) -> None:
    for name in ("a", "b", "c"):
        folder.plant(name, b"theirs")
    found = folder.store.objects()

    first = next(found)
    folder.plant("b", None)

    assert [each.key for each in (first, *found)] == ["a", "c"]


def test_a_part_of_a_file_that_was_replaced_is_refused(folder: FolderLake, file: Path) -> None:
    folder.upload(file)
    found = folder.store.stat(KEY)
    assert found is not None
    folder.upload(file, if_generation=found.generation)

    with pytest.raises(TargetError, match="was replaced or taken away while it was read"):
        folder.store.read(found, 0, 10)


class Followed(FolderStore):
    """After whose next change another upload comes at once."""

    another: Callable[[], object] | None = None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with super()._locked():
            yield
        another, self.another = self.another, None
        if another:
            another()


def test_an_upload_tells_its_own_generation_though_another_follows_at_once(
    folder: FolderLake, file: Path
) -> None:
    store, others = Followed(folder.root), []

    def another() -> None:
        now = folder.store.stat(KEY)
        assert now is not None
        others.append(folder.upload(file, if_generation=now.generation))

    store.another = another
    made = store.put(
        file, KEY, crc32c=facts(file).crc32c, metadata={}, if_generation=0,
        cancellation=Cancellation(), progress=untold,
    )  # fmt: skip

    (other,) = others
    assert made.generation < other.generation


def test_a_copy_that_changes_on_the_way_replaces_nothing(folder: FolderLake, file: Path) -> None:
    before = folder.upload(file)

    with pytest.raises(TargetError, match="instead of AAAAAA=="):
        folder.store.put(
            file, KEY, crc32c="AAAAAA==", metadata={}, if_generation=before.generation,
            cancellation=Cancellation(), progress=untold,
        )  # fmt: skip

    assert folder.keys() == [KEY]
    assert folder.bytes_at(KEY) == file.read_bytes()


def test_a_run_asked_to_stop_leaves_nothing(folder: FolderLake, file: Path) -> None:
    cancellation = Cancellation()
    cancellation.request("Stopped.")

    with pytest.raises(BaseException, match="Stopped"):
        folder.upload(file, cancellation=cancellation)

    assert folder.keys() == []


def test_a_file_in_the_way_of_a_folder_is_told(folder: FolderLake, file: Path) -> None:
    folder.plant("data", b"a file")

    with pytest.raises(TargetError, match="cannot be read or written"):
        folder.upload(file)


def test_what_is_no_folder_is_not_taken_for_an_empty_lake(tmp_path: Path) -> None:
    (tmp_path / "lake").write_bytes(b"a file")
    store = FolderLake(tmp_path / "lake").store

    for look in (store.objects, store.unfinished, lambda: iter(store.small_keys("_taxietl/"))):
        with pytest.raises(TargetError, match=r"lake.* cannot be read or written: Not a directory"):
            list(look())


def test_a_folder_that_is_not_there_yet_is_an_empty_lake(tmp_path: Path) -> None:
    store = FolderLake(tmp_path / "lake").store

    assert [*store.objects(), *store.unfinished(), *store.small_keys("_taxietl/")] == []


def test_small_objects_are_guarded(folder: FolderLake) -> None:
    folder.store.write_small("_taxietl/a.json", b"1", if_generation=0)

    with pytest.raises(ChangedError):
        folder.store.write_small("_taxietl/a.json", b"2", if_generation=0)

    assert folder.store.small_keys("_taxietl/") == ["_taxietl/a.json"]
    assert folder.bytes_at("_taxietl/a.json") == b"1"


def test_progress_is_told_up_to_the_end(folder: FolderLake, file: Path) -> None:
    told: list[int] = []

    folder.lake.put(
        file, facts(file), if_generation=0, cancellation=Cancellation(),
        progress=lambda done, total: told.append(done),
    )  # fmt: skip

    assert told[-1] == file.stat().st_size
