"""Synthetic months as a source: their version names them, and the file is made from it."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from taxietl.errors import ConfigError, TargetError
from taxietl.extract.synthetic import Synthetic
from taxietl.tlc.trip_file import TripFile

JANUARY = TripFile("green", 2021, 1)


def test_probe_names_the_month_its_rows_and_its_seed() -> None:
    version = Synthetic(rows=10, seed=7).probe(JANUARY)

    assert version.source == "synthetic"
    assert version.url == "synthetic:green-2021-01?rows=10&seed=7"


def test_probe_says_the_same_of_the_same_month_every_time() -> None:
    assert Synthetic().probe(JANUARY) == Synthetic().probe(JANUARY)


def test_versions_differ_where_the_trips_would() -> None:
    sources = [Synthetic(), Synthetic(rows=10), Synthetic(seed=7)]
    etags = {source.probe(JANUARY).etag for source in sources}

    assert len(etags) == 3
    assert Synthetic().probe(TripFile("green", 2021, 2)).etag not in etags


def test_extract_writes_the_month_into_the_cache(tmp_path: Path) -> None:
    source = Synthetic(rows=1_000)
    version = source.probe(JANUARY)

    file = source.extract(version, into=tmp_path / "cache")

    assert file.version == version
    assert file.path.parent == tmp_path / "cache"
    assert file.size_bytes == file.path.stat().st_size
    assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()
    assert pq.ParquetFile(file.path).metadata.num_rows == 1_000


def test_extract_makes_the_same_bytes_again(tmp_path: Path) -> None:
    source = Synthetic(rows=1_000)
    version = source.probe(JANUARY)
    files = [source.extract(version, into=tmp_path / name) for name in ("one", "two")]

    assert files[0].sha256 == files[1].sha256


def test_extract_goes_by_the_version_not_by_its_own_options(tmp_path: Path) -> None:
    version = Synthetic(rows=50).probe(JANUARY)

    file = Synthetic(rows=80).extract(version, into=tmp_path)

    assert pq.ParquetFile(file.path).metadata.num_rows == 50


def test_versions_of_a_month_lie_side_by_side_in_the_cache(tmp_path: Path) -> None:
    paths = {
        source.extract(source.probe(JANUARY), into=tmp_path).path
        for source in (Synthetic(rows=10), Synthetic(rows=20))
    }

    assert {pq.ParquetFile(path).metadata.num_rows for path in paths} == {10, 20}


def test_a_month_that_cannot_be_made_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="no fhvhv trips of 2019-01"):
        Synthetic().probe(TripFile("fhvhv", 2019, 1))


def test_a_cache_that_is_no_folder_is_a_target_error(tmp_path: Path) -> None:
    blocked = tmp_path / "cache"
    blocked.write_text("in the way")
    source = Synthetic(rows=10)

    with pytest.raises(TargetError, match="cannot be made"):
        source.extract(source.probe(JANUARY), into=blocked)


def test_naming_the_source_loads_no_heavy_library() -> None:
    probe = (
        "import sys\n"
        "from taxietl.extract.synthetic import Synthetic\n"
        "from taxietl.tlc.trip_file import TripFile\n"
        "Synthetic().probe(TripFile('green', 2021, 1))\n"
        "print(sorted({'numpy', 'pyarrow', 'isal', 'pandas'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
