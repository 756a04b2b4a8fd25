"""`taxietl sync` as typed: what is new, restated, touched, late, withdrawn; and bad input."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from command import Done, Taxietl, check_refused
from documents import check
from file_server import FileServer

from taxietl.cli import sync as command
from taxietl.extract.synthetic import write

ROWS = 300
SYNC = ("sync", "--color", "green", "--transform", "none")


class Today(date):
    """The day on which all of this happens: the latest eight months are 2022-10 to 2023-05."""

    @classmethod
    def today(cls) -> Today:
        return cls(2023, 6, 15)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as server:
        yield server


class Published:
    """What the source has."""

    def __init__(self, server: FileServer, folder: Path) -> None:
        self._server, self._folder = server, folder

    def __call__(self, month: str, rows: int = ROWS, *, etag: str = "first") -> None:
        path = self._folder / "month.parquet"
        write(path, "green", int(month[:4]), int(month[5:]), rows=rows)
        self._server.put(f"green_tripdata_{month}.parquet", path.read_bytes(), etag=f'"{etag}"')

    def no_more(self, month: str) -> None:
        del self._server.files[f"/green_tripdata_{month}.parquet"]


@pytest.fixture
def publish(
    home: Path, server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Published:
    """The TLC's server is one on loopback; it has January 2021 and three months of the latest."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(command, "date", Today)
    Path("taxietl.toml").write_text(
        f'[sources.tlc]\nurl = "{server.template}"\n'
        f'[profiles.warehouse]\ntype = "duckdb"\npath = "{home}/taxi.duckdb"\n'
        + "".join(
            f'[profiles.{name}]\ntype = "folder"\npath = "{tmp_path}/{name}"\n'
            for name in ("lake", "other-lake")
        )
    )
    publish = Published(server, tmp_path)
    for month in ("2021-01", "2023-01", "2023-02", "2023-03"):
        publish(month)
    return publish


def classes(done: Done) -> dict[str, tuple[str, str]]:
    check(done.document, "sync")
    assert done.document["exit_code"] == done.code
    return {
        each["trip_file"][6:]: (each["class"], each["action"]) for each in done.document["months"]
    }


def test_the_first_sync_loads_the_latest_months_and_the_next_one_asks_once(
    taxietl: Taxietl, publish: Published, server: FileServer
) -> None:
    first = taxietl(*SYNC, "--json")
    server.requests.clear()
    second = taxietl(*SYNC)

    assert first.code == second.code == 0
    assert classes(first) == {
        **dict.fromkeys(("2022-10", "2022-11"), ("overdue", "nothing to do")),
        "2022-12": ("not published", "nothing to do"),
        **dict.fromkeys(("2023-01", "2023-02", "2023-03"), ("new", "loaded")),
        **dict.fromkeys(("2023-04", "2023-05"), ("not published", "nothing to do")),
    }
    assert second.out.splitlines() == [
        "green-2022-10  overdue: still not published, over 180 days after its end",
        "green-2022-11  overdue: still not published, over 180 days after its end",
        "green  3 unchanged; not published yet: 2022-12, 2023-04, 2023-05",
    ]
    assert second.err.count("Created task run 'ask-green-20") == 8
    assert second.err.count("Created task run 'look-") == 1
    assert not server.asked("GET")
    months = [each.path[-15:-8] for each in server.asked("HEAD")]
    assert [months.count(f"2023-0{number}") for number in (1, 2, 3)] == [1, 1, 1]


def test_months_that_are_named_are_asked_for_and_no_others(
    taxietl: Taxietl, publish: Published
) -> None:
    one = classes(taxietl(*SYNC, "--year", "2021", "--month", "1", "--json"))
    some = classes(taxietl(*SYNC, "--since", "2022-12", "--until", "2023-01", "--json"))

    assert one == {"2021-01": ("new", "loaded")}
    assert some == {"2022-12": ("not published", "nothing to do"), "2023-01": ("new", "loaded")}


