"""What a warehouse tells of its months, tested."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from taxietl.errors import (
    ConfigError,
)
from taxietl.steps.protocols import Loader
from taxietl.steps.warehouse import LedgerQuery
from taxietl.testing.base import BAD_CELL, BAD_LINE, ROUNDED, TABLE, LoaderFixtures
from taxietl.testing.months import FEBRUARY, GREEN_JANUARY, JANUARY, batch_of, load_month

# ruff: noqa: S608  the table has a name of ours


class AskingTests(LoaderFixtures):
    """Its ledger, its rejects, its tables."""

    def test_of_an_empty_warehouse_it_tells_nothing(self, loader: Loader) -> None:
        """Before the first load nothing is there, and looking makes nothing."""
        assert loader.entry(JANUARY, TABLE) is None
        assert loader.ledger(LedgerQuery(superseded=True)) == []

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

    def test_a_value_changed_by_hand_shows_in_the_counts(self, loader: Loader) -> None:
        """They are of the rows as they are now, not as they were loaded: so verify finds it."""
        loaded = load_month(loader, 3).column_stats
        self.change(loader, f"UPDATE {TABLE} SET fare_amount = 2.51, extra = 0")

        _, stats = loader.count(TABLE, JANUARY.dataset.columns)["2021-01"]

        changed = {name for name in loaded if stats[name] != loaded[name]}
        assert changed == {"fare_amount", "extra"}

    def test_what_could_not_be_read_is_kept(self, loader: Loader) -> None:
        """Line by line, beside the rows."""
        told = {"rows_rejected": 1, "values_nulled": {"fare_amount": 1}}
        notes = (BAD_LINE, BAD_CELL)

        report = load_month(loader, 3, told=told | {"notes": notes}, max_rejects=1)

        assert loader.rejects([report.load_id]) == {report.load_id: notes}
        assert loader.rejects(["another"]) == {}

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
