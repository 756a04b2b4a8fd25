"""Open a DuckDB file, and say in words why it cannot be.

One process at a time owns a DuckDB file, readers included: another one waits a little, then gives
up with exit code 75. Within this process the threads take turns, so that two loads of one month
cannot run at once.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb  # noqa: TID253  imported only where a DuckDB file is used

from taxietl.errors import TargetError, TaxietlError, WarehouseBusyError
from taxietl.load.duckdb.ctrl_c import heard_ctrl_c
from taxietl.load.duckdb.new_file import make_file

PATIENCE_SECONDS = 5.0
"""How long to wait for another process to let go of the file."""

_POLL_SECONDS = 0.1

ONE_TRY_SECONDS = _POLL_SECONDS
"""The patience of who has somewhere else to look."""

_HOLDER = re.compile(r"\(PID (\d+)\)")
_FULL = ("No space left", "File too large", "Disk quota exceeded", "could not write all")

_turns: dict[Path, threading.RLock] = {}
_turns_lock = threading.Lock()


@contextmanager
def opened(
    path: Path,
    *,
    read_only: bool,
    memory_limit: str,
    check: Callable[[], None] = lambda: None,
    sleep: Callable[[float], None] = time.sleep,
    patience_seconds: float | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the file, closed at the end; DuckDB's errors come out as ours.

    Args:
        path: the file; made unless `read_only`.
        memory_limit: of DuckDB's own buffers, as it writes it, `400MB`; more is spilt to disk.
        check: called while waiting for the file; raises when the run is to stop.
        sleep: how to wait.
        patience_seconds: how long, for another process to let go of the file; None for as long
            as anybody waits.

    Raises:
        WarehouseBusyError: another process has it.
        TargetError: it cannot be opened, written, or is no DuckDB file.
    """
    with _turn(path, check), translated(path):
        patience = PATIENCE_SECONDS if patience_seconds is None else patience_seconds
        connection = _connected(path, read_only, check, sleep, patience)
        try:
            connection.execute(f"SET memory_limit = '{memory_limit}'")
            hide_progress(connection)
            with heard_ctrl_c(connection.interrupt):
                yield connection
        finally:
            connection.close()


def hide_progress(connection: duckdb.DuckDBPyConnection) -> None:
    """Have no bar drawn on stdout, where results go, from a query's second second on."""
    # In a notebook without ipywidgets there is none, and DuckDB refuses to have it set.
    ((is_drawn,),) = connection.execute("SELECT current_setting('enable_progress_bar')").fetchall()
    if is_drawn:
        connection.execute("SET enable_progress_bar = false")


@contextmanager
def _turn(path: Path, check: Callable[[], None]) -> Iterator[None]:
    """Keep other threads of this process out; the file's own lock knows only processes."""
    with _turns_lock:
        lock = _turns.setdefault(path.resolve(), threading.RLock())
    while not lock.acquire(timeout=_POLL_SECONDS):
        check()
    try:
        yield
    finally:
        lock.release()


def _connected(
    path: Path,
    read_only: bool,
    check: Callable[[], None],
    sleep: Callable[[float], None],
    patience_seconds: float,
) -> duckdb.DuckDBPyConnection:
    pid = None
    for _ in range(round(patience_seconds / _POLL_SECONDS)):
        if not _is_being_made(path):
            try:
                if not read_only and not path.exists():
                    make_file(path)
                return duckdb.connect(str(path), read_only=read_only)
            except duckdb.IOException as error:
                if "Could not set lock" not in str(error):
                    raise
                holder = _HOLDER.search(str(error))
                pid = int(holder[1]) if holder else None
            except duckdb.ConnectionException as error:
                if "different configuration" not in str(error):
                    raise
                pid = os.getpid()  # a connection of the user's own flow, in this process
        check()
        sleep(_POLL_SECONDS)
    if not _is_being_made(path):
        raise WarehouseBusyError(f"The DuckDB file {path}", pid)
    if read_only:
        raise TargetError(
            f"{path} is empty: whoever made it did not finish.",
            hint="Load a month into it, or delete it.",
        )
    _finish(path)
    return duckdb.connect(str(path))


def _finish(path: Path) -> None:
    """Make a database of a file that was left empty: its maker was killed before the first byte.

    In place and under the lock that DuckDB itself takes: a file put in its place could be lost to
    another process that has the empty one open.

    Raises:
        TargetError: somebody holds the file.
    """
    with tempfile.TemporaryDirectory(prefix=f"{path.name}.", dir=path.parent) as folder:
        new = Path(folder) / "new.duckdb"
        make_file(new)
        with path.open("r+b") as file:
            if not _locked(file.fileno()):
                raise WarehouseBusyError(f"The DuckDB file {path}", None)
            if not os.fstat(file.fileno()).st_size:
                file.write(new.read_bytes())
                file.flush()
                os.fsync(file.fileno())


def _locked(descriptor: int) -> bool:
    """Whether the file could be locked until it is closed."""
    try:
        import fcntl
    except ImportError:  # Windows lets nobody open what DuckDB has open
        return True
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_being_made(path: Path) -> bool:
    """Whether the file is still empty.

    Raises:
        TargetError: it is a file of another kind. DuckDB would go and fetch an extension from
            the internet for some, SQLite's for one.
    """
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        raise TargetError(
            f"The DuckDB file {path} cannot be read: {error.strerror}.",
            hint="Check its owner and its mode.",
        ) from error
    # Source: DuckDB, "Storage Versions and Format": the magic bytes follow a checksum of 8.
    if head and head[8:] != b"DUCK":
        raise TargetError(
            f"{path} is not a DuckDB database.",
            hint="It was made by something else and is left alone. "
            "Name another `path` in the profile.",
        )
    return not head


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn DuckDB's errors into ours, which say what to do."""
    try:
        yield
    except duckdb.Error as error:
        raise meant(path, error) from error


def meant(path: Path, error: Exception) -> TaxietlError:
    """What an error of DuckDB's means; by its words, since Arrow readers lose its class."""
    text = str(error)
    first = text.splitlines()[0].rstrip(".") if text else type(error).__name__
    if any(words in text for words in _FULL):
        return TargetError(
            f"The disk of {path} is full.",
            hint="Make room and run again; what was loaded before is as it was.",
        )
    if "Trying to read a database file with version" in text:
        return TargetError(
            f"{path} was written by another version of DuckDB than {duckdb.__version__}.",
            hint="Install the package duckdb in that version, or name another `path`.",
        )
    if text.startswith("Out of Memory"):
        return TargetError(
            f"DuckDB needs more memory for {path} than it may use: {first}.",
            hint='Raise `memory_limit` in the profile, for instance to "1GB".',
        )
    if text.startswith("IO Error"):
        return TargetError(
            f"The DuckDB file {path} cannot be used: {first.removeprefix('IO Error: ')}.",
            hint="Check that its folder exists and that you may write there.",
        )
    return TargetError(
        f"DuckDB refused on {path}: {first}.", hint="Run with --debug for the details."
    )
