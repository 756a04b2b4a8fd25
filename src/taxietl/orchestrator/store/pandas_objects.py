"""Python objects in a column of pandas, as columns of Arrow and back.

Text, JSON's own types, bytes, arrays of numbers, and what has a text that it can be made from
again; and of which kind what is missing is: None, NaN, NaT or NA.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np  # noqa: TID253  this module is loaded when there is a frame
import pandas as pd  # noqa: TID253
import pyarrow as pa  # noqa: TID253

from taxietl.orchestrator.store.values import is_native

_MISSING = {"None": None, "nan": float("nan"), "NaT": pd.NaT, "NA": pd.NA}
"""What stands in objects where nothing is, by the names that descriptions have for it."""
_TEXTS: dict[type, tuple[Callable[[Any], str], Callable[[str], Any]]] = {
    date: (date.isoformat, date.fromisoformat),
    datetime: (datetime.isoformat, datetime.fromisoformat),
    time: (time.isoformat, time.fromisoformat),
    timedelta: (
        lambda value: str(value // timedelta.resolution),
        lambda text: int(text) * timedelta.resolution,
    ),
    Decimal: (str, Decimal),
    UUID: (str, UUID),
}
"""Objects that are written as text, and read again."""


class NoFormError(ValueError):
    """Some part of a frame has no form in Arrow that comes back as it was; says which, and why."""


def pack(cells: Any) -> tuple[list[Any], dict[str, Any]]:
    """An array of objects as columns of Arrow, and what they are.

    Raises:
        NoFormError: an object has no form that it can be made from again.
    """
    gaps = pd.isna(cells)
    found = [_missing_name(each) for each in cells[gaps]]
    columns, kinds = [], sorted(set(found))
    present = list(cells[~gaps])
    if len(kinds) > 1:  # where there is nothing, of which kind it is
        which = np.full(len(cells), -1, dtype="int8")
        which[gaps] = [kinds.index(each) for each in found]
        columns.append(pa.array(which))
    form, texts = _as_texts(present)
    wanted = cells.copy()
    wanted[~gaps] = _as_array(texts)
    kind = {"bytes": pa.large_binary(), "arrays": None}.get(form, pa.large_string())
    array = pa.array(wanted, kind, mask=gaps)
    return [*columns, array], {"form": form, "missing": kinds}


def unpack(columns: Iterator[Any], description: dict[str, Any]) -> Any:
    """The array of objects that `pack` took apart, from the next columns."""
    missing = [_MISSING[each] for each in description["missing"]]
    which = next(columns).to_numpy() if len(missing) > 1 else None
    column, form = next(columns), description["form"]
    reads = {kind.__name__: read for kind, (_, read) in _TEXTS.items()}
    read = reads.get(form, json.loads)
    cells = column.to_numpy()
    if form not in ("str", "bytes", "arrays"):
        cells = _as_array(None if each is None else read(each) for each in cells)
    gaps = column.is_null().to_numpy()
    if which is not None:
        cells[gaps] = _as_array([missing[each] for each in which[gaps]])
    elif missing:
        cells[gaps] = missing[0]
    return cells


def _as_texts(present: list[Any]) -> tuple[str, list[Any]]:
    """The form of objects, and themselves as texts; bytes and arrays of numbers stay."""
    kinds = set(map(type, present))
    if kinds <= {str}:
        return "str", present
    if all(map(is_native, present)):
        return "json", [json.dumps(each) for each in present]
    (kind, *others) = kinds
    if not others and kind in _TEXTS and not any(getattr(each, "tzinfo", None) for each in present):
        return kind.__name__, [_TEXTS[kind][0](each) for each in present]
    if not others and kind is bytes:
        return "bytes", present
    if not others and kind is np.ndarray:
        dtypes = {(each.dtype, each.ndim) for each in present}
        if len(dtypes) == 1 and dtypes.pop()[0].kind in "biuf" and present[0].ndim == 1:
            return "arrays", present
    names = sorted(each.__name__ for each in kinds)
    raise NoFormError(f"holds objects of type {' and '.join(names)}")


def _as_array(objects: Iterable[Any]) -> Any:
    """An array of objects, one of lists, too."""
    return np.fromiter(objects, dtype=object)


def _missing_name(value: object) -> str:
    if type(value) is float:
        return "nan"
    for name, each in _MISSING.items():
        if value is each:
            return name
    raise NoFormError(f"holds {value!r} of type {type(value).__name__}")
