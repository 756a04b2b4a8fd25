"""What encoding a month for PostgreSQL costs beyond reading it: prints CPU seconds and memory.

    python bench/pgcopy.py FILE [runs]

FILE is named as the TLC names them (`yellow_tripdata_2021-01.parquet`). Its rows are encoded as
they are, then with a third of five columns missing at random, which no file has.
"""

from __future__ import annotations

import re
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxietl.load.postgres.copy.encode import encode
from taxietl.steps import registry
from taxietl.tlc.trip_file import trip_file
from taxietl.transform.pipeline import clean_batches


def read(path: Path) -> list[pa.RecordBatch]:
    """The file's clean batches, all of them."""
    named = re.match(r"(\w+)_tripdata_(\d{4})-(\d\d)\.", path.name)
    if named is None:
        sys.exit(f"{path.name} is not named as the TLC names its files")
    extractor = registry.extractor(str(path))
    version = extractor.probe(trip_file(named[1], int(named[2]), int(named[3])))
    with tempfile.TemporaryDirectory() as cache:
        return list(clean_batches(extractor.extract(version, into=Path(cache)), ()))


def with_gaps(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with a third of five of its whole columns missing at random."""
    chance = np.random.default_rng(2021)
    arrays = list(batch.columns)
    whole = [at for at, array in enumerate(arrays) if not array.null_count][:5]
    for at in whole:
        gaps = pa.array(chance.random(batch.num_rows) < 1 / 3)
        arrays[at] = pc.if_else(gaps, pa.scalar(None, arrays[at].type), arrays[at])
    return pa.record_batch(arrays, schema=batch.schema)


def cpu_seconds(batches: Sequence[pa.RecordBatch]) -> tuple[float, int]:
    """What encoding them takes, and how many bytes they become."""
    began = time.process_time()
    size = sum(map(len, encode(batches, batches[0].schema)))
    return time.process_time() - began, size


def main() -> None:
    """Measure both."""
    path, runs = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5
    batches = read(path)
    rows = sum(batch.num_rows for batch in batches)
    for name, given in (("as it is", batches), ("with gaps", [*map(with_gaps, batches)])):
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        measured = [cpu_seconds(given) for _ in range(runs)]
        more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held) / 1024
        times, size = [seconds for seconds, _ in measured], measured[0][1]
        print(
            f"{name}: {rows:,} rows, {size:,} bytes, {min(times):.3f} to {max(times):.3f} s CPU "
            f"({runs} runs), {more:.0f} MB more at the peak"
        )


if __name__ == "__main__":
    main()
