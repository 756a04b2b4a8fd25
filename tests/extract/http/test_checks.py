"""Bytes looked at while they come: however they are cut into pieces, the judgement is the same."""

from __future__ import annotations

import gzip
import hashlib
import random
from pathlib import Path

import pytest

from taxietl.errors import CorruptFileError
from taxietl.extract.http.checks import Check

NOISE = random.Random(1).randbytes(100_000).hex().encode()
GZIPS = {
    "small": gzip.compress(b"a,b\r\n1,2\r\n"),
    "empty": gzip.compress(b""),
    "noise": gzip.compress(NOISE),
    "zeros": gzip.compress(b"0" * 9_000_000),
    "two-members": gzip.compress(NOISE[:5000]) + gzip.compress(b"0" * 3_000_000),
}
"""Of which the zeros unpack to a thousand times their size."""


def looked_at(content: bytes, size: int, *, name: str = "https://h/trips.csv.gz") -> Check:
    check = Check(name)
    for at in range(0, len(content), size):
        check.feed(content[at : at + size])
    check.finish(Path("unused"))
    return check


@pytest.mark.parametrize("size", [1, 7, 511, 512, 4096, 65_536, 10_000_000])
@pytest.mark.parametrize("content", GZIPS.values(), ids=GZIPS)
def test_a_whole_gzip_is_whole_in_pieces_of_any_size(content: bytes, size: int) -> None:
    if len(content) / size > 50_000:
        content = gzip.compress(NOISE[:20_000])

    check = looked_at(content, size)

    assert check.sha256 == hashlib.sha256(content).hexdigest()
    assert check.size_bytes == len(content)


@pytest.mark.parametrize("size", [7, 4096, 10_000_000])
@pytest.mark.parametrize("missing", [1, 4, 8, 9, 100])
@pytest.mark.parametrize("content", GZIPS.values(), ids=GZIPS)
def test_a_gzip_without_its_end_never_is(content: bytes, missing: int, size: int) -> None:
    with pytest.raises(CorruptFileError):
        looked_at(content[: max(1, len(content) - missing)], size)


@pytest.mark.parametrize("size", [7, 4096, 10_000_000])
def test_what_follows_a_gzip_must_be_one_or_zeros(size: int) -> None:
    whole = GZIPS["small"]

    assert looked_at(whole + bytes(600), size).size_bytes == len(whole) + 600
    with pytest.raises(CorruptFileError, match="damaged gzip"):
        looked_at(whole + b"<html>" * 200, size)


@pytest.mark.parametrize("size", [1, 300, 10_000])
def test_a_page_is_told_by_its_beginning_whatever_its_name(size: int) -> None:
    for name in ("https://h/trips.parquet", "https://h/trips.csv", "https://h/get"):
        with pytest.raises(CorruptFileError, match="web page"):
            looked_at(b"\xef\xbb\xbf \r\n<!DOCTYPE html>" + b" " * 1000, size, name=name)


def test_a_file_without_an_ending_is_what_its_bytes_say() -> None:
    assert looked_at(GZIPS["noise"], 4096, name="https://h/get").proves_its_end
    assert not looked_at(b"a,b\r\n", 4096, name="https://h/get").proves_its_end
    with pytest.raises(CorruptFileError, match="gzip cut short"):
        looked_at(GZIPS["noise"][:-1], 4096, name="https://h/get")
