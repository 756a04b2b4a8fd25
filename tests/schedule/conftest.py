from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from taxietl.schedule.cron import from_cron
from taxietl.schedule.definition import Schedule, Starter

Make = Callable[..., Schedule]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes a schedule; its command is what this Python is given."""

    def make(*command: str, cron: str = "17 5 * * *", **values: Any) -> Schedule:
        return Schedule(
            **{
                "name": "nightly",
                "when": from_cron(cron),
                "starter": Starter.RUN,
                "command": command or ("runs", "ls"),
                "folder": tmp_path,
                "home": tmp_path / "home",
                "config": None,
                "program": (sys.executable, "-m", "taxietl"),
                "added_at": datetime(2027, 1, 1, tzinfo=UTC),
                **values,
            }
        )

    return make
