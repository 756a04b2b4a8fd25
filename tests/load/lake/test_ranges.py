"""An object as a file: fetched ahead where that was thought of, at once where not."""

from __future__ import annotations

from pathlib import Path

import pytest
from lakes import KEY, LakeOfATest

from taxietl.errors import TargetError
from taxietl.load.lake.ranges import Ahead, ObjectFile, Pieces
from taxietl.load.lake.values import StoredObject


@pytest.fixture
def found(lake: LakeOfATest, file: Path) -> StoredObject:
    lake.upload(file)
    there = lake.store.stat(KEY)
    assert there is not None
    return there


@pytest.mark.parametrize(
    ("start", "size"),
    [(0, 10), (90, 20), (95, 200), (199, 1), (150, 5000), (878_000, 10**9), (878_500, 5), (0, -1)],
)
def test_a_file_gives_the_objects_bytes_whatever_was_fetched(
    lake: LakeOfATest, found: StoredObject, file: Path, start: int, size: int
) -> None:
    ahead = Ahead(lake.store)
    pieces = (ahead.fetch(found, 0, 100), ahead.fetch(found, 100, 200))
    opened = ObjectFile(found, Pieces(ahead, found, pieces))
    with file.open("rb") as same:
        assert opened.seek(start) == same.seek(start)
        assert opened.read(size) == same.read(size)
        assert opened.tell() == same.tell()
        assert opened.seek(-7, 2) == same.seek(-7, 2)
        assert opened.read() == same.read()
    ahead.stop()


def test_an_object_that_is_shorter_than_it_was_is_told(
    lake: LakeOfATest, found: StoredObject
) -> None:
    ahead = Ahead(lake.store)
    longer = StoredObject(KEY, found.generation, found.size_bytes + 9, None)

    with pytest.raises(TargetError, match="gave 878,500 of 878,509 bytes"):
        ahead.fetch(longer, 0, longer.size_bytes).arrived.result()

    assert isinstance(ahead.failure, TargetError)
    ahead.stop()


def test_what_goes_wrong_after_the_stop_is_not_the_reason(
    lake: LakeOfATest, found: StoredObject
) -> None:
    ahead = Ahead(lake.store)
    ahead.stop()

    with pytest.raises(TargetError, match="was stopped"):
        ahead.fetch(found, 0, 9).arrived.result()

    assert ahead.failure is None
