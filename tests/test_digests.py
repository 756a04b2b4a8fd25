"""A file is hashed again only where it may have changed."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from taxietl.digests import SETTLED_NS, sha256_of


def _much_later() -> int:
    return time.time_ns() + 2 * SETTLED_NS


def test_it_is_the_files_sha256_and_size(tmp_path: Path) -> None:
    path = tmp_path / "trips.csv"
    path.write_bytes(b"trips")

    assert sha256_of(path) == (hashlib.sha256(b"trips").hexdigest(), 5)


def test_a_file_just_written_is_read_each_time(tmp_path: Path) -> None:
    path = tmp_path / "trips.csv"
    found = set()
    for content in (b"trip 1", b"trip 2", b"trip 3"):
        path.write_bytes(content)
        os.utime(path, (1, 1))
        found.add(sha256_of(path))

    assert len(found) == 3


def test_a_file_that_has_settled_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "trips.csv"
    with path.open("wb") as file:
        file.truncate(100_000_000)

    seconds = []
    for _ in range(2):
        began = time.process_time()
        sha256_of(path, clock=_much_later)
        seconds.append(time.process_time() - began)

    assert seconds[1] < seconds[0] / 10


def test_other_bytes_under_the_old_time_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "trips.csv"
    path.write_bytes(b"trips")
    before = path.stat()
    sha256_of(path, clock=_much_later)

    path.write_bytes(b"trops")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert sha256_of(path) == (hashlib.sha256(b"trops").hexdigest(), 5)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sha256_of(tmp_path / "nothing")
