"""Months in a DuckDB file.

`loader` replaces one, which `month` does in a transaction; `tables` makes what it needs, `file`
opens the file and says who holds it, `query` and `contents` read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taxietl.load.duckdb.loader import DuckDBLoader

__all__ = ["DuckDBLoader"]


def __getattr__(name: str) -> Any:
    """The loader loads DuckDB's client, which other modules here may not need."""
    if name != "DuckDBLoader":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from taxietl.load.duckdb.loader import DuckDBLoader

    return DuckDBLoader
