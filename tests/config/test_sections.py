"""Asking the settings for a profile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from taxietl.config import LakeProfile, load_settings
from taxietl.errors import ConfigError, UnknownNameError
from taxietl.load.duckdb.profile import DuckDBProfile
from taxietl.load.postgres.profile import PostgresProfile

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
    assert "duckdb or postgres" in str(caught.value)
    assert caught.value.hint == "Profiles that fit: warehouse."


def test_a_base_class_stands_for_the_types_under_it(write: Write) -> None:
    found = load_settings(config=write('[profiles.disk]\ntype = "folder"\npath = "."\n'))

    assert found.profile("disk", LakeProfile) is found.profiles["disk"]
    with pytest.raises(ConfigError, match="what is needed here is folder or gcs"):
        found.profile("warehouse", LakeProfile)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("10GB", 10_000_000_000),
        ("512MiB", 512 * 1024**2),
        ("0.5 tb", 500_000_000_000),
        ("1KB", 1000),
    ],
)
def test_the_caches_size_is_given_with_its_unit(write: Write, text: str, size: int) -> None:
    assert load_settings(config=write(f'[cache]\nmax_size = "{text}"\n')).cache.max_size == size


@pytest.mark.parametrize("text", ['"10"', '"0GB"', '"-1GB"', '"GB"', "10", "true", '"10 bytes"'])
def test_a_size_without_meaning_is_refused(write: Write, text: str) -> None:
    with pytest.raises(ConfigError, match=r'cache\.max_size: must be a size like "10GB"'):
        load_settings(config=write(f"[cache]\nmax_size = {text}\n"))


def test_cache_and_history_can_be_set_by_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAXIETL_CACHE__MAX_SIZE", "2GB")
    monkeypatch.setenv("TAXIETL_HISTORY__KEEP_DAYS", "7")

    found = load_settings()

    assert (found.cache.max_size, found.history.keep_days) == (2_000_000_000, 7)


def test_a_history_kept_for_no_day_is_refused(write: Write) -> None:
    with pytest.raises(ConfigError, match=r"history\.keep_days: must be at least 1"):
        load_settings(config=write("[history]\nkeep_days = 0\n"))
