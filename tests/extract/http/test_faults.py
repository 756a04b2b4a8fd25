"""Random faults in random order: whatever a server does, no wrong byte gets into the cache."""

from __future__ import annotations

import gzip
import hashlib
import random
from collections import Counter
from pathlib import Path

import pytest
from file_server import (
    Announce,
    Cut,
    Fault,
    FileServer,
    Hang,
    Ignore,
    ServedFile,
    Shift,
    Stall,
    Status,
)

from taxietl.errors import SourceError
from taxietl.extract.http import Http
from taxietl.extract.http.client import Patience
from taxietl.tlc.trip_file import TripFile

MONTH = TripFile("green", 2021, 2)
_TRIES = 60
_MOST_REQUESTS = 8
"""Of one try: a look, its control and another look, each by one byte if need be; a part and the
whole."""


def test_no_fault_leaves_a_wrong_file(tmp_path: Path, parquet: bytes) -> None:
    for seed in range(15):
        survive(seed, tmp_path / str(seed), parquet)


@pytest.mark.torture
def test_no_fault_leaves_a_wrong_file_200_times(tmp_path: Path, parquet: bytes) -> None:
    counts: Counter[str] = Counter()
    for seed in range(1000, 1200):
        counts += survive(seed, tmp_path / str(seed), parquet)
    print(f"200 schedules, seeds 1000 to 1199: {dict(counts)}")


def survive(seed: int, cache: Path, parquet: bytes) -> Counter[str]:
    """Fetch a month from a server that fails at random, until it comes; count what happened."""
    rng = random.Random(seed)
    counts: Counter[str] = Counter(schedules=1)
    form = rng.choice(["parquet", "csv.gz", "csv"])
    published: dict[str, bytes] = {}
    with FileServer() as server:
        source = Http("tlc", f"{server.url}/{{year}}-{{month:02}}.{form}", Patience(2, 0.15))
        server.put(f"2021-01.{form}", b"there")
        publish(server, f"2021-02.{form}", form, rng, published, parquet)
        for tries in range(1, _TRIES + 1):
            if rng.random() < 0.1:
                publish(server, f"2021-02.{form}", form, rng, published, parquet)
            server.head_faults.clear()
            server.faults.clear()
            server.head_faults.extend(head_fault(rng) for _ in range(2))
            server.faults.extend(fault(rng, parquet) for _ in range(2))
            try:
                file = source.extract(source.probe(MONTH), into=cache)
            except SourceError as error:
                counts[type(error).__name__] += 1
                file = None
            check_cache(cache, published)
            if file is not None:
                content = server.files[f"/2021-02.{form}"].content
                assert file.sha256 == hashlib.sha256(content).hexdigest()
                # Counted in the end: a server may note a request after its client gave up.
                assert len(server.requests) <= tries * _MOST_REQUESTS
                counts["requests"] += len(server.requests)
                return counts
    raise AssertionError(f"seed {seed}: the month never came: {counts}")


def publish(
    server: FileServer,
    name: str,
    form: str,
    rng: random.Random,
    published: dict[str, bytes],
    parquet: bytes,
) -> None:
    """Put a new version of the month on the server."""
    lines = b"".join(b"%d,%d\r\n" % (rng.randrange(99), each) for each in range(9000))
    content = {"csv": lines, "csv.gz": gzip.compress(lines), "parquet": parquet}[form]
    etag = f'"{len(published)}"'
    published[etag] = content
    # A CSV of which nothing but one answer tells the length is as long as that answer says.
    is_chunked = form != "csv" and rng.random() < 0.2
    server.files[f"/{name}"] = ServedFile(content, etag=etag, is_chunked=is_chunked)


def head_fault(rng: random.Random) -> Fault | None:
    faults: list[Fault | None] = [
        Status(403),
        Status(405),
        Status(503, {"Retry-After": "1"}),
        Announce(rng.randrange(100_000)),
        Hang(),
    ]
    return rng.choice(faults) if rng.random() < 0.25 else None


def fault(rng: random.Random, parquet: bytes) -> Fault | None:
    after = rng.randrange(len(parquet))
    faults: list[Fault | None] = [
        Cut(after),
        Cut(after, hard=True),
        Cut(0),
        Stall(after),
        Hang(),
        Announce(after),
        Announce(len(parquet) + after),
        Ignore(),
        Shift(rng.randrange(-50, 50)),
        Status(rng.choice([403, 404, 416, 429, 500, 502])),
        Status(200, {"Content-Type": "text/plain"}, b"<html>Please log in</html>"),
        Status(206, {"Content-Range": "bytes 0-3/4"}, b"nope"),
        Status(206, {}, b"nope"),
    ]
    return rng.choice(faults) if rng.random() < 0.7 else None


def check_cache(cache: Path, published: dict[str, bytes]) -> None:
    """Every finished file is one that was published, to the last byte."""
    for path in cache.glob("*"):
        if not path.name.endswith((".part", ".json")):
            assert path.read_bytes() in published.values(), path
