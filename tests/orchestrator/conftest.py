"""An engine of the test's own, in a folder of its own, with a clock that only the test moves."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from runs_at_hand import Clock

from taxietl.orchestrator import Engine


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def engine(home: Path, clock: Clock) -> Iterator[Engine]:
    with Engine(home, clock=clock, sleep=clock.sleep, rng=random.Random(1)) as engine:
        yield engine
