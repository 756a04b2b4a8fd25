"""Python as a notebook has it: one process, the configuration of its folder, a home."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import taxietl
from taxietl.config import activate
from taxietl.extract.synthetic import write
from taxietl.orchestrator import default_engine, set_default_engine
from taxietl.runtime import open_engine


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home, and an empty working directory."""
    monkeypatch.delenv("TAXIETL_CONFIG", raising=False)
    monkeypatch.setenv("TAXIETL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    activate(None)
    taxietl.flow  # noqa: B018  has set its engine by now
    set_default_engine(lambda: open_engine())
    yield tmp_path / "home"
    default_engine().close()
    set_default_engine(taxietl._open_engine)
    activate(None)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with January and February 2021 of green, and January of yellow."""
    folder = tmp_path / "files"
    folder.mkdir()
    write(folder / "green_tripdata_2021-01.csv.gz", "green", 2021, 1, rows=100)
    write(folder / "green_tripdata_2021-02.csv.gz", "green", 2021, 2, rows=120)
    write(folder / "yellow_tripdata_2021-01.csv.gz", "yellow", 2021, 1, rows=140)
    return folder


@pytest.fixture(params=["duckdb", "postgres"])
def either_warehouse(request: pytest.FixtureRequest, home: Path) -> str:
    """Either database as the profile `warehouse`."""
    if request.param == "postgres":
        url = request.getfixturevalue("warehouse")
        Path("taxietl.toml").write_text(f'[profiles.warehouse]\ntype = "postgres"\nurl = "{url}"\n')
    return str(request.param)
