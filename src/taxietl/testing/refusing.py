"""What a load must refuse, tested."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa  # noqa: TID253  whoever tests a loader has months
import pytest

from taxietl.errors import (
    CountMismatchError,
    RefusedLoadError,
    TooManyRejectsError,
)
from taxietl.steps.protocols import Loader
from taxietl.testing.base import BAD_LINE, LoaderFixtures
from taxietl.testing.months import FEBRUARY, batch_of, load_month


class Broken(Exception):
    """What a stream may end with."""


class RefusingTests(LoaderFixtures):
    """Whatever fails changes nothing."""

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
