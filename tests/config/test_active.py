"""The settings in force in the process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from taxietl.config import activate, load_settings, profile, settings

Write = Callable[[str], Path]


def test_settings_load_once_and_can_be_set(write: Write) -> None:
    activate(None)
    try:
        first = settings()
        assert settings() is first
        chosen = load_settings(config=write('[profiles.disk]\ntype = "folder"\npath = "."\n'))
        activate(chosen)
        assert settings() is chosen
        assert profile("disk") is chosen.profiles["disk"]
    finally:
        activate(None)
