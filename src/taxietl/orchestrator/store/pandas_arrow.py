"""A DataFrame as an Arrow table and back: dtypes, index and labels as they were, or not at all.

The table's columns have numbers for names; a description, made of JSON's types, says what they
are. Arrow's own way (`Table.from_pandas`) turns labels into text, and loses the units of times,
categories that are no text, objects, and which kind of nothing is missing.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np  # noqa: TID253  this module is loaded when there is a frame
import pandas as pd  # noqa: TID253
import pyarrow as pa  # noqa: TID253

from taxietl.orchestrator.store.pandas_objects import NoFormError, pack, unpack
from taxietl.orchestrator.store.values import is_native

Description = dict[str, Any]

_MASKED = {f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)} | {
    *("Float32", "Float64", "boolean")
}


def to_arrow(frame: pd.DataFrame | pd.Series) -> tuple[pa.Table, Description]:
    """A frame as numbered columns, and what they are.

    Raises:
        NoFormError: a part of it has no form.
    """
    if isinstance(frame, pd.Series):
        table, description = to_arrow(pd.DataFrame({"": frame}))
        return table, description | {"name": [_name_as_json(frame.name)]}
    packing = _Packing()
    columns = []
    for number, label in enumerate(frame.columns):
        with _named(f"column {label!r}"):
            columns.append(packing.add(frame.iloc[:, number].array))
    with _named("its index"):
        index = packing.add_index(frame.index)
    with _named("the labels of its columns"):
        labels = _apart(frame.columns)
    table = pa.table(dict(zip(map(str, range(len(packing.arrays))), packing.arrays, strict=True)))
    unique = not frame.flags.allows_duplicate_labels
    return table, {"columns": columns, "index": index, "labels": labels, "unique": unique}


def from_arrow(table: pa.Table, description: Description) -> pd.DataFrame | pd.Series:
    """The frame that `to_arrow` took apart."""
    unpacking = _Unpacking(iter(table.columns))
    arrays = [unpacking.array(each) for each in description["columns"]]
    index = unpacking.index(description["index"])
    series = {
        number: pd.Series(each, index=index, dtype=each.dtype, copy=False)
        for number, each in enumerate(arrays)
    }
    frame = pd.DataFrame(series, index=index)
    frame.columns = _from_apart(description["labels"])
    if name := description.get("name"):
        return frame.iloc[:, 0].rename(_name_from_json(name[0]))
    return frame.set_flags(allows_duplicate_labels=False) if description["unique"] else frame


@contextmanager
def _named(part: str) -> Iterator[None]:
    """Whatever Arrow or pandas raises says of which part it is."""
    try:
        yield
    except NoFormError as error:
        raise NoFormError(f"{part} {error}") from error
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        (why, *_) = str(error).splitlines() or [type(error).__name__]
        raise NoFormError(f"{part} has no form in Arrow: {why}") from error


class _Packing:
    """Takes arrays of pandas apart into columns of Arrow."""

    def __init__(self) -> None:
        self.arrays: list[Any] = []

    def add(self, values: Any) -> Description:
        """One array; its columns come after those that there are."""
        if type(values) is pd.arrays.NumpyExtensionArray:  # an array of text is one, too
            values = values.to_numpy()
        dtype = values.dtype
        if isinstance(dtype, np.dtype):
            if dtype.kind == "O":
                columns, description = pack(np.asarray(values, dtype=object))
                self.arrays += columns
                return {"is": "objects"} | description
            if dtype.kind not in "biufmM" or not dtype.isnative:
                raise NoFormError(f"is of type {dtype}")
            return self._added(pa.array(np.asarray(values), from_pandas=False), "numpy")
        if isinstance(dtype, pd.CategoricalDtype):
            apart = _apart(dtype.categories)
            kept = self._added(pa.array(values.codes), "categorical")
            return kept | {"categories": apart, "ordered": dtype.ordered}
        if isinstance(dtype, pd.DatetimeTZDtype):
            zone = str(dtype.tz)
            if pd.DatetimeTZDtype(dtype.unit, zone) != dtype:
                raise NoFormError(f"is in the time zone {zone}")
            plain = pa.array(np.asarray(values.tz_convert("UTC").tz_localize(None)))
            return self._added(plain, "zoned") | {"zone": zone}
        if isinstance(dtype, pd.StringDtype):
            kept = self._added(pa.array(values, pa.large_string()), "string")
            return kept | {"storage": dtype.storage, "is_nan": dtype.na_value is not pd.NA}
        if isinstance(dtype, pd.PeriodDtype):
            return self._added(pa.array(values.asi8), "period") | {"dtype": str(dtype)}
        if isinstance(dtype, pd.IntervalDtype):
            left, right = self.add(values.left.array), self.add(values.right.array)
            return {"is": "interval", "left": left, "right": right, "closed": dtype.closed}
        if isinstance(dtype, pd.ArrowDtype):
            return self._added(pa.chunked_array(values.__arrow_array__()), "arrow")
        if dtype.name in _MASKED:
            return self._added(pa.array(values), "masked") | {"dtype": dtype.name}
        raise NoFormError(f"is of type {dtype}")

    def add_index(self, index: pd.Index) -> Description:
        """An index, or the labels of columns."""
        names = [_name_as_json(each) for each in index.names]
        if type(index) is pd.RangeIndex:
            bounds = [index.start, index.stop, index.step]
            return {"range": bounds, "names": names}
        levels = [self.add(index.get_level_values(each).array) for each in range(index.nlevels)]
        is_timed = isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex))
        return {
            "levels": levels,
            "names": names,
            "freq": index.freqstr if is_timed else None,
            "is_multi": isinstance(index, pd.MultiIndex),
        }

    def _added(self, array: Any, kind: str) -> Description:
        self.arrays.append(array)
        return {"is": kind}


class _Unpacking:
    """Puts arrays of pandas together again, in the order in which they were taken apart."""

    def __init__(self, columns: Iterator[Any]) -> None:
        self._columns = columns

    def array(self, description: Description) -> Any:
        """The next one."""
        match description["is"]:
            case "objects":
                cells = unpack(self._columns, description)
                return pd.Series(cells, dtype=object, copy=False).array
            case "interval":
                left, right = self.array(description["left"]), self.array(description["right"])
                return pd.arrays.IntervalArray.from_arrays(left, right, description["closed"])
        column = next(self._columns)
        match description["is"]:
            case "numpy":
                return _numpy(column)
            case "categorical":
                categories = _from_apart(description["categories"])
                dtype = pd.CategoricalDtype(categories, description["ordered"])
                return pd.Categorical.from_codes(_numpy(column), dtype=dtype)
            case "zoned":
                times = pd.DatetimeIndex(_numpy(column)).tz_localize("UTC")
                return times.tz_convert(description["zone"]).array
            case "string":
                return _string_dtype(description).__from_arrow__(column)
            case "period":
                freq = pd.api.types.pandas_dtype(description["dtype"]).freq
                return pd.PeriodIndex.from_ordinals(_numpy(column), freq=freq).array
            case "arrow":
                return pd.arrays.ArrowExtensionArray(column)
            case _:
                return pd.api.types.pandas_dtype(description["dtype"]).__from_arrow__(column)

    def index(self, description: Description) -> pd.Index:
        """The next index."""
        names = [_name_from_json(each) for each in description["names"]]
        if bounds := description.get("range"):
            return pd.RangeIndex(*bounds, name=names[0])
        levels = []
        for each in description["levels"]:
            array = self.array(each)
            levels.append(pd.Index(array, dtype=array.dtype))
        if description["is_multi"]:
            return pd.MultiIndex.from_arrays(levels, names=names)
        if description["freq"]:
            levels[0] = type(levels[0])(levels[0], freq=description["freq"])
        return levels[0].set_names(names)


def _numpy(column: Any) -> Any:
    return column.to_numpy()


def _string_dtype(description: Description) -> Any:
    nothing = np.nan if description["is_nan"] else pd.NA
    try:
        return pd.StringDtype(description["storage"], nothing)
    except TypeError:  # pandas 2.2
        return pd.StringDtype(description["storage"])


def _apart(index: pd.Index) -> Description:
    """An index that is not as long as the frame: with what it holds in its description."""
    packing = _Packing()
    description = packing.add_index(index)
    sink = pa.BufferOutputStream()
    table = pa.table(dict(zip(map(str, range(len(packing.arrays))), packing.arrays, strict=True)))
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    held = base64.b64encode(sink.getvalue().to_pybytes()).decode()
    return {"index": description, "held": held if packing.arrays else None}


def _from_apart(description: Description) -> pd.Index:
    held = description["held"]
    columns = pa.ipc.open_stream(base64.b64decode(held)).read_all().columns if held else []
    return _Unpacking(iter(columns)).index(description["index"])


def _name_as_json(name: object) -> object:
    """The name of an index; of several levels of columns, that is several."""
    if isinstance(name, tuple) and all(map(is_native, name)):
        return {"tuple": list(name)}
    if is_native(name) and not isinstance(name, dict):
        return name
    raise NoFormError(f"is named {name!r}")


def _name_from_json(name: Any) -> Any:
    return tuple(name["tuple"]) if isinstance(name, dict) else name
