"""A server on loopback, and months to put on it."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from file_server import FileServer

from taxietl.extract.synthetic import write

ROWS = 3000


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as server:
        yield server


@pytest.fixture(scope="session")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A month of green as Parquet; some 100 KB."""
    path = tmp_path_factory.mktemp("months") / "green_tripdata_2021-01.parquet"
    write(path, "green", 2021, 1, rows=ROWS)
    return path.read_bytes()


@pytest.fixture(scope="session")
def csv_gz() -> bytes:
    """A gzip of some size."""
    lines = "".join(f"{each},{each * 7919 % 104729}\r\n" for each in range(40_000))
    return gzip.compress(lines.encode(), mtime=0)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Where downloads go; not there yet."""
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is asked without a proxy."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
