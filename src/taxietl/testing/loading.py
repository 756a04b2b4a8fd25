"""What a load leaves behind, tested."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from taxietl.errors import (
    TryLaterError,
)
from taxietl.load.arrow_stats import PassingStats
from taxietl.steps.protocols import Dropper, Loader
from taxietl.steps.warehouse import LedgerQuery
from taxietl.testing.base import ROUNDED, TABLE, LoaderFixtures
from taxietl.testing.months import FEBRUARY, GREEN_JANUARY, JANUARY, batch_of, load_month
from taxietl.tlc.datasets import DATASETS, Kind, dataset
from taxietl.tlc.trip_file import TripFile

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


# ruff: noqa: S608  the table has a name of ours


class LoadingTests(LoaderFixtures):
    """Months arrive whole, once, as they were sent."""

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

    def test_a_month_lies_in_each_table_it_was_loaded_into(self, loader: Loader) -> None:
        """Tables know nothing of one another, whatever they are called."""
        load_month(loader, 3)

        report = load_month(loader, 4, table="my trips")

        assert (report.action, report.table) == ("loaded", "my trips")
        assert loader.count("my trips", ())["2021-01"][0] == 4
        assert loader.count(TABLE, ())["2021-01"][0] == 3
        assert {each["table_name"] for each in loader.ledger(LedgerQuery())} == {TABLE, "my trips"}

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
