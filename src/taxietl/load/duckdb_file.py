"""Open a DuckDB file, and say in words why it cannot be.

One process at a time owns a DuckDB file, readers included: another one waits a little, then gives
up with exit code 75.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb  # noqa: TID253  imported only where a DuckDB file is used

from taxietl.errors import TargetError, TaxietlError, WarehouseBusyError

PATIENCE_SECONDS = 5.0
"""How long to wait for another process to let go of the file."""

MEMORY_LIMIT = "400MB"
"""Of DuckDB's own buffers, unless the profile says otherwise; more is spilt beside the file."""

_HOLDER = re.compile(r"\(PID (\d+)\)")


@contextmanager
def opened(
    path: Path,
    *,
    read_only: bool,
    memory_limit: str | None = None,
    check: Callable[[], None] = lambda: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the file, closed at the end; DuckDB's errors come out as ours.

    Args:
        path: the file; made unless `read_only`.
        memory_limit: as DuckDB writes it, `400MB`.
        check: called while waiting for the file; raises when the run is to stop.
        sleep: how to wait.

    Raises:
        WarehouseBusyError: another process has it.
        TargetError: it cannot be opened, written, or is no DuckDB file.
    """
    with translated(path):
        connection = _connected(path, read_only, check, sleep)
        try:
            connection.execute(f"SET memory_limit = '{memory_limit or MEMORY_LIMIT}'")
            yield connection
        finally:
            connection.close()


def _connected(
    path: Path, read_only: bool, check: Callable[[], None], sleep: Callable[[float], None]
) -> duckdb.DuckDBPyConnection:
    for _ in range(int(PATIENCE_SECONDS / 0.1)):
        try:
            return duckdb.connect(str(path), read_only=read_only)
        except duckdb.IOException as error:
            if "Could not set lock" not in str(error):
                raise
            holder = _HOLDER.search(str(error))
        check()
        sleep(0.1)
    raise WarehouseBusyError(f"The DuckDB file {path}", int(holder[1]) if holder else None)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn DuckDB's errors into ours, which say what to do."""
    try:
        yield
    except duckdb.Error as error:
        raise _meant(path, error) from error


def _meant(path: Path, error: duckdb.Error) -> TaxietlError:
    text = str(error)
    first = text.splitlines()[0]
    if "No space left" in text or "File too large" in text or "could not write all" in text.lower():
        return TargetError(
            f"The disk of {path} is full.", hint="Make room and run again; the file is as it was."
        )
    if "not a valid DuckDB database" in text:
        return TargetError(
            f"{path} is not a DuckDB database.",
            hint="It was made by something else and is left alone. Name another `path` in the profile.",
        )
    if "newer version" in text or "storage version" in text.lower():
        return TargetError(
            f"{path} was written by another version of DuckDB than {duckdb.__version__}.",
            hint="Upgrade the package duckdb, or name another `path` in the profile.",
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return TargetError(
            f"DuckDB needs more memory for {path} than it may use: {first}.",
            hint='Raise `memory_limit` in the profile, for instance to "1GB".',
        )
    if isinstance(error, duckdb.IOException):
        return TargetError(
            f"The DuckDB file {path} cannot be used: {first}.",
            hint="Check that its folder exists and that you may write there.",
        )
    return TargetError(
        f"DuckDB refused on {path}: {first}.", hint="Run with --debug for the details."
    )
