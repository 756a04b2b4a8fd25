"""`taxietl sql` from the outside: what it prints in each format, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from command import Taxietl, check_refused

VALUES = """
SELECT sum(i) AS huge, 170141183460469231731687303715884105727::HUGEINT AS largest,
    TIMESTAMP '2021-01-01 00:30:10' AS at, TIMESTAMPTZ '2021-01-01 00:30:10+00' AS instant,
    DATE '2021-01-01' AS day, '{"a": 1}'::JSON AS doc, INTERVAL '26 hours 5 seconds' AS lasted,
    12.50::DECIMAL(10, 2) AS fare, 0.1::DOUBLE AS tenth, 'nan'::DOUBLE AS nan, true AS yes,
    NULL AS nothing, [1, NULL] AS list, {'a': DATE '2021-01-01'} AS struct, 'x'::BLOB AS bytes
FROM range(3) r(i)
"""


@pytest.fixture
def warehouse(home: Path) -> Path:
    """A warehouse with 1,500 numbered rows."""
    home.mkdir()
    path = home / "taxi.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE numbers AS SELECT i, IF(i = 1, NULL, 'row ' || i) AS name, "
            "i / 4 AS share FROM range(1500) r(i)"
        )
    return path


def test_a_table_has_numbers_to_the_right_text_to_the_left_and_nulls_empty(
    taxietl: Taxietl, warehouse: Path
) -> None:
    done = taxietl("sql", "FROM numbers WHERE i < 2 OR i > 1498 ORDER BY i")

    assert done.code == 0
    assert done.err == ""
    assert done.out == (
        "   i  name       share\n"
        "   0  row 0        0.0\n"
        "   1              0.25\n"
        "1499  row 1499  374.75\n"
    )


def test_a_table_of_no_rows_has_its_headings(taxietl: Taxietl, warehouse: Path) -> None:
    assert taxietl("sql", "FROM numbers WHERE false").out == "i  name  share\n"


def test_a_text_of_two_lines_stays_on_one(taxietl: Taxietl, warehouse: Path) -> None:
    assert taxietl("sql", "SELECT 'a' || chr(10) || 'b' AS t").out == "t\na b\n"


def test_a_long_table_stops_and_says_how_many_rows_more(taxietl: Taxietl, warehouse: Path) -> None:
    done = taxietl("sql", "FROM numbers ORDER BY i")

    assert len(done.out.splitlines()) == 1 + 1000
    assert done.out.splitlines()[-1].startswith("999  row 999")
    assert "warning: 500 more rows are not shown; --format csv writes all." in done.err


def test_every_kind_of_value_prints_well(taxietl: Taxietl, warehouse: Path) -> None:
    (row,) = taxietl("sql", VALUES, "--json").document["rows"]

    assert row == [
        *(3, 2**127 - 1, "2021-01-01 00:30:10", "2021-01-01 00:30:10+00:00", "2021-01-01"),
        *('{"a": 1}', "26:00:05", 12.5, 0.1, "nan", True, None, [1, None]),
        *({"a": "2021-01-01"}, "x"),
    ]
    headings, cells = taxietl("sql", VALUES).out.splitlines()
    assert headings.split() == list(VALUES_NAMES)
    for shown in ("170141183460469231731687303715884105727", "12.50", "26:00:05", "[1, null]"):
        assert shown in cells


VALUES_NAMES = (
    *("huge", "largest", "at", "instant", "day", "doc", "lasted", "fare", "tenth", "nan", "yes"),
    *("nothing", "list", "struct", "bytes"),
)


def test_csv_has_every_row_and_every_kind_of_value(taxietl: Taxietl, warehouse: Path) -> None:
    assert len(taxietl("sql", "FROM numbers", "--format", "csv").out.splitlines()) == 1501

    (row,) = csv.DictReader(io.StringIO(taxietl("sql", VALUES, "--format", "csv").out))

    assert tuple(row) == VALUES_NAMES
    assert (row["huge"], row["largest"]) == ("3", str(2**127 - 1))
    assert row["at"].startswith("2021-01-01 00:30:10")
    assert (row["day"], row["doc"], row["lasted"]) == ("2021-01-01", '{"a": 1}', "26:00:05")
    assert (row["fare"], row["nothing"], row["list"]) == ("12.50", "", "[1, null]")


@pytest.mark.parametrize("asked", [("--json",), ("--format", "json")])
def test_json_is_one_document(taxietl: Taxietl, warehouse: Path, asked: tuple[str, ...]) -> None:
    done = taxietl("sql", "SELECT 1 AS a, 'x' AS a", *asked)

    assert json.loads(done.out) == {
        "columns": [{"name": "a", "type": "int32"}, {"name": "a", "type": "string"}],
        "rows": [[1, "x"]],
        "row_count": 1,
    }
    assert done.err == ""


def test_parquet_goes_to_a_file(home: Path, warehouse: Path, tmp_path: Path) -> None:
    """Through a pipe of bytes, as a shell redirects it."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "taxietl", "--home", str(home)),
            *("sql", "SELECT *, INTERVAL '1 day' AS d FROM numbers", "--format", "parquet"),
        ],
        check=True,
        capture_output=True,
    )
    path = tmp_path / "numbers.parquet"
    path.write_bytes(done.stdout)

    found = pq.read_table(path)

    assert found.num_rows == 1500
    assert found.column("i").to_pylist() == list(range(1500))
    assert found.column("d")[0].as_py() == "1 day"


def test_parquet_refuses_two_columns_of_one_name(taxietl: Taxietl, warehouse: Path) -> None:
    done = taxietl("sql", "SELECT 1 AS a, 2 AS a", "--format", "parquet")

    check_refused(done, 2, "the same name", "AS")


def test_what_does_not_read_is_refused(taxietl: Taxietl, warehouse: Path) -> None:
    before = warehouse.read_bytes()

    check_refused(taxietl("sql", "DELETE FROM numbers"), 2, "DELETE", "only reads")

    assert warehouse.read_bytes() == before


def test_an_error_under_json_is_one_document_too(taxietl: Taxietl, warehouse: Path) -> None:
    done = taxietl("sql", "SELEC 1", "--json")

    assert done.code == 2
    assert done.document["exit_code"] == 2
    assert "SELEC" in done.document["error"]["message"]


def test_an_unknown_profile_is_answered_with_those_there_are(
    taxietl: Taxietl, warehouse: Path
) -> None:
    check_refused(taxietl("sql", "SELECT 1", "--on", "warehose"), 2, "warehouse")


def test_a_reader_that_goes_away_is_not_complained_about(home: Path, warehouse: Path) -> None:
    command = [sys.executable, "-m", "taxietl", "--home", str(home), "sql"]
    with subprocess.Popen(
        [*command, "FROM range(3000000)", "--format", "csv"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == '"range"\n'
        process.stdout.close()
        told = process.stderr.read()

    assert told == ""


def test_an_unknown_form_is_told_with_the_known_ones(taxietl: Taxietl) -> None:
    done = taxietl("sql", "SELECT 1", "--format", "xml")

    check_refused(done, 2, "'--format': 'xml' is not one of 'table', 'csv', 'json', 'parquet'.")
