"""DataFrames and Arrow tables as Parquet: what the cache keeps of what has no JSON form.

Only what comes back as it was is kept: what was written is read again, and told apart by its
digest, as a frame among the arguments of a cached task is.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import sys
from pathlib import Path
from typing import Any

from taxietl.orchestrator.store.values import PLAIN, found_in, is_native
from taxietl.replacing import replacing

MARK = "parquet:"
"""What a kept result begins with that names such files; no JSON does."""

_KINDS = {"pandas": ("DataFrame", "Series"), "pyarrow": ("Table", "RecordBatch")}
_DESCRIPTION = b"taxietl"
"""Under which a file says what is in it."""


def kinds() -> dict[type, str]:
    """The classes of frames there are now: who has no pandas yet has no DataFrame either."""
    return {
        getattr(sys.modules[package], name): name
        for package, names in _KINDS.items()
        if package in sys.modules
        for name in names
        if hasattr(sys.modules[package], name)  # it may be just being imported
    }


def kind_of(value: object) -> str | None:
    """What a frame is called, itself and no instance of a subclass; None for all else."""
    return kinds().get(type(value)) if _may_be() else None


def are_in(value: object) -> bool:
    """The value is a frame, or holds one at any depth."""
    return _may_be() and type(value) not in PLAIN and bool(found_in([value], tuple(kinds())))


def _may_be() -> bool:
    """There may be frames; as a rule there are none, and every result is asked for some."""
    return "pandas" in sys.modules or "pyarrow" in sys.modules


def write(value: Any, path: Path) -> None:
    """Write a frame into that file, in place of what is there.

    Raises:
        ValueError: it does not come back from Parquet as it was; says why in one line.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if kind_of(value) is None:
        raise ValueError(f"a {type(value).__name__} would come back as the class it is made of")
    path.parent.mkdir(parents=True, exist_ok=True)
    table, description = _taken_apart(value)
    attrs = getattr(value, "attrs", {})
    if not is_native(attrs):
        raise ValueError("its attrs hold more than JSON's types; empty them")
    schema = base64.b64encode(table.schema.serialize().to_pybytes()).decode()
    whole = {"description": description, "attrs": attrs, "schema": schema}
    noted = table.replace_schema_metadata({_DESCRIPTION: json.dumps(whole)})
    try:
        with replacing(path) as part:
            pq.write_table(noted, part, compression="zstd")
            if digest(_read(part)) != _digest(table, description):
                raise ValueError("it does not come back from Parquet as it was")
    except (pa.ArrowException, TypeError) as error:
        raise ValueError(_why_not(value, table) or str(error).splitlines()[0]) from error


def read(path: Path) -> Any:
    """The frame that `write` wrote; ValueError if it cannot be read."""
    try:
        return _read(path)
    except (OSError, ImportError, KeyError, TypeError) as error:
        raise ValueError(str(error)) from error


def digest(value: Any) -> str | None:
    """What tells a frame from others; None if it is none, or nothing can tell it."""
    if kind_of(value) is None:
        return None
    import pyarrow as pa

    try:
        return _digest(*_taken_apart(value))
    except (ValueError, TypeError, pa.ArrowException):
        return None


def _digest(table: Any, description: dict[str, Any]) -> str:
    made = hashlib.sha256(json.dumps(description).encode())
    made.update(table.schema.serialize())
    for column in table.columns:
        _add(made, column)
    return made.hexdigest()


def _add(made: Any, column: Any) -> None:
    """Add what a column holds, however its memory is laid out: not what lies where nothing is."""
    import pyarrow as pa

    array = column.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_string_view(array.type) or pa.types.is_binary_view(array.type):
        array = array.cast(pa.large_binary())
    if array.null_count:
        made.update(array.is_valid().cast(pa.uint8()).buffers()[1])
        array = array.drop_null()
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.uint8())
    made.update(len(array).to_bytes(8))
    made.update(pa.RecordBatch.from_arrays([array], ["0"]).serialize())


def _taken_apart(value: Any) -> tuple[Any, dict[str, Any]]:
    """A frame as a table whose columns have numbers for names, and what it is."""
    kind = kind_of(value)
    if kind in _KINDS["pyarrow"]:
        import pyarrow as pa

        names = list(map(str, range(value.num_columns)))
        table = pa.Table.from_arrays(value.columns, names)
        schema = base64.b64encode(value.schema.serialize().to_pybytes()).decode()
        return table, {"is": kind, "schema": schema}
    from taxietl.orchestrator.store.pandas_arrow import to_arrow

    table, description = to_arrow(value)
    return table, {"is": kind, **description}


def _read(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path, memory_map=False)
    whole = json.loads(table.schema.metadata[_DESCRIPTION])
    schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(whole["schema"])))
    table = table.cast(schema)  # Parquet has no seconds, for one
    description = whole["description"]
    if description["is"] in _KINDS["pyarrow"]:
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(description["schema"])))
        table = pa.Table.from_arrays(table.columns, schema=schema)
        if description["is"] == "Table":
            return table
        arrays = [each.combine_chunks() for each in table.columns]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)
    from taxietl.orchestrator.store.pandas_arrow import from_arrow

    frame = from_arrow(table, description)
    frame.attrs = whole["attrs"]
    return frame


def _why_not(value: Any, table: Any) -> str:
    """Which column Parquet cannot hold, of those that it refused."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for number, column in enumerate(table.columns):
        try:
            pq.write_table(pa.table({"0": column}), io.BytesIO())
        except (pa.ArrowException, TypeError):
            names = value.schema.names if hasattr(value, "schema") else value.columns
            return f"column {names[number]!r} is of type {column.type}"
    return ""
