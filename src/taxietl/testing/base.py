"""What the tests of a loader share."""

from __future__ import annotations

from typing import Any

import pytest

from taxietl.steps.protocols import Loader
from taxietl.steps.values import Note, Transform
from taxietl.steps.warehouse import LedgerQuery
from taxietl.testing.months import JANUARY

TABLE = "yellow_trips"
ROUNDED = Transform("rounded", "1", {"digits": 2})
BAD_LINE = Note("row", 7, None, "3 fields instead of 18", "1,2,3")
BAD_CELL = Note("value", 9, "fare_amount", "no number", "12,x'\"")


class LoaderFixtures:
    """The loader that is tested, and ways to look at what it did."""

    @pytest.fixture
    def loader(self) -> Loader:
        """One of an empty warehouse, for each test."""
        raise NotImplementedError

    def state(self, loader: Loader) -> list[Any]:
        """All that a load which is refused must not change."""
        rows = loader.ledger(LedgerQuery(superseded=True))
        counts = loader.count(TABLE, JANUARY.dataset.columns) if rows else {}
        return [rows, counts, loader.rejects([each["load_id"] for each in rows])]

    def change(self, loader: Loader, statement: str) -> None:  # noqa: ARG002
        """Change the warehouse behind the loader's back; yours, for the tests that need it."""
        pytest.skip("the tests of this loader have no `change`")

    def asked(self, loader: Loader, statement: str) -> list[tuple[Any, ...]]:
        """A statement's rows."""
        with loader.query(statement) as reader:
            return [tuple(row.values()) for row in reader.read_all().to_pylist()]
