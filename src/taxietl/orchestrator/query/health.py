"""What can be said of a home and its history without leaving a trace there (see `glance.py`)."""

from __future__ import annotations

import sys
from pathlib import Path

from taxietl.orchestrator.store.database import network_file_system


def network_file_system_of(folder: Path) -> str | None:
    """The type of the network file system that a folder lies on; None of a local disk."""
    if sys.platform != "linux":
        return None
    mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
    return network_file_system(folder.resolve(), mounts)
