"""Leave out the trips that began outside the file's month; every real month has some."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from taxietl.tlc.datasets import Dataset
from taxietl.tlc.trip_file import TripFile

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class DropOutsideMonth:
    """Drop rows whose pick-up lies outside the month of their file; one without a time stays."""

    version: str = "1"

    def for_month(self, trip_file: TripFile) -> _Within:
        """The rule for that month."""
        return _Within(trip_file.source_month, trip_file.next_month, self.version)


@dataclass(frozen=True)
class _Within:
    since: date
    until: date
    """The first day after."""

    version: str

    def transform(self, batch: pa.RecordBatch, dataset: Dataset) -> pa.RecordBatch:
        """Return the batch without the rows of other months."""
        import pyarrow as pa
        import pyarrow.compute as pc

        starts = batch.column(dataset.started_at)
        since, until = (
            pa.scalar(datetime(each.year, each.month, 1), pa.timestamp("us"))
            for each in (self.since, self.until)
        )
        within = pc.and_(pc.greater_equal(starts, since), pc.less(starts, until))
        stays = pc.or_kleene(within, pc.is_null(within))
        return batch if pc.all(stays).as_py() else batch.filter(stays)
