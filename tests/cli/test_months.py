"""Several colours and months in one command: the same options on every command over months."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Taxietl, check_refused
from documents import check

COLORS = ("--color", "yellow,green", "--since", "2020-12", "--until", "2021-01")
FOUR = ["yellow-2020-12", "yellow-2021-01", "green-2020-12", "green-2021-01"]


@pytest.fixture
def files(taxietl: Taxietl, tmp_path: Path) -> Path:
    """A folder with two months of two colours."""
    folder = tmp_path / "files"
    folder.mkdir()
    name = folder / "{color}_tripdata_{year}-{month:02d}.csv"
    done = taxietl("generate", *COLORS, "--rows", 60, "--out", name, "--json")
    check(done.document, "generate_months")
    assert [each["trip_file"] for each in done.document["files"]] == FOUR
    return folder


def test_two_colours_are_loaded_verified_and_inspected_in_one_command_each(
    taxietl: Taxietl, files: Path, tmp_path: Path
) -> None:
    loaded = taxietl("ingest", *COLORS, "--source", files, "--json")
    verified = taxietl("verify", "--color", "all", "--json")
    page = tmp_path / "{color}-{year}-{month:02d}.html"
    inspected = taxietl("inspect", *COLORS, "--html", page, "--json")

    check(loaded.document, "ingest")
    check(verified.document, "verify")
    check(inspected.document, "inspect_months")
    assert [each["trip_file"] for each in loaded.document["months"]] == FOUR
    assert [each["trip_file"] for each in verified.document["months"]] == FOUR
    assert [each["trip_file"] for each in inspected.document["months"]] == FOUR
    assert len(list(tmp_path.glob("*.html"))) == 4
    one = taxietl("verify", "--color", "green", "--color", "yellow", "--until", "2020-12", "--json")
    assert [each["trip_file"] for each in one.document["months"]] == [
        "green-2020-12",
        "yellow-2020-12",
    ]


def test_months_that_are_not_loaded_are_missing_only_if_they_were_named(
    taxietl: Taxietl, files: Path
) -> None:
    taxietl("ingest", "--color", "green", "--year", 2021, "--month", 1, "--source", files)

    every = taxietl("inspect", "--color", "all", "--year", "2020-2021", "--json")
    named = taxietl("inspect", "--color", "green", "--year", 2021, "--month", "1,2", "--json")

    assert (every.code, [each["trip_file"] for each in every.document["months"]]) == (
        0,
        ["green-2021-01"],
    )
    check(named.document, "inspect_months")
    assert named.code == named.document["exit_code"] == 2
    assert "not loaded" in named.document["months"][1]["error"]["message"]
    check_refused(taxietl("verify", "--color", "yellow,green"), 2, "No yellow month")


def test_two_colours_go_to_the_lake_in_one_command(
    taxietl: Taxietl, files: Path, tmp_path: Path
) -> None:
    Path("taxietl.toml").write_text(f'[profiles.lake]\ntype = "folder"\npath = "{tmp_path}/lake"\n')

    done = taxietl("upload-gcs", *COLORS, "--source", files, "--json")
    listed = taxietl("lake", "ls", "--color", "yellow,green", "--json").document
    one = taxietl("lake", "ls", "--color", "green", "--json").document
    verified = taxietl("lake", "verify", "--color", "green", "--color", "yellow", "--json").document

    assert done.code == 0, done.err
    assert [each["trip_file"] for each in done.document["months"]] == FOUR
    assert sorted(each["month"] for each in listed["months"]) == sorted(FOUR)
    assert sorted(each["month"] for each in one["months"]) == FOUR[2:]
    assert len(verified["objects"]) == 4
    check_refused(taxietl("lake", "ls", "--color", "gren"), 2, "Did you mean 'green'?")


def test_a_schema_is_of_the_colours_asked_for(taxietl: Taxietl) -> None:
    shown = taxietl("schema", "--color", "fhv,green", "--json").document

    assert [each["color"] for each in shown["datasets"]] == ["fhv", "green"]


@pytest.mark.parametrize("command", ["ingest", "upload-gcs", "load-bq", "verify", "inspect"])
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--color yellow,gren --year 2021 --month 1", ("'gren'", "Did you mean 'green'?")),
        ("--color green --year 2021-2019 --month 1", ("backwards", "--year 2019-2021")),
        ("--color green --year 2099 --month 1", ("2099 is in the future",)),
        ("--color green --since 2021-02 --until 2021-01", ("--since 2021-01 --until 2021-02",)),
        ("--color green --since 2021-01 --year 2021", ("combined with --year",)),
        ("--color green --year 2020 --month 1 --year 2021", ("--year is given 2 times",)),
        ("--color green --since 2020-01 --since 2021-01", ("--since is given 2 times",)),
    ],
)
def test_months_that_cannot_be_are_refused_before_anything_is_done(
    taxietl: Taxietl, home: Path, command: str, line: str, words: tuple[str, ...]
) -> None:
    check_refused(taxietl(command, *line.split()), 2, *words)
    assert not home.exists()


def test_one_table_is_of_one_colour(taxietl: Taxietl, files: Path) -> None:
    for command in ("ingest", "verify", "inspect"):
        check_refused(taxietl(command, *COLORS, "--table", "trips"), 2, "one table", "one colour")


@pytest.mark.parametrize(
    ("command", "option"), [("generate", "--out"), ("inspect", "--html")], ids=["out", "html"]
)
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("all.csv", "'{color}-{year}-{month:02d}.csv'"),
        ("all", "'{color}-{year}-{month:02d}."),
        ("{color}.csv", "one file for several of 4 months"),
        ("{colour}.csv", "unknown field {colour}"),
    ],
    ids=["no field", "no ending", "one field", "another field"],
)
def test_several_months_need_files_of_their_own(
    taxietl: Taxietl, command: str, option: str, name: str, words: str
) -> None:
    check_refused(taxietl(command, *COLORS, option, name), 2, words)


def test_a_file_is_one_month(taxietl: Taxietl, files: Path) -> None:
    file = files / "green_tripdata_2021-01.csv"

    check_refused(taxietl("inspect", file, "--month", "1-3"), 2, "3 months are asked for")


def test_a_month_that_fails_stops_no_other_unless_it_is_asked_to(
    taxietl: Taxietl, files: Path
) -> None:
    (files / "yellow_tripdata_2020-12.csv").unlink()
    line = ("ingest", *COLORS, "--source", files, "--workers", 1, "--json")

    stopped = taxietl(*line, "--fail-fast")
    told = taxietl(*line[:-1], "--fail-fast")
    others = taxietl(*line)

    check(stopped.document, "ingest")
    actions = [each["action"] for each in stopped.document["months"]]
    assert actions == ["failed", "not begun", "not begun", "not begun"]
    assert "yellow-2021-01  not begun" in told.out
    check(others.document, "ingest")
    actions = [each["action"] for each in others.document["months"]]
    assert actions == ["failed", "loaded", "loaded", "loaded"]
    assert stopped.code == others.code == 3


def test_where_nobody_watches_a_month_is_told_of_by_a_line_as_it_ends(
    taxietl: Taxietl, files: Path
) -> None:
    done = taxietl("ingest", *COLORS, "--source", files)
    again = taxietl("ingest", *COLORS, "--source", files)
    quiet = taxietl("ingest", *COLORS, "--source", files, "-q")

    lines = [line for line in done.err.splitlines() if " of 4, " in line]
    assert sorted(line.split()[0] for line in lines) == sorted(FOUR)
    assert all("loaded: " in line and "rows/s" in line for line in lines)
    assert "4 months of yellow, green, 2 at a time" in done.err
    assert again.err.count("nothing to do  (") == 4
    assert quiet.err == ""


def test_a_plan_says_what_there_is_to_do_in_all(taxietl: Taxietl, files: Path) -> None:
    taxietl("ingest", "--color", "green", "--year", 2021, "--month", 1, "--source", files)

    plan = taxietl("ingest", *COLORS, "--source", files, "--dry-run", "--json")
    told = taxietl("ingest", *COLORS, "--source", files, "--dry-run")

    check(plan.document, "plans")
    total = plan.document["total"]
    sizes = [each["bytes"] for each in plan.document["plans"] if each["action"] == "load"]
    assert (total["months"], total["to_do"], total["bytes"]) == (4, 3, sum(sizes))
    assert told.out.splitlines()[-1].startswith("4 months, 3 of them to do, 0.0 MB")
