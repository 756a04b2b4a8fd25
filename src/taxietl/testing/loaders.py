"""What every loader has to do, as tests: inherit them, and give them a loader.

    class TestMine(LoaderTests):
        @pytest.fixture
        def loader(self, tmp_path):
            return MyLoader(MyProfile(path=tmp_path / "trips.db"))

Each test gets a loader of a warehouse in which nothing was ever loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

import pyarrow as pa  # noqa: TID253  whoever tests a loader has months
import pytest

from taxietl.errors import (
    ConfigError,
    CountMismatchError,
    RefusedLoadError,
    TooManyRejectsError,
    TryLaterError,
)
from taxietl.load.arrow_stats import PassingStats
from taxietl.steps.protocols import Dropper, Loader
from taxietl.steps.values import Note, Transform
from taxietl.steps.warehouse import LedgerQuery
from taxietl.testing.months import FEBRUARY, GREEN_JANUARY, JANUARY, batch_of, load_month
from taxietl.tlc.datasets import DATASETS, Kind, dataset
from taxietl.tlc.trip_file import TripFile

TABLE = "yellow_trips"
ROUNDED = Transform("rounded", "1", {"digits": 2})
BAD_LINE = Note("row", 7, None, "3 fields instead of 18", "1,2,3")
BAD_CELL = Note("value", 9, "fare_amount", "no number", "12,x'\"")


_WHOLE = [0, 1, -1, 2**31 - 1, -(2**31), None]
_REAL = [0.1 + 0.2, -0.005, 1e300, -73.98765, None, 7.1]
EXTREMES: dict[Kind, list[Any]] = {
    Kind.CODE: _WHOLE,
    Kind.COUNT: _WHOLE,
    Kind.SECONDS: _WHOLE,
    Kind.MONEY: _REAL,
    Kind.MILES: _REAL,
    Kind.DEGREES: _REAL,
    Kind.TIME: [
        datetime(2021, 1, 1),
        datetime(2021, 1, 31, 23, 59, 59, 999_999),
        datetime(1969, 12, 31, 23, 59, 59, 1),
        datetime(2098, 9, 11),
        datetime(2021, 3, 14, 2, 30),  # an hour that New York's clocks left out
        None,
    ],
    Kind.TEXT: ["", "N'\"\n\\é", "%s \U0001f695", "NULL", None, "x" * 100_000],
}
"""Six values of each kind of column."""


# ruff: noqa: S608  the table has a name of ours


class Broken(Exception):
    """What a stream may end with."""


class LoaderTests:
    """The tests; `loader` is a fixture."""

    @pytest.fixture
    def loader(self) -> Loader:
        """One of an empty warehouse, for each test."""
        raise NotImplementedError

    def state(self, loader: Loader) -> list[Any]:
        """All that a load which is refused must not change."""
        rows = loader.ledger(LedgerQuery(superseded=True))
        counts = loader.count(TABLE, JANUARY.dataset.columns) if rows else {}
        return [rows, counts, loader.rejects([each["load_id"] for each in rows])]

    def test_of_an_empty_warehouse_it_tells_nothing(self, loader: Loader) -> None:
        """Before the first load nothing is there, and looking makes nothing."""
        assert loader.entry(JANUARY, TABLE) is None
        assert loader.ledger(LedgerQuery(superseded=True)) == []

    def test_a_first_load_is_told_by_report_ledger_and_table(self, loader: Loader) -> None:
        """The month is there, counted, and recorded."""
        report = load_month(loader, 3)

        assert (report.action, report.reason) == ("loaded", "not loaded yet")
        assert report.target == loader.target
        (row,) = loader.ledger(LedgerQuery())
        assert (row["load_id"], row["table_name"], row["color"]) == (
            report.load_id,
            TABLE,
            "yellow",
        )
        assert (row["source_month"], row["loaded_at"]) == (JANUARY.source_month, report.loaded_at)
        assert (row["rows_loaded"], row["source_sha256"], row["superseded_at"]) == (
            3,
            "a" * 64,
            None,
        )
        ((month, (rows, stats)),) = loader.count(TABLE, JANUARY.dataset.columns).items()
        assert (month, rows, stats) == ("2021-01", 3, report.column_stats)

    def test_the_ledger_gives_back_the_report(self, loader: Loader) -> None:
        """What a load reported can be read again, whole."""
        told = {"rows_dropped": {"rule": 2}, "values_nulled": {"extra": 1}}
        report = load_month(loader, 3, told=told, transforms=(ROUNDED,))

        entry = loader.entry(JANUARY, TABLE)

        assert entry is not None
        assert entry.rows_present == 3
        assert entry.report == replace(report, reason="", warnings=())
        assert loader.entry(FEBRUARY, TABLE) is None
        assert loader.entry(GREEN_JANUARY, "green_trips") is None

    def test_the_same_bytes_again_are_nothing_to_do(self, loader: Loader) -> None:
        """No row is pulled, and nothing written."""
        load_month(loader, 3)
        before = self.state(loader)

        untouchable = (pytest.fail("pulled") for _ in range(1))

        assert load_month(loader, untouchable, etag="2").action == "nothing to do"
        assert self.state(loader) == before

    @pytest.mark.parametrize(
        ("more", "reason"),
        [
            ({"force": True}, "--force"),
            ({"etag": "2", "sha256": "b" * 64}, "restated: SHA-256 aaaaaaaaaaaa became"),
            ({"transforms": (ROUNDED,)}, "other transforms: rounded instead of none"),
        ],
        ids=["force", "restated", "other transforms"],
    )
    def test_a_month_is_replaced_whole(
        self, loader: Loader, more: dict[str, Any], reason: str
    ) -> None:
        """Its rows are the new ones alone; the ledger keeps the load before, superseded."""
        first = load_month(loader, 3)
        load_month(loader, 2, FEBRUARY)

        second = load_month(loader, 4, **more)

        assert second.action == "replaced"
        assert second.reason.startswith(reason)
        assert second.replaced is not None
        assert second.replaced.load_id == first.load_id
        counted = loader.count(TABLE, JANUARY.dataset.columns)
        assert {month: rows for month, (rows, _) in counted.items()} == {
            "2021-01": 4,
            "2021-02": 2,
        }
        rows = loader.ledger(LedgerQuery(trip_file=JANUARY, superseded=True))
        assert [(each["load_id"], each["superseded_at"] is None) for each in rows] == [
            (first.load_id, False),
            (second.load_id, True),
        ]

    def test_every_value_arrives_as_it_was_sent(self, loader: Loader) -> None:
        """Extremes, nulls, and texts that an SQL statement could trip over."""
        sent = batch_of(
            "yellow",
            2,
            store_and_fwd_flag=["N'\"\\%sé\t", None],
            fare_amount=[0.1 + 0.2, None],
            PULocationID=[2**31 - 1, -1],
        )
        passing = PassingStats(JANUARY.dataset.columns)

        report = load_month(loader, passing.over([sent]))

        assert report.column_stats == passing.stats()
        found = self.asked(
            loader,
            'SELECT store_and_fwd_flag, fare_amount, "PULocationID" FROM yellow_trips '
            "ORDER BY tpep_pickup_datetime",
        )
        assert found == [("N'\"\\%sé\t", 0.1 + 0.2, 2**31 - 1), (None, None, -1)]

    @pytest.mark.parametrize("color", DATASETS)
    def test_every_kind_of_column_keeps_its_extremes(self, loader: Loader, color: str) -> None:
        """Counted before they were sent and where they arrived, nulls and sums are the same."""
        of = dataset(color)
        values = {each.name: EXTREMES[each.kind] for each in of.columns}
        passing = PassingStats(of.columns)

        report = load_month(
            loader, passing.over([batch_of(color, 6, **values)]), TripFile(color, 2021, 1)
        )

        assert report.column_stats == passing.stats()
        assert loader.count(of.table, of.columns) == {"2021-01": (6, passing.stats())}

    @pytest.mark.parametrize(
        ("statement", "found"),
        [
            (f"DELETE FROM {TABLE} WHERE passenger_count = 2", 1),
            (f"DELETE FROM {TABLE}", 0),
            (f"INSERT INTO {TABLE} SELECT * FROM {TABLE}", 6),
        ],
        ids=["some deleted", "all deleted", "doubled"],
    )
    def test_rows_changed_by_hand_are_loaded_again(
        self, loader: Loader, statement: str, found: int
    ) -> None:
        """The reason says how many are there."""
        batch = batch_of("yellow", 3, passenger_count=[1, 2, 2])
        load_month(loader, [batch])
        self.change(loader, statement)

        report = load_month(loader, [batch])

        assert report.reason.startswith(f"the table holds {found} of the 3 rows")
        assert loader.count(TABLE, ())["2021-01"][0] == 3
        (row,) = loader.ledger(LedgerQuery())
        assert row["load_id"] == report.load_id

    def test_a_value_changed_by_hand_shows_in_the_counts(self, loader: Loader) -> None:
        """They are of the rows as they are now, not as they were loaded: so verify finds it."""
        loaded = load_month(loader, 3).column_stats
        self.change(loader, f"UPDATE {TABLE} SET fare_amount = 2.51, extra = 0")

        _, stats = loader.count(TABLE, JANUARY.dataset.columns)["2021-01"]

        changed = {name for name in loaded if stats[name] != loaded[name]}
        assert changed == {"fare_amount", "extra"}

    def test_a_table_has_the_contracts_columns_then_the_month_then_new_ones(
        self, loader: Loader
    ) -> None:
        """A column of the file that the contract does not know is added as text."""
        load_month(loader, 1)
        contract = [*JANUARY.dataset.column_names, "source_month"]
        assert list(loader.columns(TABLE)) == contract

        load_month(loader, [batch_of("yellow", 1, **{"brand new": ["x"]})], FEBRUARY)

        assert list(loader.columns(TABLE)) == [*contract, "brand new"]
        found = self.asked(loader, 'SELECT "brand new" FROM yellow_trips ORDER BY source_month')
        assert found == [(None,), ("x",)]

    def test_what_could_not_be_read_is_kept(self, loader: Loader) -> None:
        """Line by line, beside the rows."""
        told = {"rows_rejected": 1, "values_nulled": {"fare_amount": 1}}
        notes = (BAD_LINE, BAD_CELL)

        report = load_month(loader, 3, told=told | {"notes": notes}, max_rejects=1)

        assert loader.rejects([report.load_id]) == {report.load_id: notes}
        assert loader.rejects(["another"]) == {}

    @pytest.mark.parametrize(
        ("told", "more", "error"),
        [
            ({"rows_read": 4}, {"max_rejects": 9}, CountMismatchError),
            ({"rows_counted": 4}, {"max_rejects": 9}, CountMismatchError),
            ({"rows_rejected": 2, "notes": (BAD_LINE,)}, {"max_rejects": 1}, TooManyRejectsError),
            ({}, {"source": "file:///elsewhere", "sha256": "b" * 64}, RefusedLoadError),
            ({}, {"trip_file": FEBRUARY, "sha256": "a" * 64}, RefusedLoadError),
        ],
        ids=["read", "counted", "rejects", "another source", "another month"],
    )
    def test_what_is_refused_changes_nothing(
        self, loader: Loader, told: dict[str, Any], more: dict[str, Any], error: type[Exception]
    ) -> None:
        """Counts that do not add up, and another source's months."""
        load_month(loader, 3)
        before = self.state(loader)

        with pytest.raises(error):
            load_month(loader, 3, told=told, **{"force": error is not RefusedLoadError, **more})

        assert self.state(loader) == before

    @pytest.mark.parametrize("rows", [0, 94], ids=["to none", "by 6 %"])
    def test_a_month_that_shrank_is_refused(self, loader: Loader, rows: int) -> None:
        """Until that much is allowed; to none, never."""
        load_month(loader, 100)
        before = self.state(loader)

        with pytest.raises(RefusedLoadError):
            load_month(loader, rows, force=True, max_shrink=0.05 if rows else 1.0)

        assert self.state(loader) == before
        assert load_month(loader, 94, force=True, max_shrink=0.06).rows_loaded == 94

    @pytest.mark.parametrize("good_batches", [0, 1, 3])
    @pytest.mark.parametrize("error", [Broken("cut"), KeyboardInterrupt()], ids=["error", "Ctrl-C"])
    def test_an_error_in_the_stream_comes_out_as_itself_and_changes_nothing(
        self, loader: Loader, error: BaseException, good_batches: int
    ) -> None:
        """Whenever it comes; the next load goes on from there."""
        load_month(loader, 3)
        before = self.state(loader)

        def broken() -> Iterator[pa.RecordBatch]:
            for _ in range(good_batches):
                yield batch_of("yellow", 1000, **{"brand new": ["x"] * 1000})
            raise error

        with pytest.raises(type(error)) as raised:
            load_month(loader, broken(), force=True)

        assert raised.value is error
        assert self.state(loader) == before
        assert load_month(loader, 4, force=True).rows_loaded == 4

    def test_a_month_lies_in_each_table_it_was_loaded_into(self, loader: Loader) -> None:
        """Tables know nothing of one another, whatever they are called."""
        load_month(loader, 3)

        report = load_month(loader, 4, table="my trips")

        assert (report.action, report.table) == ("loaded", "my trips")
        assert loader.count("my trips", ())["2021-01"][0] == 4
        assert loader.count(TABLE, ())["2021-01"][0] == 3
        assert {each["table_name"] for each in loader.ledger(LedgerQuery())} == {TABLE, "my trips"}

    def test_a_query_gives_rows_and_changes_nothing(self, loader: Loader) -> None:
        """Whatever it is; and what is wrong with it is its author's to know."""
        load_month(loader, 3)
        before = self.state(loader)

        assert self.asked(loader, "SELECT count(*) FROM yellow_trips") == [(3,)]
        for statement in ("DELETE FROM yellow_trips", "SELECT nothing FROM nowhere"):
            with pytest.raises(ConfigError):
                self.asked(loader, statement)

        assert self.state(loader) == before

    def test_the_ledger_is_asked_for_parts_of_it(self, loader: Loader) -> None:
        """By colour, month, table, run and column."""
        load_month(loader, 3)
        load_month(loader, 2, FEBRUARY, run_name="late-owl")
        load_month(loader, 1, GREEN_JANUARY)

        def found(**wanted: Any) -> list[dict[str, Any]]:
            return loader.ledger(LedgerQuery(columns=("rows_loaded",), **wanted))

        assert found(colors=("yellow",)) == [{"rows_loaded": 3}, {"rows_loaded": 2}]
        assert found(trip_file=GREEN_JANUARY) == [{"rows_loaded": 1}]
        assert found(run_name="late-owl") == [{"rows_loaded": 2}]
        assert found(table="another") == []
        assert found(colors=()) == []

    def test_a_months_quality_is_counted(self, loader: Loader) -> None:
        """Over the rows of that month alone."""
        load_month(loader, [batch_of("yellow", 3, passenger_count=[0, 1, 1])])
        load_month(loader, 5, FEBRUARY)

        facts = loader.quality(JANUARY, TABLE, JANUARY.dataset.columns)

        counts = {each["name"]: each["n"] for each in facts if each["part"] == "count"}
        assert (counts["rows"], counts["zero_passengers"], counts["duplicates"]) == (3, 1, 0)
        least = {each["name"]: each["value"] for each in facts if each["label"] == "0.5"}
        assert least["passenger_count"] == 1
        days = {each["label"]: each["n"] for each in facts if each["part"] == "day"}
        assert days == {"2021-01-01": 3}

    def test_a_month_is_taken_out_and_comes_back(self, loader: Loader) -> None:
        """With its ledger row, which is superseded by none."""
        if not isinstance(loader, Dropper):
            pytest.skip("it is no Dropper")
        report = load_month(loader, 3)
        load_month(loader, 2, FEBRUARY)

        entry = loader.drop(JANUARY, TABLE, run_name="amber-fox")

        assert entry is not None
        assert entry.report.load_id == report.load_id
        assert loader.drop(JANUARY, TABLE, run_name="amber-fox") is None
        assert {m: n for m, (n, _) in loader.count(TABLE, ()).items()} == {"2021-02": 2}
        (row,) = loader.ledger(LedgerQuery(trip_file=JANUARY, superseded=True))
        assert row["superseded_at"] is not None
        assert load_month(loader, 3).action == "loaded"

    def test_threads_share_it(self, loader: Loader) -> None:
        """Months of one table side by side: each is whole, or asks to be tried again."""
        load_month(loader, 1, GREEN_JANUARY)

        def load(trip_file: Any) -> int:
            for _ in range(50):
                try:
                    return load_month(loader, 2000, trip_file).rows_loaded
                except TryLaterError:
                    continue
            raise AssertionError(f"{trip_file} was never loaded")

        with ThreadPoolExecutor(4) as pool:
            months = [JANUARY, FEBRUARY, replace(JANUARY, month=3), replace(JANUARY, month=4)]
            assert list(pool.map(load, months)) == [2000] * 4

        counted = loader.count(TABLE, JANUARY.dataset.columns)
        assert [rows for rows, _ in counted.values()] == [2000] * 4

    def change(self, loader: Loader, statement: str) -> None:  # noqa: ARG002
        """Change the warehouse behind the loader's back; yours, for the tests that need it."""
        pytest.skip("the tests of this loader have no `change`")

    def asked(self, loader: Loader, statement: str) -> list[tuple[Any, ...]]:
        """A statement's rows."""
        with loader.query(statement) as reader:
            return [tuple(row.values()) for row in reader.read_all().to_pylist()]
