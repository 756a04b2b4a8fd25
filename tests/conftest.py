"""What tests of several parts share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tlc_data() -> Path:
    """The folder of real TLC files; tests that need them skip where there is none."""
    folder = os.environ.get("TAXIETL_TLC_DATA")
    if not folder:
        pytest.skip("TAXIETL_TLC_DATA is not set: no real TLC files at hand")
    return Path(folder)
