"""See whether months can be loaded into a DuckDB file; changes nothing, makes nothing."""

from __future__ import annotations

import os
from pathlib import Path

from taxietl.errors import TargetError
from taxietl.load.duckdb.file import opened
from taxietl.load.places import check_can_be_made

CHECK_MEMORY = "100MB"
CHECK_PATIENCE_SECONDS = 0.5
"""Who has the file is what a check is to say, and soon."""


def check(path: Path, memory_limit: str | None) -> str:
    """Open the file if it is there; returns what it is, or that a load will make it.

    Raises:
        WarehouseBusyError: another process has it.
        TargetError: it is no DuckDB file, or cannot be opened, written or made.
    """
    if not path.exists():
        check_can_be_made(path)
        return f"There is no {path} yet; the first load makes it."
    with opened(
        path,
        read_only=True,
        memory_limit=memory_limit or CHECK_MEMORY,
        patience_seconds=CHECK_PATIENCE_SECONDS,
    ) as connection:
        version = connection.execute("SELECT version()").fetchall()[0][0]
    # DuckDB keeps its log beside the file, so a load writes to the folder too.
    for place in (path, path.parent):
        if not os.access(place, os.W_OK):
            raise TargetError(
                f"{path} can be read, but this user may not write to {place}.",
                hint="Check its owner and its mode, or name another `path` in the profile.",
            )
    return f"DuckDB file {path} opens with DuckDB {version}."
