"""An upload whose process dies, or is stopped, or whose line breaks at any point."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from command import document
from gcs import Gcs
from gcs_bucket import QUANTUM
from lakes import JANUARY, KEY, BucketLake, LakeOfATest

from taxietl.errors import TaxietlError
from taxietl.extract.synthetic import write
from taxietl.load.lake.standing import State
from taxietl.load.lake.upload import Destination, destination
from taxietl.load.lake.values import Form

OBJECT = "data/green/green_tripdata_2021-01.parquet"
MANIFEST = "_taxietl/green/2021-01.json"

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def gcs() -> Iterator[Gcs]:
    service = Gcs()
    service.bucket("lake")
    with service.serving():
        yield service


def upload(folder: Path, *, is_large: bool) -> list[str]:
    """The command's words; the sources are the files of `start`."""
    return [
        *("--home", str(folder / "home"), "--config", str(folder / "taxietl.toml"), "upload-gcs"),
        *("--color", "green", "--year", "2021", "--month", "1"),
        *(("--source", str(folder / "many"), "--raw") if is_large else ("--source", str(folder))),
    ]


@pytest.fixture
def start(gcs: Gcs, tmp_path: Path) -> Start:
    """Begins to upload January in a process of its own: its rows, or its many bytes."""
    write(tmp_path / "green_tripdata_2021-01.csv.gz", "green", 2021, 1, rows=500)
    (tmp_path / "taxietl.toml").write_text(
        "[profiles.lake]\ntype = 'gcs'\nbucket = 'lake'\ncredentials = 'nobody'\n"
        f"endpoint = '{gcs.url}'\n"
        "[profiles.nobody]\ntype = 'gcp-credentials'\nanonymous = true\n"
    )

    (tmp_path / "many").mkdir()
    (tmp_path / "many/green_tripdata_2021-01.csv").write_bytes(os.urandom(20 * 1024 * 1024))

    def run(*, is_large: bool = False) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "taxietl", *upload(tmp_path, is_large=is_large), "--json"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={key: value for key, value in os.environ.items() if "TAXIETL" not in key},
        )

    return run


def wait_for(gcs: Gcs, kind: str, times: int = 1) -> None:
    """Until so many such requests came."""
    end = time.monotonic() + 30
    while gcs.kinds().count(kind) < times:
        assert time.monotonic() < end, gcs.kinds()
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("is_large", "stalled", "after", "is_there"),
    [
        pytest.param(True, "session.put", 0, False, id="in chunks: at the first"),
        pytest.param(True, "session.put", 2, False, id="in chunks: at the last"),
        pytest.param(False, "upload.multipart", 0, False, id="in one: under way"),
        pytest.param(False, "upload.multipart", 1, True, id="in one: before the manifest"),
    ],
)
def test_an_upload_that_is_killed_leaves_the_object_whole_or_not_at_all(
    gcs: Gcs,
    start: Start,
    tmp_path: Path,
    is_large: bool,
    stalled: str,
    after: int,
    is_there: bool,
) -> None:
    object_key = f"raw/{OBJECT}".replace(".parquet", ".csv") if is_large else OBJECT
    gcs.fail(stalled, stall=True, after=after)
    process = start(is_large=is_large)
    wait_for(gcs, stalled, after + 1)

    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)

    assert (object_key in gcs.bucket().objects) is is_there
    assert MANIFEST not in gcs.bucket().objects
    (again,) = document(*upload(tmp_path, is_large=is_large))["months"]
    assert again["action"] == ("nothing to do" if is_there else "uploaded")
    assert again["is_healed"] is is_there
    assert sorted(gcs.bucket().objects) == [MANIFEST, object_key]


@pytest.mark.parametrize(
    ("is_large", "stalled"),
    [(True, "session.put"), (False, "upload.multipart")],
    ids=["in chunks", "in one"],
)
def test_an_upload_that_is_interrupted_ends_soon_and_leaves_no_object(
    gcs: Gcs, start: Start, tmp_path: Path, is_large: bool, stalled: str
) -> None:
    gcs.fail(stalled, stall=True)
    process = start(is_large=is_large)
    wait_for(gcs, stalled)

    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    process.communicate(timeout=30)

    assert process.returncode == 130
    assert time.monotonic() - began < 20  # the service itself would be waited for a minute
    assert gcs.bucket().objects == {}
    (again,) = document(*upload(tmp_path, is_large=is_large))["months"]
    assert again["action"] == "uploaded"


