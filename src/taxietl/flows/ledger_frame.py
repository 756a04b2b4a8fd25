"""A warehouse's ledger as a pandas frame, each column of the type that it is in the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from taxietl.load.ledger import COLUMNS
from taxietl.steps.protocols import Loader
from taxietl.steps.warehouse import LedgerQuery

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

    rows = loader.ledger(LedgerQuery(colors=tuple(colors), superseded=superseded))
    frame = pd.DataFrame(rows, columns=list(COLUMNS), dtype="object")
    for name, sql_type in COLUMNS.items():
        if sql_type.startswith("JSON"):
            frame[name] = frame[name].map(_taken_apart)
        frame[name] = frame[name].astype(_dtype(sql_type))
    return frame


def _taken_apart(cell: Any) -> Any:
    return json.loads(cell) if isinstance(cell, str) else cell


def _dtype(sql_type: str) -> str:
    return _DTYPES[max((each for each in _DTYPES if sql_type.startswith(each)), key=len)]
