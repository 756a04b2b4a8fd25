"""Warehouses of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from months import Duck, Postgres


@pytest.fixture
def duck(tmp_path: Path) -> Duck:
    """A file that is not there yet."""
    return Duck(tmp_path / "taxi.duckdb")


@pytest.fixture
def server(warehouse: str) -> Postgres:
    """An empty database."""
    return Postgres(warehouse)