def schedule(rng: Random, gcs: Gcs) -> None:
    """Some faults, anywhere in the upload and its record."""
    kinds = (
        *("upload.resumable", "session.put", "session.put", "session.put", "session.status"),
        *("object.get", "object.media", "upload.multipart"),
    )
    for _ in range(rng.randint(1, 6)):
        kind = rng.choice(kinds)
        how: dict[str, Any] = rng.choice(
            [
                {"status": rng.choice([408, 429, 500, 502, 503, 504])},
                {"lose_answer": True},
                {"reset_after": rng.randrange(2 * QUANTUM)},
                {"status": 403, "reason": "forbidden"},
                {"gone": rng.choice([404, 410])},
            ]
        )
        if "gone" in how and not kind.startswith("session"):
            continue
        if "reset_after" in how and kind not in ("session.put", "upload.multipart"):
            continue
        gcs.fail(kind, after=rng.randrange(4), times=rng.randint(1, 3), **how)


def heal(lake: LakeOfATest) -> Destination:
    """Record what a crash kept from the manifest."""
    goes_to = destination(lake.lake, JANUARY, Form.PARQUET, "")
    for each in goes_to.lacking:
        lake.lake.record(each)
    return goes_to


def restate(lake: LakeOfATest, path: Path, rng: Random) -> bool:
    """Bring another version of the month there, as the command does; whether it went well."""
    path.write_bytes(rng.randbytes(rng.randrange(1, 6 * QUANTUM)))
    try:
        goes_to = heal(lake)
        lake.put(path, if_generation=goes_to.generation)
    except TaxietlError:
        return False
    return True


def check_schedules(gcs: Gcs, folder: Path, seed: int, count: int) -> tuple[int, int]:
    """Under any faults: what is there is one of the versions, whole; and it is told rightly."""
    rng, path = Random(seed), folder / "month"
    went_well = 0
    for number in range(count):
        gcs.buckets.clear()
        bucket, gcs.faults = gcs.bucket("lake"), []
        lake = BucketLake(gcs, chunk_bytes=rng.choice([1, 2, 4]) * QUANTUM)
        assert restate(lake, path, rng)
        first = bucket.objects[KEY].data
        schedule(rng, gcs)
        done = restate(lake, path, rng)
        second = path.read_bytes()

        there = bucket.objects[KEY].data
        assert there in (first, second), f"seed {seed}, schedule {number}"
        if done:
            went_well += 1
            assert there == second, f"seed {seed}, schedule {number}"
        gcs.faults = []
        standing = heal(lake).standing
        versions = lake.lake.manifest("yellow", "2021-01").versions
        assert standing.state is State.WHOLE, f"seed {seed}, schedule {number}"
        assert len(versions) == 1 + (there == second), f"seed {seed}, schedule {number}"
        assert versions[-1].generation == bucket.objects[KEY].generation
    return went_well, count - went_well


def test_random_faults_leave_one_version_whole(gcs: Gcs, tmp_path: Path) -> None:
    went_well, failed = check_schedules(gcs, tmp_path, seed=1, count=25)

    assert went_well
    assert failed


@pytest.mark.torture
def test_many_random_faults_leave_one_version_whole(gcs: Gcs, tmp_path: Path) -> None:
    seed = int(os.environ.get("TAXIETL_TORTURE_SEED", time.time_ns() % 10_000))
    began = time.monotonic()

    went_well, failed = check_schedules(gcs, tmp_path, seed=seed, count=600)

    print(
        f"\nseed {seed}: 600 schedules of faults in {time.monotonic() - began:.0f} s, "
        f"{went_well} uploads went well, {failed} failed; every month whole, every manifest true"
    )
