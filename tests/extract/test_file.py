"""One file as a source: its identity, and that what was probed is what is hashed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from taxietl.errors import MissingFileError, SourceError
from taxietl.extract.file import File
from taxietl.tlc.trip_file import TripFile

JANUARY = TripFile("yellow", 2021, 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file under any name."""
    path = tmp_path / "download (1)"
    path.write_bytes(b"trips")
    return path


def test_the_same_file_has_the_same_version(path: Path) -> None:
    assert File(path).probe(JANUARY) == File(path).probe(JANUARY)


def test_a_file_that_was_touched_has_another(path: Path) -> None:
    before = File(path).probe(JANUARY)
    os.utime(path, ns=(1, 1))

    assert File(path).probe(JANUARY).etag != before.etag


def test_a_file_put_in_its_place_has_another_even_at_the_same_time(path: Path) -> None:
    before = File(path).probe(JANUARY)
    other = path.with_name("other")
    other.write_bytes(b"spirt")
    stat = path.stat()
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    other.replace(path)

    after = File(path).probe(JANUARY)

    assert after.size_bytes == before.size_bytes
    assert after.etag != before.etag


def test_it_is_hashed_where_it_lies(path: Path, tmp_path: Path) -> None:
    source = File(path)

    file = source.extract(source.probe(JANUARY), into=tmp_path / "cache")

    assert file.path == path
    assert file.size_bytes == 5
    assert file.version.at_hand


@pytest.mark.parametrize("content", [b"trips and more", b"TRIPS"], ids=["longer", "as-long"])
def test_one_that_changes_after_it_was_probed_is_refused(
    path: Path, tmp_path: Path, content: bytes
) -> None:
    source = File(path)
    version = source.probe(JANUARY)
    path.write_bytes(content)
    os.utime(path, ns=(1, 1))  # clocks of file systems may be too coarse for a test

    with pytest.raises(SourceError, match="changed after it was found") as error:
        source.extract(version, into=tmp_path)
    assert error.value.hint == "Run again when it is no longer being written."


def test_one_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="There is no file"):
        File(tmp_path / "gone.csv").probe(JANUARY)


def test_a_relative_path_will_do(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)

    assert File(Path(path.name)).probe(JANUARY).url == path.as_uri()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name are a thing of Unix")
def test_a_pipe_is_refused_since_hashing_would_use_it_up(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    with pytest.raises(SourceError, match="is not a file"):
        File(pipe).probe(JANUARY)
