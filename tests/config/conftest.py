"""A place with no configuration: own folder, own user folders, no TAXIETL_ variables."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, empty; the user's folders lie beside it."""
    for name in list(os.environ):
        if name.upper().startswith(("TAXIETL_", "PG")):
            monkeypatch.delenv(name)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user" / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user" / "data"))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Write a configuration that only its owner can read; returns its path."""

    def write_config(text: str) -> Path:
        path = tmp_path / "named.toml"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return path

    return write_config
