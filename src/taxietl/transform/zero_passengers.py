"""Leave out the trips whose driver entered no passengers, as the well-known tutorial does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from taxietl.tlc.datasets import Dataset

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class DropZeroPassengers:
    """Drop rows with passenger_count 0. A missing count is not zero: such rows stay."""

    version: str = "1"

    def transform(self, batch: pa.RecordBatch, dataset: Dataset) -> pa.RecordBatch:
        """Return the batch without those rows; as it is for a colour that counts nobody."""
        import pyarrow.compute as pc

        if not dataset.has("passenger_count"):
            return batch
        zero = pc.fill_null(pc.equal(batch.column("passenger_count"), 0), False)
        if not pc.any(zero).as_py():
            return batch
        return batch.filter(pc.invert(zero))
