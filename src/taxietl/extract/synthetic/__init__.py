"""Make synthetic months: the size, columns, text style and quirks of published ones.

For trying the tool without a network, for benchmarks and for tests. Every colour, from its first
month on. The same colour, month, rows and seed make the same trips, in whatever form they are
written.

`recipe` says what is made; `trips` invents those of taxis, `hires` those of other vehicles, with
`rides`, `places` and `odds`; `csv_looks`, `csv_columns` and `parquet_columns` know how a month's
files name and type them; `files` writes them; `extractor` offers them as a source. The heavy
libraries load on use.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from taxietl.extract.synthetic.extractor import Synthetic
from taxietl.extract.synthetic.recipe import DEFAULT_ROWS, DEFAULT_SEED, Recipe
from taxietl.steps.protocols import Progress, untold

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["DEFAULT_ROWS", "DEFAULT_SEED", "Recipe", "Synthetic", "batches", "write"]


def batches(
    color: str, year: int, month: int, *, rows: int | None = None, seed: int = DEFAULT_SEED
) -> Iterator[pa.RecordBatch]:
    """Trips as the month's Parquet file has them, in batches of bounded size.

    Args:
        color: `yellow`, `green`, `fhv` or `fhvhv`.
        year: with `month`, the month that is imitated, from the colour's first on.
        month: 1 to 12.
        rows: how many trips; left out, as many as January 2021 had.
        seed: another one makes other trips.

    Raises:
        ConfigError: no such month can be made.
    """
    from taxietl.extract.synthetic import files

    return files.parquet_batches(Recipe(color, year, month, rows, seed))


def write(
    path: Path,
    color: str,
    year: int,
    month: int,
    *,
    rows: int | None = None,
    seed: int = DEFAULT_SEED,
    progress: Progress = untold,
) -> int:
    """Write a month to `path`, in the form its ending names; returns the number of rows.

    `.csv` is the text the TLC published until 2022, `.csv.gz` the same bytes compressed, `.parquet`
    what it publishes now; all hold the same trips. The file appears whole or not at all.

    Raises:
        ConfigError: no such month can be made, or the ending names no form.
        TargetError: the disk refused.
    """
    from taxietl.extract.synthetic import files

    return files.write(path, Recipe(color, year, month, rows, seed), progress)
