"""The folders where systemd looks for what belongs to this user, or to the whole system."""

from __future__ import annotations

import os
from pathlib import Path

from taxietl.schedule.definition import Starter


def unit_folder(starter: Starter) -> Path:
    """Of units."""
    if starter is Starter.SYSTEMD_SYSTEM:
        return Path("/etc/systemd/system")
    return _of_user() / "systemd" / "user"


def credential_store(starter: Starter) -> Path:
    """Of credentials."""
    return Path("/etc/credstore") if starter is Starter.SYSTEMD_SYSTEM else _of_user() / "credstore"


def _of_user() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
