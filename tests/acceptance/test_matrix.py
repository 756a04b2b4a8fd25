"""Every era of every colour, in each of its forms, into both warehouses: each value as published.

Files are made by the era's own facts and read once more by DuckDB, which knows nothing of ours.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import oracle
import psycopg2
import pytest
from postgres import Server

from taxietl.cli.main import main
from taxietl.config import activate
from taxietl.extract.synthetic import write

ROWS = 200

MONTHS = {
    "yellow": (
        "2009-01 2010-01 2010-02 2011-01 2011-02 2014-01 2014-08 2015-01 2015-07 2016-07 2017-01 "
        "2018-07 2019-01 2020-08 2020-10 2021-04 2023-02 2025-01 2026-06"
    ),
    "green": "2013-08 2014-01 2015-01 2015-07 2016-01 2016-07 2017-01 2019-01 2023-02 2025-01",
    "fhv": "2015-01 2017-01 2017-07 2018-01 2018-02 2019-01 2020-01 2022-05 2023-02",
    "fhvhv": "2019-02 2020-01 2021-04 2022-05 2023-02 2025-01",
}
"""The first month of every header and every set of types."""

CASES = [
    (color, month, form)
    for color, months in MONTHS.items()
    for month in months.split()
    for form in ("csv", "csv.gz", "parquet")
    if form != "csv.gz" or month == months.split()[-1]  # what is packed is the csv of that month
]


class Warehouses:
    """Both of them, holding whatever the cases have loaded."""

    def __init__(self, folder: Path, url: str) -> None:
        self.home, self.url = folder / "home", url
        self.config = folder / "taxietl.toml"
        (folder / "url").write_text(url)
        self.config.write_text(
            f'[profiles.server]\ntype = "postgres"\nurl = {{ file = "{folder / "url"}" }}\n'
        )

    def ingest(self, path: Path, color: str, month: str, to: str, *options: str) -> int:
        year, number = month.split("-")
        arguments = ["--home", self.home, "--config", self.config, "ingest", "--color", color]
        arguments += ["--year", year, "--month", number, "--source", path, "--to", to]
        arguments += ["--transform", "none", "--new-columns", "fail", "--force", "--json", "-q"]
        arguments += options
        return main([str(each) for each in arguments])

    def rows(self, color: str, month: str, to: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The month's columns, but for `source_month`, and its rows."""
        names, found = self.ask(
            f"SELECT * FROM {color}_trips WHERE source_month = '{month}-01'", to
        )
        at = names.index("source_month")
        names.pop(at)
        return names, [(*row[:at], *row[at + 1 :]) for row in found]

    def ask(self, query: str, to: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """A query's columns and rows, asked past taxietl."""
        if to == "server":
            with closing(psycopg2.connect(self.url)) as server, server.cursor() as cursor:
                cursor.execute(query)
                names = [column.name for column in cursor.description or ()]
                found = cursor.fetchall()
        else:
            with duckdb.connect(str(self.home / "taxi.duckdb"), read_only=True) as local:
                result = local.execute(query)
                names = [column[0] for column in result.description]
                found = result.fetchall()
        return names, found


@pytest.fixture(scope="module")
def warehouses(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouses]:
    """An empty DuckDB file and an empty PostgreSQL database."""
    name = f"matrix_{os.getpid()}"
    with closing(psycopg2.connect(postgres.url())) as admin:
        admin.autocommit = True
        with admin.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
            yield Warehouses(tmp_path_factory.mktemp("matrix"), postgres.url(name))
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    activate(None)


@pytest.mark.parametrize("to", ["warehouse", "server"])
def test_vehicles_for_hire_stand_side_by_side_in_a_view(
    warehouses: Warehouses, tmp_path: Path, to: str
) -> None:
    for color in ("fhv", "fhvhv"):
        path = tmp_path / f"{color}.csv"
        write(path, color, 2020, 6, rows=ROWS)
        assert warehouses.ingest(path, color, "2020-06", to) == 0

    query = (
        "SELECT color, count(*), count(dropoff_datetime), count(hvfhs_license_num) "
        "FROM hire_trips WHERE source_month = '2020-06-01' GROUP BY color ORDER BY color"
    )

    assert warehouses.ask(query, to)[1] == [("fhv", ROWS, ROWS, 0), ("fhvhv", ROWS, ROWS, ROWS)]


@pytest.mark.parametrize("to", ["warehouse", "server"])
def test_what_could_not_be_read_of_vehicles_for_hire_stands_in_the_ledger(
    warehouses: Warehouses, tmp_path: Path, to: str
) -> None:
    path = tmp_path / "fhv.csv"
    write(path, "fhv", 2018, 6, rows=ROWS)
    begun, *lines = path.read_text().splitlines()
    times = '"2018-06-01 00:30:00","2018-06-01 00:40:00"'
    dirt = [f'{times},"Queens","1","","B1","B2"', f'{times},"1"']
    path.write_text("\n".join([begun, *lines, *dirt]) + "\n")

    code = warehouses.ingest(path, "fhv", "2018-06", to, "--max-rejects", "1")

    assert code == 0
    assert warehouses.ask(
        "SELECT kind, line, column_name, reason, raw FROM taxietl_rejects "
        "JOIN taxietl_months USING (load_id) WHERE source_month = '2018-06-01' "
        "ORDER BY line, column_name",
        to,
    )[1] == [
        (
            *("value", ROWS + 2, "Dispatching_base_num"),
            *("differs from Dispatching_base_number, which was loaded", "B2"),
        ),
        ("value", ROWS + 2, "PUlocationID", "not a value of INTEGER", "Queens"),
        ("row", ROWS + 3, None, "3 fields instead of 7", dirt[1]),
    ]
    assert warehouses.ask(
        "SELECT rows_read, rows_loaded, rows_rejected FROM taxietl_months "
        "WHERE source_month = '2018-06-01'",
        to,
    )[1] == [(ROWS + 2, ROWS + 1, 1)]


def _sorted(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=lambda row: [(each is None, str(each)) for each in row])


@pytest.mark.parametrize(("color", "month", "form"), CASES, ids=["-".join(each) for each in CASES])
def test_every_value_is_as_published(
    warehouses: Warehouses,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    color: str,
    month: str,
    form: str,
) -> None:
    year, number = map(int, month.split("-"))
    path = tmp_path / f"{color}_tripdata_{month}.{form}"
    write(path, color, year, number, rows=ROWS)

    for to in ("warehouse", "server"):
        code = warehouses.ingest(path, color, month, to)

        printed = capfd.readouterr()
        assert code == 0, printed.err
        (report,) = json.loads(printed.out)["months"]
        assert (report["rows_read"], report["rows_loaded"]) == (ROWS, ROWS)
        assert (report["rows_rejected"], report["values_nulled"]) == (0, {})
        names, loaded = warehouses.rows(color, month, to)
        published = oracle.rows(path, color, names)
        assert _sorted(loaded) == _sorted(published)
        assert len(set(published)) == ROWS
