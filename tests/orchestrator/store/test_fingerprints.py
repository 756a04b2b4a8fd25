from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import BaseModel

from taxietl.orchestrator.store.fingerprints import (
    FileFingerprint,
    file_difference,
    files_in,
    fingerprints_as_text,
)


@dataclass(frozen=True)
class Report:
    path: Path
    rows: int


class Model(BaseModel):
    path: Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "trips.csv"
    path.write_text("1,2\n")
    return path


def test_files_are_found_at_any_depth(file: Path) -> None:
    value = {"a": [Report(file, 3)], "b": (Model(path=file),), "c": str(file)}

    assert list(files_in(value)) == [file, file]


def test_folders_and_files_that_are_not_there_have_no_fingerprint(file: Path) -> None:
    assert list(files_in([file.parent, file.with_name("gone")])) == []


def test_a_file_that_is_as_it_was_has_no_difference(file: Path) -> None:
    text = fingerprints_as_text([FileFingerprint.take(file)])

    assert file_difference(text) == ""
    assert file_difference(None) == ""


@pytest.mark.parametrize("content", ["1,3\n", "1,2,3\n"], ids=["same length", "longer"])
def test_a_changed_file_is_told(file: Path, content: str) -> None:
    text = fingerprints_as_text([FileFingerprint.take(file)])

    file.write_text(content)

    assert file_difference(text) == f"{file} has changed"


def test_a_missing_file_is_told(file: Path) -> None:
    text = fingerprints_as_text([FileFingerprint.take(file)])

    file.unlink()

    assert file_difference(text) == f"{file} is missing"
