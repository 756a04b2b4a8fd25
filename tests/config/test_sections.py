"""Asking the settings for a profile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from taxietl.config import DuckDBProfile, LakeProfile, PostgresProfile, load_settings
from taxietl.errors import ConfigError, UnknownNameError

Write = Callable[[str], Path]


def test_an_unknown_profile_is_guessed_at() -> None:
    with pytest.raises(UnknownNameError) as caught:
        load_settings().profile("warehose")

    assert "Did you mean 'warehouse'?" in caught.value.hint
    assert "[profiles.warehose]" in caught.value.hint


def test_a_profile_of_another_type_is_refused_with_those_that_fit(write: Write) -> None:
    found = load_settings(config=write('[profiles.disk]\ntype = "folder"\npath = "."\n'))

    with pytest.raises(ConfigError) as caught:
        found.profile("disk", PostgresProfile, DuckDBProfile)

    assert "'disk' is of type 'folder'" in str(caught.value)
    assert "postgres or duckdb" in str(caught.value)
    assert caught.value.hint == "Profiles that fit: warehouse."


def test_a_base_class_stands_for_the_types_under_it(write: Write) -> None:
    found = load_settings(config=write('[profiles.disk]\ntype = "folder"\npath = "."\n'))

    assert found.profile("disk", LakeProfile) is found.profiles["disk"]
    with pytest.raises(ConfigError, match="what is needed here is gcs or folder"):
        found.profile("warehouse", LakeProfile)
