"""A warehouse's ledger as a pandas frame, each column of the type that it is in the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from taxietl.errors import NoWarehouseError
from taxietl.flows.ledger_rows import asked, has_ledger
from taxietl.load.ledger import COLUMNS, LOADS, MONTHS
from taxietl.load.sql import literal
from taxietl.steps.protocols import Loader

if TYPE_CHECKING:
    import pandas as pd

_DTYPES = {
    "TEXT": "string",
    "BIGINT": "Int64",
    "BIGINT NOT NULL": "int64",
    "DATE": "datetime64[us]",
    "TIMESTAMP": "datetime64[us, UTC]",
    "JSON": "object",
}
"""By the longest beginning of the ledger's own type."""


def ledger_frame(loader: Loader, colors: Iterable[str], *, superseded: bool) -> pd.DataFrame:
    """Its rows of these colours, by colour, month and time; none if nothing was ever loaded.

    Args:
        superseded: those of loads that were replaced or dropped since, too.
    """
    import pandas as pd

    rows = _rows(loader, LOADS if superseded else MONTHS, colors)
    frame = pd.DataFrame(rows, columns=list(COLUMNS), dtype="object")
    for name, sql_type in COLUMNS.items():
        if sql_type.startswith("JSON"):
            frame[name] = frame[name].map(_taken_apart)
        frame[name] = frame[name].astype(_dtype(sql_type))
    return frame


def _rows(loader: Loader, table: str, colors: Iterable[str]) -> list[tuple[Any, ...]]:
    try:
        if not has_ledger(loader):
            return []
    except NoWarehouseError:
        return []
    return asked(
        loader,
        f"SELECT {', '.join(COLUMNS)} FROM {table} "  # noqa: S608  names of ours, and literals
        f"WHERE color IN ({', '.join(map(literal, colors))}) "
        "ORDER BY color, source_month, loaded_at",
    )


def _taken_apart(cell: Any) -> Any:
    return json.loads(cell) if isinstance(cell, str) else cell


def _dtype(sql_type: str) -> str:
    return _DTYPES[max((each for each in _DTYPES if sql_type.startswith(each)), key=len)]
