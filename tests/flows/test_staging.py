"""What is uploaded is what was fetched, and what is left of a failure is nothing."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from taxietl.config import activate, load_settings
from taxietl.errors import SourceError, TooManyRejectsError
from taxietl.extract.synthetic import write
from taxietl.flows.ingest import transform
from taxietl.flows.source import extract, probe
from taxietl.flows.staging import copy
from taxietl.flows.staging import write as stage
from taxietl.flows.upload_plan import PlannedUpload, UploadOptions
from taxietl.load.lake.manifest import Manifest
from taxietl.load.lake.standing import Standing
from taxietl.load.lake.upload import Destination
from taxietl.load.lake.values import Form
from taxietl.tlc.trip_file import TripFile

JANUARY = TripFile("green", 2021, 1)
KEY = "a/b.parquet"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "taxietl.toml").write_text("")
    activate(load_settings(config=tmp_path / "taxietl.toml", home=tmp_path / "home"))
    yield tmp_path / "home"
    activate(None)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    path = tmp_path / "files" / "green_tripdata_2021-01.csv.gz"
    path.parent.mkdir()
    write(path, "green", 2021, 1, rows=50)
    return path


def planned(options: UploadOptions) -> PlannedUpload:
    version = probe(JANUARY, options.source)
    standing = Standing(Manifest("green", "2021-01"), Form.PARQUET, KEY, None, None)
    goes_to = Destination(KEY, f"file:///lake/{KEY}", None, standing, ())
    return PlannedUpload("load", "", version, goes_to, None)


def test_published_bytes_that_change_meanwhile_are_not_uploaded(
    home: Path, published: Path
) -> None:
    options = UploadOptions(str(published.parent), raw=True)
    file = extract(probe(JANUARY, options.source), options.source)
    data = bytearray(published.read_bytes())
    data[-1] ^= 1
    published.write_bytes(bytes(data))

    with pytest.raises(SourceError, match="changed since it was fetched"):
        copy(file, planned(options), options)

    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_rejected_lines_are_written_down_and_no_file_is_left(home: Path, published: Path) -> None:
    lines = gzip.decompress(published.read_bytes()) + b"1,2,3\n"
    published.write_bytes(gzip.compress(lines))
    options = UploadOptions(str(published.parent))
    file = extract(probe(JANUARY, options.source), options.source)

    with pytest.raises(TooManyRejectsError) as caught:
        stage(transform(file, options.read_as), file, planned(options), options)

    (left,) = [path for path in home.rglob("*") if path.is_file()]
    assert str(left) in caught.value.hint
    assert "1,2,3" in left.read_text()


def test_rejected_lines_that_are_allowed_are_told(home: Path, published: Path) -> None:
    lines = gzip.decompress(published.read_bytes()) + b"1,2,3\n"
    published.write_bytes(gzip.compress(lines))
    options = UploadOptions(str(published.parent), max_rejects=1)
    file = extract(probe(JANUARY, options.source), options.source)

    staged = stage(transform(file, options.read_as), file, planned(options), options)

    assert (staged.facts.rows, staged.facts.rows_read, staged.facts.rows_rejected) == (50, 51, 1)
    assert staged.facts.size_bytes == staged.path.stat().st_size
