"""DuckDB's and PostgreSQL's loaders keep what the protocol promises."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import duckdb
import psycopg2
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

    def change(self, loader: DuckDBLoader, statement: str) -> None:
        with duckdb.connect(loader.target) as connection:
            connection.execute(statement)


class TestPostgres(LoaderTests):
    @pytest.fixture
    def loader(self, warehouse: str) -> PostgresLoader:
        return PostgresLoader(PostgresProfile(url=warehouse))

    @pytest.fixture(autouse=True)
    def _address(self, warehouse: str) -> None:
        self.address = warehouse

    def change(self, loader: PostgresLoader, statement: str) -> None:
        with closing(psycopg2.connect(self.address)) as connection, connection:
            connection.cursor().execute(statement)
