"""DuckDB's and PostgreSQL's loaders keep what the protocol promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from taxietl.load.duckdb import DuckDBLoader
from taxietl.load.duckdb.profile import DuckDBProfile
from taxietl.load.postgres import PostgresLoader
from taxietl.load.postgres.profile import PostgresProfile
from taxietl.testing.loaders import LoaderTests


class TestDuckDB(LoaderTests):
    @pytest.fixture
    def loader(self, tmp_path: Path) -> DuckDBLoader:
        return DuckDBLoader(DuckDBProfile(path=tmp_path / "taxi.duckdb"))


class TestPostgres(LoaderTests):
    @pytest.fixture
    def loader(self, warehouse: str) -> PostgresLoader:
        return PostgresLoader(PostgresProfile(url=warehouse))
