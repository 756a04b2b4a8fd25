"""Casting one column: the result has the contract's type, whatever was published."""

from __future__ import annotations

import pyarrow as pa
import pytest

from taxietl.tlc.arrow import arrow_type
from taxietl.tlc.datasets import DATASETS, Column
from taxietl.transform.casting import cast_column

COLUMNS = {column.kind: column for column in DATASETS["yellow"].columns}


@pytest.mark.parametrize("column", COLUMNS.values(), ids=lambda column: column.kind.name)
@pytest.mark.parametrize("rows", [0, 3])
def test_text_without_a_value_has_the_columns_type(column: Column, rows: int) -> None:
    values, lost = cast_column(pa.array([None] * rows, pa.string()), column)

    assert (values.type, values.null_count, lost) == (arrow_type(column.kind), rows, [])
