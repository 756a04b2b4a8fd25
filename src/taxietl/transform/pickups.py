"""In which months a file's trips begin, counted while its rows pass."""

from __future__ import annotations

from collections import Counter
from datetime import date

import numpy as np  # noqa: TID253  imported only where batches are handled
import pyarrow as pa  # noqa: TID253
import pyarrow.compute as pc  # noqa: TID253

from taxietl.steps.values import Pickups
from taxietl.tlc.trip_file import TripFile


class PickupMonths:
    """Counts a month's readable pick-ups; those outside it by their own months."""

    def __init__(self, trip_file: TripFile) -> None:
        self._column = trip_file.dataset.started_at
        self._since, self._until = (
            _midnight(trip_file.source_month),
            _midnight(trip_file.next_month),
        )
        self._counted = 0
        self._outside: Counter[str] = Counter()

    def count(self, batch: pa.RecordBatch) -> None:
        """Count the batch's."""
        starts = batch.column(self._column)
        self._counted += len(starts) - starts.null_count
        outside = pc.or_(pc.less(starts, self._since), pc.greater_equal(starts, self._until))
        if not pc.any(outside).as_py():
            return
        # As whole numbers, then by numpy: dirt reaches beyond the years that Python has dates for.
        months = pc.value_counts(pc.floor_temporal(starts.filter(outside), unit="month"))
        begins, counts = months.field(0).cast(pa.int64()).to_pylist(), months.field(1).to_pylist()
        names = np.array(begins, "datetime64[us]").astype("datetime64[M]").astype(str)
        for name, count in zip(names.tolist(), counts, strict=True):
            self._outside[name] += count

    @property
    def pickups(self) -> Pickups:
        """What was counted so far."""
        return Pickups(self._counted, dict(self._outside.most_common()))


def _midnight(day: date) -> pa.TimestampScalar:
    """The day's first moment; `pa.scalar` would load pandas first."""
    buffer = pa.py_buffer(np.array([day], "datetime64[us]"))
    return pa.Array.from_buffers(pa.timestamp("us"), 1, [None, buffer])[0]
