"""Files whose columns are not those of any era: new ones, and known ones under other names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest
from command import Done, Taxietl, check_refused

from taxietl.extract.synthetic import write

MONTH = ("--color", "green", "--year", "2021", "--month", "1", "--transform", "none")
ROWS = 200


class Loaded:
    """A command that ingests one file into a warehouse, and that warehouse asked past taxietl."""

    def __init__(self, taxietl: Taxietl, home: Path, url: str | None) -> None:
        self._taxietl, self._home, self._url = taxietl, home, url

    def ingest(self, path: Path, *options: object) -> Done:
        to = ("--to", "server") if self._url else ()
        return self._taxietl("ingest", *MONTH, "--source", path, *to, *options, "--json")

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        if self._url is None:
            with duckdb.connect(str(self._home / "taxi.duckdb"), read_only=True) as warehouse:
                return warehouse.execute(query).fetchall()
        with closing(psycopg2.connect(self._url)) as server, server.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    def columns(self) -> list[str]:
        names = self.ask(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'green_trips'"
        )
        return [str(name) for (name,) in names]

    def ledger(self) -> tuple[list[str], list[dict[str, Any]]]:
        """New columns and transforms of the current load."""
        ((new, transforms),) = self.ask(
            "SELECT CAST(new_columns AS TEXT), CAST(transforms AS TEXT) FROM taxietl_months"
        )
        return json.loads(new), json.loads(transforms)


@pytest.fixture(params=["duckdb", "postgres"])
def loaded(
    request: pytest.FixtureRequest,
    taxietl: Taxietl,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Loaded]:
    if request.param == "duckdb":
        yield Loaded(taxietl, home, None)
        return
    url = request.getfixturevalue("warehouse")
    (tmp_path / "url").write_text(url)
    config = tmp_path / "taxietl.toml"
    config.write_text(
        f'[profiles.server]\ntype = "postgres"\nurl = {{ file = "{tmp_path / "url"}" }}\n'
    )
    monkeypatch.setenv("TAXIETL_CONFIG", str(config))
    yield Loaded(taxietl, home, url)


@pytest.fixture
def moody(tmp_path: Path) -> Path:
    """A month with a column that nobody knows."""
    path = tmp_path / "moody.csv"
    write(path, "green", 2021, 1, rows=ROWS)
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([header + ",mood", *(f"{line},fine" for line in lines)]) + "\n")
    return path


def test_a_new_column_is_added_and_recorded(loaded: Loaded, moody: Path) -> None:
    done = loaded.ingest(moody)

    assert (done.code, done.document["months"][0]["new_columns"]) == (0, ["mood"])
    assert loaded.ask("SELECT mood, count(*) FROM green_trips GROUP BY mood") == [("fine", ROWS)]
    assert loaded.ledger() == (["mood"], [])
    assert "has columns that no era knows, added as text: mood" in done.err


def test_a_new_column_is_left_out_on_demand(loaded: Loaded, moody: Path) -> None:
    done = loaded.ingest(moody, "--new-columns", "ignore")

    (month,) = done.document["months"]
    assert (done.code, month["rows_loaded"], month["new_columns"]) == (0, ROWS, [])
    assert "mood" not in loaded.columns()
    assert loaded.ledger() == ([], [{"name": "ignore-new-columns", "version": "1", "options": {}}])
    assert "left out: mood" in done.err


def test_a_new_column_is_refused_on_demand(loaded: Loaded, moody: Path) -> None:
    loaded.ingest(moody, "--new-columns", "ignore")

    done = loaded.ingest(moody, "--new-columns", "fail", "--force")

    check_refused(done, 4, "no era knows: mood", "--new-columns add")
    assert "mood" not in loaded.columns()
    assert loaded.ask("SELECT count(*) FROM green_trips") == [(ROWS,)]


def test_a_column_left_out_before_is_loaded_when_it_is_asked_for(
    loaded: Loaded, moody: Path
) -> None:
    loaded.ingest(moody, "--new-columns", "ignore")
    again = loaded.ingest(moody, "--new-columns", "ignore")

    done = loaded.ingest(moody)

    assert again.document["months"][0]["action"] == "nothing to do"
    assert done.document["months"][0]["action"] == "replaced"
    assert loaded.ask("SELECT count(mood), count(*) FROM green_trips") == [(ROWS, ROWS)]


def test_renamed_columns_are_loaded_under_their_own_names(loaded: Loaded, tmp_path: Path) -> None:
    path, renamed = tmp_path / "green.csv", tmp_path / "renamed.csv"
    write(path, "green", 2021, 1, rows=ROWS)
    text = path.read_text()
    names = {"VendorID": "provider", "PULocationID": "from", "fare_amount": "meter"}
    header = text.partition("\n")[0]
    renamed.write_text(
        text.replace(header, ",".join(names.get(name, name) for name in header.split(",")), 1)
    )
    values = 'SELECT "VendorID", "PULocationID", fare_amount, extra FROM green_trips ORDER BY '
    values += "lpep_pickup_datetime, 1, 2, 3, 4"
    loaded.ingest(path)
    expected = loaded.ask(values)

    refused = loaded.ingest(renamed, "--force")
    renames = [each for new, old in names.items() for each in ("--rename", f"{old}={new}")]
    done = loaded.ingest(renamed, "--force", *renames)
    again = loaded.ingest(renamed, *renames)

    check_refused(refused, 4, "VendorID", "--rename old=new")
    assert (done.code, again.document["months"][0]["action"]) == (0, "nothing to do")
    assert loaded.ask(values) == expected
    assert loaded.ledger()[1] == [
        {"name": "rename", "version": "1", "options": {o: n for n, o in names.items()}}
    ]


@pytest.mark.parametrize(
    ("rename", "code", "word"),
    [
        ("provider", 2, "--rename old=new"),
        ("provider=VendorID", 2, "no column provider"),
        ("VendorID=VendrID", 2, "Did you mean 'VendorID'"),
    ],
)
def test_a_rename_that_cannot_be_done_is_refused(
    taxietl: Taxietl, moody: Path, rename: str, code: int, word: str
) -> None:
    check_refused(taxietl("ingest", *MONTH, "--source", moody, "--rename", rename), code, word)
