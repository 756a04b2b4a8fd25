"""All real yellow and green files of every era, by the command, into the same two tables."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest
from command import document

NAMED = re.compile(r"(yellow|green)_tripdata\w*_(\d{4})-(\d\d)\.csv")
OTHERS = {  # files whose name does not tell their month
    "yellow_tripdata_sample.csv": ("yellow", "2019", "06"),
    "yellow_tripdata_sample.parquet": ("yellow", "2025", "02"),
}
RENAMED_BY_ITS_SOURCE = "yellow_tripdata_sample_2019-01.csv"


def _files(folder: Path) -> dict[Path, tuple[str, str, str]]:
    found = {}
    for path in sorted([*folder.glob("first-100-lines/*"), *folder.glob("samples/*")]):
        match = NAMED.fullmatch(path.name)
        if path.name in OTHERS:
            found[path] = OTHERS[path.name]
        elif match and path.name != RENAMED_BY_ITS_SOURCE:
            found[path] = (match[1], match[2], match[3])
    return found


def _ingest(home: Path, path: Path, month: tuple[str, str, str], *options: str) -> Any:
    color, year, number = month
    of = ("--color", color, "--year", year, "--month", number)
    return document("--home", home, "ingest", "--source", path, *of, "-q", *options)


@pytest.fixture(scope="module")
def home(tlc_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with all of them loaded."""
    home = tmp_path_factory.mktemp("home")
    files = _files(tlc_data)
    assert len(files) == 13
    for path, month in files.items():
        (report,) = _ingest(home, path, month)["months"]
        dropped = sum(report["rows_dropped"].values())
        assert report["action"] == "loaded", path.name
        assert report["values_nulled"] == {}, path.name
        assert report["rows_read"] == report["rows_loaded"] + dropped, path.name
        assert report["rows_rejected"] == 0, path.name
    return home


def _rows(home: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home / "taxi.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_old_vendors_are_the_numbers_of_today(home: Path) -> None:
    counts = _rows(
        home,
        'SELECT "VendorID", count(*) FROM yellow_trips '
        "WHERE source_month = DATE '2009-01-01' GROUP BY ALL ORDER BY ALL",
    )

    assert dict(counts)[3] == 15  # DDS
    assert sum(count for _, count in counts) == 98


def test_old_payment_types_and_flags_are_the_codes_of_today(home: Path) -> None:
    kinds = _rows(home, "SELECT DISTINCT payment_type FROM yellow_trips ORDER BY ALL")
    flags = _rows(home, "SELECT DISTINCT store_and_fwd_flag FROM trips ORDER BY ALL")

    assert {kind for (kind,) in kinds} <= {None, 0, 1, 2, 3, 4, 5}
    assert {flag for (flag,) in flags} == {None, "N", "Y"}


def test_coordinates_stand_in_their_columns_until_2016_06_and_zones_after(home: Path) -> None:
    for table in ("yellow_trips", "green_trips"):
        places = _rows(
            home,
            "SELECT source_month < DATE '2016-07-01' AS early, count(pickup_longitude) > 0, "
            'count("PULocationID") > 0, min(pickup_longitude) >= -180, max(dropoff_latitude) <= 90 '
            f"FROM {table} GROUP BY ALL ORDER BY ALL",
        )
        assert places == [(False, False, True, None, None), (True, True, False, True, True)]


def test_rows_lie_under_their_files_month_and_the_ledger_accounts_for_them(home: Path) -> None:
    ledger = _rows(
        home,
        "SELECT table_name, source_month, rows_loaded FROM taxietl_months ORDER BY ALL",
    )
    tables = _rows(
        home,
        "SELECT 'green_trips', source_month, count(*) FROM green_trips GROUP BY ALL UNION ALL "
        "SELECT 'yellow_trips', source_month, count(*) FROM yellow_trips GROUP BY ALL ORDER BY ALL",
    )

    assert ledger == tables
    assert len(ledger) == 13


def test_a_file_whose_columns_its_source_renamed_is_refused(tlc_data: Path, home: Path) -> None:
    refused = _ingest(home, tlc_data / "samples" / RENAMED_BY_ITS_SOURCE, ("yellow", "2019", "01"))

    assert refused["exit_code"] == 4
    assert "VendorID" in refused["error"]["message"]


def test_postgres_holds_the_same_rows(
    tlc_data: Path, home: Path, tmp_path: Path, warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "url").write_text(warehouse)
    config = tmp_path / "taxietl.toml"
    config.write_text(
        f'[profiles.server]\ntype = "postgres"\nurl = {{ file = "{tmp_path / "url"}" }}\n'
    )
    monkeypatch.setenv("TAXIETL_CONFIG", str(config))
    for path, month in _files(tlc_data).items():
        (report,) = _ingest(tmp_path, path, month, "--to", "server")["months"]
        assert report["action"] == "loaded", path.name

    with closing(psycopg2.connect(warehouse)) as connection, connection.cursor() as cursor:
        for table in ("yellow_trips", "green_trips"):
            cursor.execute(f"SELECT * FROM {table}")
            assert Counter(cursor.fetchall()) == Counter(_rows(home, f"FROM {table}"))
