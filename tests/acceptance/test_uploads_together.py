"""Many uploads at once, by processes that know nothing of one another; and one that is large."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
from gcs import Gcs
from peaks import peak_mb

from taxietl.extract.synthetic import write

GREEN = "data/green/green_tripdata_{:04d}-{:02d}.parquet"
MANIFEST = "_taxietl/green/{:04d}-{:02d}.json"

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def gcs() -> Iterator[Gcs]:
    service = Gcs()
    service.bucket("lake")
    with service.serving():
        yield service


ENVIRONMENT = {key: value for key, value in os.environ.items() if "TAXIETL" not in key}


def command(year: int, month: object, *more: str) -> list[str]:
    """Uploads months of green."""
    taxietl = [sys.executable, "-m", "taxietl", "--home", "home"]
    months = ["--color", "green", "--year", str(year), "--month", str(month), "--source", "."]
    return [*taxietl, "upload-gcs", "--json", *months, *more]


@pytest.fixture
def configured(gcs: Gcs, tmp_path: Path) -> None:
    """Two processes may talk to the bucket at once."""
    (tmp_path / "taxietl.toml").write_text(
        "[limits]\ngcs = 2\n"
        "[profiles.lake]\ntype = 'gcs'\nbucket = 'lake'\ncredentials = 'nobody'\n"
        f"endpoint = '{gcs.url}'\n"
        "[profiles.nobody]\ntype = 'gcp-credentials'\nanonymous = true\n"
    )


@pytest.fixture
def start(configured: None, tmp_path: Path) -> Start:
    """Begins an upload in a process of its own."""

    def run(year: int, month: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command(year, month),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )

    return run


def ended(process: subprocess.Popen[str]) -> tuple[int, Any]:
    out, err = process.communicate(timeout=120)
    assert out, err
    return process.returncode, json.loads(out)


def wait_for(gcs: Gcs, uploads: int) -> None:
    """Until so many are under way."""
    end = time.monotonic() + 60
    while gcs.kinds().count("upload.multipart") < uploads:
        assert time.monotonic() < end, gcs.kinds()
        time.sleep(0.01)


def test_three_years_go_up_side_by_side_two_at_a_time(
    gcs: Gcs, start: Start, tmp_path: Path
) -> None:
    years = (2019, 2020, 2021)
    for year in years:
        for month in range(1, 13):
            name = f"green_tripdata_{year}-{month:02d}.csv.gz"
            write(tmp_path / name, "green", year, month, rows=10 + month)
    both = threading.Event()
    gcs.fail("upload.multipart", until=both, times=2)

    processes = [start(year, "1-12") for year in years]
    wait_for(gcs, 2)
    both.set()
    done = [ended(each) for each in processes]

    assert [code for code, _ in done] == [0, 0, 0]
    assert gcs.most_uploads == 2
    bucket = gcs.bucket().objects
    keys = [form.format(y, m) for form in (GREEN, MANIFEST) for y in years for m in range(1, 13)]
    assert sorted(bucket) == sorted(keys)
    for year in years:
        for month in range(1, 13):
            stored = bucket[GREEN.format(year, month)]
            table = pq.read_table(pa.BufferReader(stored.data), columns=["source_month"])
            assert {str(each) for each in table["source_month"]} == {f"{year}-{month:02d}-01"}
            (version,) = json.loads(bucket[MANIFEST.format(year, month)].data)["versions"]
            assert version["generation"] == stored.generation
            assert version["crc32c"] == stored.crc32c
            assert version["rows"] == table.num_rows == 10 + month


def test_the_months_of_one_command_go_up_side_by_side(
    gcs: Gcs, start: Start, tmp_path: Path
) -> None:
    for month in range(1, 13):
        name = f"green_tripdata_2021-{month:02d}.csv.gz"
        write(tmp_path / name, "green", 2021, month, rows=10 + month)
    config = tmp_path / "taxietl.toml"
    config.write_text(config.read_text().replace("gcs = 2", "gcs = 3"))
    all_three = threading.Event()
    gcs.fail("upload.multipart", until=all_three, times=3)

    process = start(2021, "1-12")
    wait_for(gcs, 3)
    all_three.set()
    code, document = ended(process)

    assert code == 0
    assert gcs.most_uploads == 3
    assert [each["month"] for each in document["months"]] == list(range(1, 13))
    assert [each["object"]["rows"] for each in document["months"]] == list(range(11, 23))


def check_two_at_once(gcs: Gcs, start: Start, folder: Path, rounds: int) -> None:
    """Of two processes that begin to send a month at once, one wins and the other says so."""
    write(folder / "green_tripdata_2021-01.csv.gz", "green", 2021, 1, rows=100)
    for number in range(rounds):
        gcs.bucket().objects.clear()
        gcs.seen.clear()
        both = threading.Event()
        gcs.fail("upload.multipart", until=both, times=2)
        processes = [start(2021, 1) for _ in range(2)]
        wait_for(gcs, 2)
        both.set()
        done = sorted((ended(each) for each in processes), key=lambda each: each[0])

        assert [code for code, _ in done] == [0, 75], f"round {number}"
        (winner,), loser = done[0][1]["months"], done[1][1]
        assert "Another upload put" in loser["error"]["message"]
        stored = gcs.bucket().objects[GREEN.format(2021, 1)]
        (version,) = json.loads(gcs.bucket().objects[MANIFEST.format(2021, 1)].data)["versions"]
        assert version["generation"] == winner["object"]["generation"] == stored.generation
        assert version["crc32c"] == stored.crc32c
    code, again = ended(start(2021, 1))
    assert (code, again["months"][0]["action"]) == (0, "nothing to do")


def test_of_two_processes_that_upload_a_month_at_once_one_wins_and_the_other_says_so(
    gcs: Gcs, start: Start, tmp_path: Path
) -> None:
    check_two_at_once(gcs, start, tmp_path, rounds=1)


@pytest.mark.torture
def test_of_two_processes_at_once_one_wins_each_time(
    gcs: Gcs, start: Start, tmp_path: Path
) -> None:
    began = time.monotonic()

    check_two_at_once(gcs, start, tmp_path, rounds=10)

    print(f"\n10 rounds of two uploads of one month at once in {time.monotonic() - began:.0f} s")


def check_cut_upload(gcs: Gcs, folder: Path, size_mib: int) -> int:
    """A file whose upload is cut twice comes back byte by byte; the process's peak in MB."""
    path = folder / "green_tripdata_2021-01.csv.gz"
    rng = Random(1)
    with path.open("wb") as file:
        for _ in range(size_mib):
            file.write(rng.randbytes(1024 * 1024))
    gcs.fail("session.put", reset_after=5_000_001)
    gcs.fail("session.put", reset_after=3_000_001, after=1)

    out, peak = peak_mb(command(2021, 1, "--raw"), cwd=folder, env=ENVIRONMENT)

    (uploaded,) = json.loads(out)["months"]
    assert gcs.kinds().count("session.status") == 2
    key = uploaded["object"]["key"].replace("/", "%2F")
    address = f"{gcs.url}/download/storage/v1/b/lake/o/{key}?alt=media"
    assert requests.get(address, timeout=60).content == path.read_bytes()
    return peak


@pytest.mark.usefixtures("configured")
def test_an_upload_that_is_cut_twice_arrives_byte_by_byte(gcs: Gcs, tmp_path: Path) -> None:
    assert check_cut_upload(gcs, tmp_path, 24) < 200, "MB"


@pytest.mark.torture
@pytest.mark.usefixtures("configured")
def test_a_large_upload_needs_no_more_memory_than_a_small_one(gcs: Gcs, tmp_path: Path) -> None:
    began = time.monotonic()

    peak = check_cut_upload(gcs, tmp_path, 150)

    print(f"\n150 MiB, cut twice, in {time.monotonic() - began:.1f} s; peak {peak} MB of memory")
    assert peak < 200, "MB"
