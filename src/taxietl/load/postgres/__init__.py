"""Months in PostgreSQL: each a partition, replaced whole.

`loader` replaces one, which `month` does in a transaction, under the locks of `locks`; `copy` sends
the rows; `staging` fills a table over several connections first; `tables`, `partition`, `order` and
`rules` make what stands there; `query` and `contents` read; `errors` says what the server meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taxietl.load.postgres.loader import PostgresLoader

__all__ = ["PostgresLoader"]


def __getattr__(name: str) -> Any:
    """The loader loads psycopg2 and pyarrow, which other modules here may not need."""
    if name != "PostgresLoader":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from taxietl.load.postgres.loader import PostgresLoader

    return PostgresLoader