def test_what_changed_is_said_as_a_person_would(
    taxietl: Taxietl, publish: Published, server: FileServer
) -> None:
    for month in ("2022-10", "2022-11", "2022-12"):
        publish(month)
    taxietl(*SYNC)
    publish("2022-10", ROWS + 12, etag="second")
    publish("2022-11", etag="second")
    publish("2022-12", ROWS // 2, etag="second")
    publish.no_more("2023-01")
    publish("2023-04")

    done = taxietl(*SYNC)
    again = taxietl(*SYNC, "--json")

    assert done.out.splitlines() == [
        "green-2022-10  restated: +12 rows, now 312",
        "green-2022-12  restated, failed: green-2022-12 would shrink by 50.0%, from 300 rows to "
        "150.",
        "  Nothing was replaced. If that is right, add --max-shrink 0.50.",
        "green-2023-01  withdrawn: the source has it no more; what is loaded stays",
        "green-2023-04  new: 300 rows",
        "green  2 unchanged; 1 touched; not published yet: 2023-05",
    ]
    assert (done.code, again.code) == (4, 4)
    assert classes(again)["2022-11"] == ("touched", "nothing to do")
    assert classes(again)["2022-10"] == ("unchanged", "nothing to do")
    taxietl(*SYNC, "--max-shrink", "0.5")
    rows = taxietl("sql", "SELECT count(*) AS n FROM green_trips", "--json").document["rows"]
    assert rows == [[312 + 300 + 150 + 4 * 300]]


def test_a_dry_run_tells_the_classes_and_loads_nothing(
    taxietl: Taxietl, publish: Published, server: FileServer, home: Path
) -> None:
    before = taxietl(*SYNC, "--dry-run", "--json")
    assert not (home / "history.db").exists()
    taxietl(*SYNC)
    publish("2023-02", ROWS + 1, etag="second")
    gets = len(server.asked("GET"))

    after = taxietl(*SYNC, "--dry-run", "--json")

    assert classes(before)["2023-01"] == ("new", "load")
    assert classes(after)["2023-02"] == ("changed", "compare")
    assert before.document["run"] is after.document["run"] is None
    assert len(server.asked("GET")) == gets


def test_a_warehouse_and_a_lake_are_brought_into_sync_by_one_question(
    taxietl: Taxietl, publish: Published, server: FileServer
) -> None:
    taxietl(*SYNC)
    publish("2023-04")
    server.requests.clear()

    done = taxietl(*SYNC, "--to", "lake", "--to", "warehouse", "--json")
    text = taxietl(*SYNC, "--to", "lake", "--to", "warehouse").out

    found = {
        (each["to"], each["trip_file"][6:]): each["action"] for each in done.document["months"]
    }
    assert found["warehouse", "2023-01"] == "nothing to do"
    assert found["lake", "2023-01"] == "uploaded"
    assert found["warehouse", "2023-04"] == "loaded"
    assert found["lake", "2023-04"] == "uploaded"
    heads = [each.path for each in server.asked("HEAD")]
    assert heads.count("/green_tripdata_2023-04.parquet") == 2  # one a sync
    assert [each.path[-15:-8] for each in server.asked("GET")] == ["2023-04"]
    assert text.index("warehouse:\n") < text.index("lake:\n")
    assert text.count("4 unchanged") == 2


@pytest.mark.parametrize("kind", ["duckdb", "postgres"])
def test_a_gap_is_filled_and_what_was_dropped_stays_out_until_it_is_ingested(
    taxietl: Taxietl, publish: Published, request: pytest.FixtureRequest, kind: str
) -> None:
    if kind == "postgres":
        url = request.getfixturevalue("warehouse")
        with Path("taxietl.toml").open("a") as config:
            config.write(f'[profiles.server]\ntype = "postgres"\nurl = "{url}"\n')
            config.write('[ingest]\nto = "server"\n')
    for month in ("2022-01", "2022-02", "2022-03"):
        publish(month)
    month = ("--color", "green", "--year", "2022", "--month")
    taxietl("ingest", *month, "1,3", "--transform", "none")
    filled = classes(taxietl(*SYNC, "--json"))
    taxietl("drop", *month, "3", "--yes")

    dropped = classes(taxietl(*SYNC, "--since", "2022-01", "--all", "--json"))
    taxietl("ingest", *month, "3", "--transform", "none")
    back = classes(taxietl(*SYNC, "--all", "--json"))

    assert filled["2022-02"] == ("new", "loaded")
    assert filled["2022-04"] == ("overdue", "nothing to do")
    assert "2022-01" not in filled
    assert dropped["2022-01"] == ("unchanged", "nothing to do")
    assert "2022-03" not in dropped
    assert back["2022-03"] == ("unchanged", "nothing to do")


def test_an_overdue_month_is_an_event_once(taxietl: Taxietl, publish: Published) -> None:
    runs = [taxietl(*SYNC, "--json").document["run"]["id"] for _ in range(2)]

    def events(run: str) -> list[Any]:
        shown = taxietl("runs", "show", run, "--json").document
        return [(each["name"], each["details"].get("month")) for each in shown["events"]]

    assert events(runs[0]) == [("overdue", "2022-10"), ("overdue", "2022-11")]
    assert events(runs[1]) == []


def test_a_month_from_another_source_is_left_alone(
    taxietl: Taxietl, publish: Published, tmp_path: Path
) -> None:
    file = tmp_path / "mine" / "green_tripdata_2023-01.parquet"
    file.parent.mkdir()
    write(file, "green", 2023, 1, rows=50)
    month = ("--color", "green", "--year", 2023, "--month", 1)
    taxietl("ingest", *month, "--source", file.parent, "--transform", "none")

    done = taxietl(*SYNC, "--json")

    assert done.code == 0
    assert classes(done)["2023-01"] == ("other source", "nothing to do")
    assert "loaded from another source" in taxietl(*SYNC).out


def test_rows_that_somebody_deleted_are_loaded_again(
    taxietl: Taxietl, publish: Published, home: Path
) -> None:
    import duckdb

    taxietl(*SYNC)
    with duckdb.connect(str(home / "taxi.duckdb")) as connection:
        connection.execute("DELETE FROM green_trips WHERE source_month = '2023-02-01'")

    done = taxietl(*SYNC)

    assert done.code == 0
    assert "green-2023-02  unchanged, loaded: the table holds 0 of the 300 rows" in done.out


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--color", "gren"), ("no colour named 'gren'", "green")),
        (("--since", "2023-07"), ("--since 2023-07 is in the future",)),
        (("--since", "2023"), ("--since 2023 is not a month", "2019-03")),
        (("--to", "lake", "--to", "other-lake"), ("names two lakes", "one of each")),
        (("--to", "warehouse", "--to", "warehouse"), ("names two warehouses",)),
        (("--to", "lake", "--table", "t"), ("--table is for a warehouse",)),
        (("--to", "lake", "--connections", "2"), ("--connections is for a warehouse",)),
        (("--to", "none"), ("no profile named 'none'", "lake")),
        (("--color", "yellow", "--table", "t"), ("2 colours", "one colour")),
        (("--source", "month.csv"), ("is one file, and 8 months",)),
        (("--transform", "nix"), ("no transformer named 'nix'",)),
        (("--since", "2023-01", "--since", "2023-02"), ("--since is given 2 times",)),
        (("--all", "--until", "2023-01"), ("--all cannot be combined",)),
        (("--month", "1"), ("--month needs --year",)),
    ],
    ids=lambda each: " ".join(each) if str(each[0]).startswith("--") else "",
)
def test_what_cannot_be_is_refused_before_a_run(
    taxietl: Taxietl, publish: Published, home: Path, given: tuple[str, ...], words: tuple[str, ...]
) -> None:
    Path("month.csv").write_text("VendorID\n1\n")

    done = taxietl("sync", "--color", "green", *given)

    check_refused(done, 2, *words)
    assert not (home / "history.db").exists()
