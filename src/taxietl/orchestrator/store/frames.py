"""DataFrames and Arrow tables as Parquet: what the cache keeps of what has no JSON form.

Only what comes back as it was is kept: an index, dtypes and metadata included.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
from pathlib import Path
from typing import Any

MARK = "parquet:"
"""What a kept result begins with that names such a file; no JSON does."""


def kind_of(value: object) -> str | None:
    """The package of a DataFrame or an Arrow table, itself and no subclass; None for all else."""
    for package, name in (("pandas", "DataFrame"), ("pyarrow", "Table")):
        loaded = sys.modules.get(package)  # who has no pandas yet has no frame either
        if loaded is not None and type(value) is getattr(loaded, name, None):
            return package
    return None


def write(value: Any, path: Path) -> str:
    """Write a frame into that file, in place of what is there; what is kept of it as a result.

    Raises:
        ValueError: it does not come back from Parquet as it was; says why in one line.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    kind = kind_of(value)
    text = f"{MARK}{kind}:{path}"
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        table = pa.Table.from_pandas(value) if kind == "pandas" else value
        pq.write_table(table, part, compression="zstd")
        _check_same(value, _read(str(kind), part))
        part.replace(path)
    except (pa.ArrowException, TypeError, AssertionError) as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise ValueError(lines[0]) from error
    finally:
        part.unlink(missing_ok=True)
    return text


def read(text: str) -> Any:
    """The frame that `write` wrote; ValueError if it cannot be read."""
    kind, _, path = text.removeprefix(MARK).partition(":")
    try:
        return _read(kind, Path(path))
    except (OSError, ImportError) as error:
        raise ValueError(str(error)) from error


def digest(value: Any) -> str | None:
    """What tells a frame from others; None if it is none, or nothing can tell it."""
    kind = kind_of(value)
    if kind == "pandas":
        import pandas as pd

        columns = [value.iloc[:, number] for number in range(value.shape[1])]
        texts = ("string", "empty")
        if any(
            each.dtype == object and pd.api.types.infer_dtype(each) not in texts for each in columns
        ):
            return None  # pandas takes 1 for "1" there
        rows = pd.util.hash_pandas_object(value, index=True).to_numpy().tobytes()
        head = (
            [*value.columns, value.columns.names, value.index.names],
            [_dtype(each.dtype) for each in columns],
            # None and NaN have one hash.
            [[type(gap) for gap in each[each.isna()]] for each in columns if each.dtype == object],
        )
        return hashlib.sha256(repr(head).encode() + rows).hexdigest()
    if kind == "pyarrow":
        import pyarrow as pa

        buffer = io.BytesIO()
        with pa.ipc.new_stream(buffer, value.schema) as stream:
            stream.write_table(value.combine_chunks())
        return hashlib.sha256(buffer.getbuffer()).hexdigest()
    return None


def _dtype(dtype: Any) -> str:
    """A type of pandas; one of categories with these, in their order."""
    categories = getattr(dtype, "categories", None)
    return str(dtype) if categories is None else f"{list(categories)} {dtype.ordered}"


def _read(kind: str, path: Path) -> Any:
    import pyarrow.parquet as pq

    table = pq.read_table(path, memory_map=False)
    return table.to_pandas() if kind == "pandas" else table


def _check_same(value: Any, back: Any) -> None:
    """AssertionError if what was read is not what was written."""
    if kind_of(value) == "pandas":
        import pandas as pd

        # How a date's index was made is no part of its values.
        pd.testing.assert_frame_equal(back, value, check_exact=True, check_freq=False)
    elif not back.equals(value, check_metadata=True):
        raise AssertionError("the table that is read again is another one")
