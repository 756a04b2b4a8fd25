"""Put a number where the driver entered none, as the well-known tutorial does with 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from taxietl.tlc.datasets import Dataset

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class FillMissingPassengers:
    """Give `count` to rows without a passenger_count; no row is dropped.

    Before `drop-zero-passengers`, with the count 0, it makes that rule drop them, too.
    """

    count: int = 0
    version: str = "1"

    def __post_init__(self) -> None:
        if not 0 <= self.count < 100:
            raise ValueError(f"count must be 0 to 99, not {self.count}")

    def transform(self, batch: pa.RecordBatch, dataset: Dataset) -> pa.RecordBatch:
        """Return the batch with the count filled in; as it is for a colour that counts nobody."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not dataset.has("passenger_count"):
            return batch
        place = batch.schema.get_field_index("passenger_count")
        counts = batch.column(place)
        if not counts.null_count:
            return batch
        filled = pc.coalesce(counts, pa.scalar(self.count, counts.type))
        arrays = [*batch.columns[:place], filled, *batch.columns[place + 1 :]]
        return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)
