"""Leave out the trips that cannot have been: ended before they began, or lasting for days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from taxietl.tlc.datasets import Dataset

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class DropImpossibleTrips:
    """Drop rows that end before they start, or last longer than `max_hours`.

    A trip of no length stays, and so does one without a start or an end.
    """

    max_hours: float = 24.0
    version: str = "1"

    def __post_init__(self) -> None:
        if not 0 < self.max_hours < 1e6:
            raise ValueError(f"max_hours must be a number above 0, not {self.max_hours}")

    def transform(self, batch: pa.RecordBatch, dataset: Dataset) -> pa.RecordBatch:
        """Return the batch without those rows."""
        import pyarrow as pa
        import pyarrow.compute as pc

        starts, ends = batch.column(dataset.started_at), batch.column(dataset.ended_at)
        lasted = pc.subtract(ends, starts)
        longest = pa.scalar(timedelta(hours=self.max_hours), pa.duration("us"))
        possible = pc.and_(
            pc.greater_equal(lasted, pa.scalar(timedelta(0), pa.duration("us"))),
            pc.less_equal(lasted, longest),
        )
        stays = pc.or_kleene(possible, pc.is_null(possible))
        return batch if pc.all(stays).as_py() else batch.filter(stays)
