"""Parquet files of a few kilobytes that stand for gigabytes are refused in little memory."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxietl.errors import SchemaError

ROWS = 20_000


def _written(folder: Path, **options: Any) -> Path:
    """A yellow file of `ROWS` rows; `columns` are added to it or take the place of others."""
    columns: dict[str, pa.Array] = options.pop("columns")
    required = ["VendorID", "tpep_dropoff_datetime", "passenger_count"]
    required += ["trip_distance", "RatecodeID", "PULocationID", "DOLocationID", "payment_type"]
    required += ["fare_amount", "extra", "mta_tax", "tip_amount", "tolls_amount", "airport_fee"]
    required += ["improvement_surcharge", "total_amount", "congestion_surcharge"]
    table = {name: pa.nulls(ROWS) for name in [*required, "store_and_fwd_flag"]}
    table["tpep_pickup_datetime"] = pa.array([datetime(2021, 1, 1)] * ROWS)
    path = folder / "t.parquet"
    pq.write_table(pa.table(table | columns), path, compression="zstd", **options)
    assert path.stat().st_size < 100_000
    return path


def _repeated(text: str) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array([1] + [0] * (ROWS - 1), pa.int32()), [text, "N"])


@pytest.mark.parametrize("column", ["store_and_fwd_flag", "a_new_one"])
def test_a_long_text_that_each_row_points_to(trips: Any, column: str) -> None:
    path = _written(trips.folder, columns={column: _repeated("N" * 150_000)})
    before = pa.total_allocated_bytes()

    with pytest.raises(
        SchemaError, match=rf"values of {column} in .* unfold to 2,457,\d+,\d+ byte"
    ):
        trips.clean(path)
    assert pa.total_allocated_bytes() - before < 100 << 20


def test_texts_that_begin_like_the_one_before(trips: Any) -> None:
    texts = pa.array(["N" * 20_000 + str(number) for number in range(2_000)] + ["N"] * 18_000)
    path = _written(
        trips.folder,
        columns={"a_new_one": texts},
        use_dictionary=False,
        column_encoding={"a_new_one": "DELTA_BYTE_ARRAY"},
    )

    with pytest.raises(SchemaError, match=r"values of a_new_one in .* unfold to"):
        trips.clean(path)


def test_pages_of_long_texts_that_were_packed_well(trips: Any) -> None:
    texts = pa.array(["N" * 100_000] * 700 + ["N"] * 19_300)
    path = _written(trips.folder, columns={"a_new_one": texts}, use_dictionary=False)

    with pytest.raises(SchemaError, match=r"20,000 values of a_new_one in .* unfold to 70,"):
        trips.clean(path)


def test_a_list_is_refused_before_it_is_read(trips: Any) -> None:
    short = pa.array([[0]] * ROWS)
    path = _written(trips.folder, columns={"a_new_one": short})

    with pytest.raises(SchemaError, match="column a_new_one is of type list"):
        trips.clean(path)


def test_texts_of_some_length_are_read(trips: Any) -> None:
    path = _written(trips.folder, columns={"a_new_one": _repeated("N" * 8_000)})

    with pytest.raises(SchemaError, match="unfold to"):
        trips.clean(path)
    path = _written(trips.folder, columns={"a_new_one": _repeated("N" * 2_000)})
    assert set(trips.clean(path).column("a_new_one")) == {"N", "N" * 2_000}


def test_columns_without_end(trips: Any) -> None:
    path = trips.parquet(**{f"c{number}": pa.nulls(3) for number in range(1_000)})

    with pytest.raises(SchemaError, match="has 1,019 columns; no trip file has as many"):
        trips.clean(path)


def test_columns_without_end_in_a_csv(trips: Any) -> None:
    header = trips.header + "".join(f",c{number}" for number in range(1_000))

    with pytest.raises(SchemaError, match="has 1,018 columns; no trip file has as many"):
        trips.clean(trips.csv(trips.line(), header=header))
