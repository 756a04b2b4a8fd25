"""`taxietl rejects` tells of every line and cell that could not be read, whatever holds them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from command import Done, Taxietl, check_refused
from documents import check

HEADER = "dispatching_base_num,Pickup_date,locationID"
LONG = "B00013,2015-01-01 00:30:00,1," + "x" * 300
Lines = Callable[..., Path]


@pytest.fixture
def written(home: Path) -> Lines:
    """Writes a month's file of 150 good lines and then those given."""

    def write(*lines: str, month: int = 1) -> Path:
        good = [f"B00013,2015-{month:02d}-01 00:{each % 60:02d}:00,1" for each in range(150)]
        path = Path(f"fhv_tripdata_2015-{month:02d}.csv")
        path.write_text("\n".join([HEADER, *good, *lines]) + "\n")
        return path

    return write


def _ingest(taxietl: Taxietl, *options: object, month: int = 1) -> Done:
    return taxietl(
        *("ingest", "--color", "fhv", "--year", 2015, "--month", month, "--source", "."), *options
    )


def _listed(taxietl: Taxietl, *options: object) -> list[tuple[object, ...]]:
    done = taxietl("rejects", "ls", "--json", *options)
    assert done.code == 0, done.err
    check(done.document, "rejects")
    return [
        (
            load["trip_file"],
            load["run_name"],
            load["state"],
            each["kind"],
            each["line"],
            each["raw"],
        )
        for load in done.document["loads"]
        for each in load["rejects"]
    ]


def test_lines_and_cells_of_the_loaded_months_are_listed(
    taxietl: Taxietl, either_warehouse: str, written: Lines
) -> None:
    written("broken", "B00013,2015-01-01 00:30:00,here")
    written("torn", month=2)
    written(month=3)
    for month in (1, 2, 3):
        assert _ingest(taxietl, "--max-rejects", 1, month=month).code == 0

    first = ("fhv-2015-01", "fhv-2015-01", "loaded")
    second = ("fhv-2015-02", "fhv-2015-02", "loaded", "row", 152, "torn")
    assert _listed(taxietl) == [
        (*first, "row", 152, "broken"),
        (*first, "value", 153, "here"),
        second,
    ]
    assert _listed(taxietl, "--color", "fhv", "--year", 2015, "--month", 2) == [second]
    assert _listed(taxietl, "--run", "fhv-2015-02") == [second]
    assert _listed(taxietl, "--color", "green") == []
    text = taxietl("rejects", "ls", "--year", 2015, "--month", 1).out.splitlines()
    assert [line.split()[:6] for line in text[1:]] == [
        ["fhv-2015-01", "fhv-2015-01", "loaded", "row", "152", "1"],
        ["fhv-2015-01", "fhv-2015-01", "loaded", "value", "153", "PUlocationID"],
    ]


@pytest.mark.parametrize("options", [("-q", "--json"), ("-q",), ()], ids=str)
def test_what_was_completed_or_may_be_cut_is_warned_of_and_listed(
    taxietl: Taxietl, either_warehouse: str, written: Lines, options: tuple[str, ...]
) -> None:
    path = written("B00013,2015-01-02,1", "B00013,2015-01-03 10:30,1", "B00013,2015-01-04,21")
    path.write_text(path.read_text().removesuffix("\n"))

    done = _ingest(taxietl, *options)

    assert done.code == 0, done.err
    told = "\n".join(done.document["months"][0]["warnings"]) if "--json" in options else done.out
    for words in (
        "dates without a time of day, loaded as midnight, in pickup_datetime: 2 (the first in "
        "line 152: '2015-01-02')",
        "times without seconds, loaded with zeros, in pickup_datetime: 1 (the first in line 153: ",
        "it may be cut (line 154: 'B00013,2015-01-04,21')",
    ):
        assert words in told
    assert [each[3:5] for each in _listed(taxietl)] == [("note", 152), ("note", 153), ("note", 154)]


def test_a_refused_load_is_listed_until_its_month_is_loaded(
    taxietl: Taxietl, either_warehouse: str, written: Lines
) -> None:
    written("broken")
    assert _ingest(taxietl).code == 4
    refused = ("fhv-2015-01", "fhv-2015-01", "refused", "row", 152, "broken")

    assert _listed(taxietl) == [refused]
    assert _listed(taxietl, "--color", "fhv", "--year", 2014) == []

    assert _ingest(taxietl).code == 4
    assert _listed(taxietl) == [("fhv-2015-01", "fhv-2015-01-2", *refused[2:])]

    assert _ingest(taxietl, "--max-rejects", 1).code == 0

    assert _listed(taxietl) == [
        ("fhv-2015-01", "fhv-2015-01-3", "loaded", "row", 152, "broken"),
    ]
    assert _listed(taxietl, "--run", "fhv-2015-01") == [refused]


def test_a_replaced_load_is_listed_by_its_runs_name_alone(
    taxietl: Taxietl, either_warehouse: str, written: Lines
) -> None:
    written("broken")
    _ingest(taxietl, "--max-rejects", 1)
    written()
    _ingest(taxietl)

    assert _listed(taxietl) == []
    assert _listed(taxietl, "--run", "fhv-2015-01-2") == []
    assert [each[-1] for each in _listed(taxietl, "--run", "fhv-2015-01")] == ["broken"]


def test_an_export_has_every_line_whole(
    taxietl: Taxietl, either_warehouse: str, written: Lines, tmp_path: Path
) -> None:
    written(LONG, 'B00013,"open')
    _ingest(taxietl, "--max-rejects", 2)
    out = tmp_path / "unread.csv"

    done = taxietl("rejects", "export", "--out", out, "--json")

    check(done.document, "rejects_export")
    assert done.document == {"path": str(out), "rows": 2}
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["month"], row["line"], row["raw"]) for row in rows] == [
        ("fhv-2015-01", "152", LONG),
        ("fhv-2015-01", "153", 'B00013,"open'),
    ]
    assert LONG not in taxietl("rejects", "ls").out


def test_what_is_no_print_stays_off_the_terminal(
    taxietl: Taxietl, written: Lines, home: Path
) -> None:
    written("\x1b[31mred")
    _ingest(taxietl, "--max-rejects", 1)

    assert "\x1b" not in taxietl("rejects", "ls").out
    assert _listed(taxietl)[0][-1] == "\x1b[31mred"


def test_a_run_that_nobody_knows_is_refused(taxietl: Taxietl, written: Lines) -> None:
    written()
    _ingest(taxietl)

    check_refused(taxietl("rejects", "ls", "--run", "it's"), 2, "it's", "runs ls")
    check_refused(taxietl("rejects", "ls", "--run", "a", "--color", "fhv"), 2, "--run")
    check_refused(taxietl("rejects", "ls", "--month", "1"), 2, "--year")
    check_refused(taxietl("rejects", "ls", "--color", "pink"), 2, "pink")


def test_a_file_that_cannot_be_written_is_told(taxietl: Taxietl, written: Lines) -> None:
    written()
    _ingest(taxietl)

    check_refused(taxietl("rejects", "export", "--out", "nowhere/x.csv"), 5, "nowhere/x.csv")
