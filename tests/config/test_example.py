"""The configuration that `taxietl init` writes."""

from __future__ import annotations

import ast
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from taxietl.config import (
    CacheSettings,
    HistorySettings,
    IngestSettings,
    Settings,
    SourceSettings,
    load_settings,
    write_example,
)
from taxietl.config.example import example
from taxietl.config.profile_types import profile_types, type_names
from taxietl.errors import ConfigError
from taxietl.load.duckdb.profile import DuckDBProfile

Write = Callable[[str], Path]
REPOSITORY = Path(__file__).parents[2]


def uncommented() -> str:
    """Every setting switched on; prose, which has a space after its `#`, left out."""
    return re.sub(r"^#(?=[^\s])", "", example(), flags=re.MULTILINE)


def everything(write: Write) -> Settings:
    return load_settings(config=write(uncommented()))


def test_the_file_in_the_repository_is_the_example() -> None:
    assert (REPOSITORY / "config.example.toml").read_text(encoding="utf-8") == example()


def test_as_written_it_changes_nothing(tmp_path: Path) -> None:
    write_example(tmp_path / "taxietl.toml")

    found = load_settings(config=tmp_path / "taxietl.toml")

    assert found.ingest.model_dump(exclude={"transforms"}) == IngestSettings().model_dump(
        exclude={"transforms"}
    )
    assert (found.cache, found.history) == (CacheSettings(), HistorySettings())
    assert list(found.profiles) == ["warehouse"]
    assert isinstance(found.profile("warehouse"), DuckDBProfile)


def test_switched_on_it_loads_with_no_warning_and_has_every_type(write: Write) -> None:
    found = everything(write)

    assert found.warnings == ()
    assert {profile.type for profile in found.profiles.values()} == set(type_names())
    assert found.ingest.model_dump(exclude={"transforms"}) == IngestSettings().model_dump(
        exclude={"transforms"}
    )
    assert (found.cache, found.history) == (CacheSettings(), HistorySettings())


def test_it_has_every_key_there_is(write: Write) -> None:
    found = everything(write)

    for name, kind in ((each.model_fields["type"].default, each) for each in profile_types()):
        given: set[str] = set()
        for profile in found.profiles.values():
            if profile.type == name:
                given |= profile.model_fields_set
        assert given == set(kind.model_fields), name
    for section in (found.ingest, found.cache, found.history):
        assert section.model_fields_set == set(type(section).model_fields)


def test_every_snippet_is_python_that_asks_for_its_profile(write: Write) -> None:
    for name, profile in everything(write).profiles.items():
        snippet = profile.snippet(name)

        ast.parse(snippet)
        assert f'profile("{name}")' in snippet
        assert "from taxietl import profile\n" in snippet


def test_it_is_for_its_owner_only_and_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new" / "taxietl.toml"
    write_example(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    path.write_text("mine")
    with pytest.raises(ConfigError, match="exists already"):
        write_example(path)
    assert path.read_text() == "mine"


def test_where_it_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="cannot be written"):
        write_example(tmp_path / "file" / "taxietl.toml")


def test_its_source_is_one_with_every_key(write: Write) -> None:
    company = everything(write).sources["company"]

    assert company.model_fields_set == set(SourceSettings.model_fields)
