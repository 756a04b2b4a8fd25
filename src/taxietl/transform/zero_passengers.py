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
        import pyarrow as pa
        import pyarrow.compute as pc

        if not dataset.has("passenger_count"):
            return batch
        # To compare with a Python number, Arrow would load pandas first: 0 is what is not true.
        carrying = pc.cast(batch.column("passenger_count"), pa.bool_())
        stays = pc.or_kleene(carrying, pc.is_null(carrying))
        return batch if pc.all(stays).as_py() else batch.filter(stays)
