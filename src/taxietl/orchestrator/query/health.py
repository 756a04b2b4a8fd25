"""What can be said of a home and its history without leaving a trace there (see `glance.py`)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from taxietl.errors import TargetError
from taxietl.filelock import is_locked
from taxietl.orchestrator.query.glance import looked_at
from taxietl.orchestrator.store.database import (
    HISTORY,
    Layout,
    damaged,
    plain_error,
    refuse_newer,
)
from taxietl.orchestrator.store.liveness import is_alive
from taxietl.orchestrator.store.rows import when
from taxietl.orchestrator.store.schema import OPEN, version_of
from taxietl.orchestrator.store.tickets import LAYOUT as QUEUE

FILES = (HISTORY, QUEUE)


@dataclass(frozen=True)
class Runs:
    """The runs of a history, as far as a check asks."""

    count: int
    newest_at: datetime | None
    """When the newest began, by the clock of its machine."""
    alive: tuple[tuple[str, int], ...]
    """The names of top-level runs in progress, and their processes."""
    dead: tuple[str, ...]
    """The names of those whose process is gone, which the next command will mark as crashed."""


def schema_of(home: Path, layout: Layout) -> int | None:
    """How many steps a file of the home has taken; None if it is not there.

    Raises:
        TargetError: it is damaged.
        ConfigError: a newer taxietl wrote it, or it cannot be read.
    """
    file = home / layout.file_name
    if not file.is_file():
        return None
    try:
        with looked_at(file) as connection:
            version = version_of(connection)
            said = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
    except sqlite3.Error as error:
        raise plain_error(error, file, layout.what) from error
    if said != ["ok"]:
        raise damaged(file, layout.what, "; ".join(said))
    refuse_newer(file, layout, version)
    return version


def runs_of(home: Path) -> Runs:
    """What ran in a home, and what still does; call it of a history that is whole.

    Raises:
        TargetError: it cannot be read.
    """
    file = home / HISTORY.file_name
    try:
        with looked_at(file) as connection:
            ((count, newest),) = connection.execute("SELECT COUNT(*), MAX(created_at) FROM runs")
            open_roots = connection.execute(
                "SELECT id, name, pid FROM runs WHERE id IN "  # noqa: S608  a text of ours
                f"(SELECT root_id FROM runs WHERE {OPEN}) ORDER BY rowid"
            ).fetchall()
    except sqlite3.Error as error:
        raise plain_error(error, file, HISTORY.what) from error
    alive = {id_: is_alive(home, id_) for id_, _, _ in open_roots}
    return Runs(
        count,
        when(newest) if newest else None,
        tuple((name, pid) for id_, name, pid in open_roots if alive[id_]),
        tuple(name for id_, name, _ in open_roots if not alive[id_]),
    )


def run_of_process(home: Path, pid: int) -> str | None:
    """The name of the run that a process carries out, if the history knows of one."""
    if not (home / HISTORY.file_name).is_file():
        return None
    try:
        return next((name for name, each in runs_of(home).alive if each == pid), None)
    except TargetError:  # that is told by the check of the history
        return None


def idle_locks(home: Path) -> list[Path]:
    """Lock files of runs that nobody holds; the next command removes them."""
    return [each for each in sorted((home / "runs").glob("*.lock")) if not is_locked(each)]


def is_in_use(file: Path) -> bool:
    """Whether a process holds the lock on a file, such as a download on its way."""
    return is_locked(file)
