"""A first line that does not name the columns: the refusal says what the file is."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from taxietl.errors import SchemaError
from taxietl.tlc.column_rules import ColumnRules
from taxietl.tlc.trip_file import TripFile


@pytest.mark.parametrize(
    ("separator", "told", "argument"),
    [
        (";", "';'", ";"),
        ("\t", "tabs", "\\t"),
        ("|", "'|'", "|"),
        (" ", "spaces", " "),
        ("\x01", r"\x01", "\\x01"),
    ],
    ids=["semicolon", "tab", "bar", "space", "hive"],
)
@pytest.mark.parametrize("quoted", [False, True], ids=["plain", "quoted"])
def test_other_separators_are_named_with_the_command_that_converts_them(
    trips: Any, separator: str, told: str, argument: str, quoted: bool
) -> None:
    header = separator.join(f'"{each}"' if quoted else each for each in trips.header.split(","))
    path = trips.csv(trips.line().replace(",", separator), header=header)

    with pytest.raises(SchemaError, match="has its columns separated by") as error:
        trips.clean(path)
    assert told in error.value.message
    assert str(path) in error.value.message
    assert f"cat {path} | python3" in error.value.hint
    assert f"delimiter='{argument}'" in error.value.hint


def test_a_header_within_a_gzip_is_looked_at_as_well(trips: Any) -> None:
    path = trips.csv(trips.line(), header=trips.header.replace(",", ";"), name="t.csv.gz")

    with pytest.raises(SchemaError, match="separated by ';'") as error:
        trips.clean(path)
    assert f"gzip -dc {path} |" in error.value.hint


def test_what_the_file_is_goes_before_a_rename_that_finds_nothing(trips: Any) -> None:
    path = trips.csv(trips.line(), header=trips.header.replace(",", ";"))

    with pytest.raises(SchemaError, match="separated by ';'"):
        trips.clean(path, rules=ColumnRules({"vendor": "VendorID"}))


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("rows", [1, 5, 20_000])
def test_lines_that_end_in_cr_alone(trips: Any, rows: int, packed: bool) -> None:
    content = "\r".join([trips.header, *[trips.line()] * rows]).encode()
    path = trips.folder / "t.csv"
    path.write_bytes(gzip.compress(content) if packed else content)

    with pytest.raises(SchemaError, match="its lines end in CR alone") as error:
        trips.clean(path)
    assert f"{'gzip -dc' if packed else 'cat'} {path} | tr" in error.value.hint


@pytest.mark.parametrize(
    ("month", "line"),
    [
        (TripFile("yellow", 2021, 1), "1,2021-01-01 00:30:10,2021-01-01 00:36:12,1,2.1,1,N"),
        (TripFile("fhv", 2015, 1), "B00013,2015-01-01 00:30:00,"),
        (TripFile("fhv", 2018, 1), '"B00013","2018-01-01 00:30:00","",""'),
        (TripFile("green", 2013, 9), "2,2013-09-01 00:02:00,2013-09-01 00:54:51,N,1,-73.9,40.8"),
    ],
    ids=str,
)
def test_a_file_without_a_header_line(trips: Any, month: TripFile, line: str) -> None:
    path = trips.csv(line, line, header=line)

    with pytest.raises(SchemaError, match="there is no header line; the first") as error:
        trips.clean(path, month)
    assert str(path) in error.value.message
    assert f"(echo NAME,NAME,…; cat {path})" in error.value.hint


def test_a_header_below_a_title(trips: Any) -> None:
    path = trips.csv("", trips.header, trips.line(), header="Trips of January 2021")

    with pytest.raises(SchemaError, match="does not name its columns; line 3 does") as error:
        trips.clean(path)
    assert "tail -n +3" in error.value.hint


def test_lines_that_are_quoted_as_a_whole(trips: Any) -> None:
    path = trips.csv(f'"{trips.line()}"', header=f'"{trips.header}"')

    with pytest.raises(SchemaError, match="has each line as a whole in quotes"):
        trips.clean(path)


@pytest.mark.parametrize(
    "header",
    ["vendor,pickup,dropoff,x1", "VendorID,zzz", "a;b;c", "LocationID,Borough,Zone"],
)
def test_a_header_of_other_names_is_compared_with_the_eras(trips: Any, header: str) -> None:
    with pytest.raises(SchemaError, match="is no yellow-2021-01: it has no"):
        trips.clean(trips.csv(trips.line(), header=header))


def test_the_commands_of_the_hints_make_files_that_load(trips: Any) -> None:
    import subprocess

    semicolons = trips.csv(trips.line().replace(",", ";"), header=trips.header.replace(",", ";"))
    with pytest.raises(SchemaError) as error:
        trips.clean(semicolons)
    command = error.value.hint.removeprefix("Convert it: ").partition(" > ")[0]

    made = Path(trips.folder / "made.csv")
    made.write_bytes(subprocess.run(command, shell=True, check=True, capture_output=True).stdout)

    assert trips.clean(made).table.num_rows == 1
