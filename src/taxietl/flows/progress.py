"""How far months are: kept in the history, and shown by whoever shows something.

Each step that takes long tells of itself once, here.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from taxietl.steps.protocols import Progress
from taxietl.tlc.trip_file import TripFile

if TYPE_CHECKING:
    import pyarrow as pa

Result = TypeVar("Result")


class Doing(StrEnum):
    """What is being done with a month, and what it is counted in."""

    FETCHING = "fetching"
    LOADING = "loading"
    UPLOADING = "uploading"
    GENERATING = "generating"

    @property
    def unit(self) -> str:
        """`bytes` of what travels, else `rows`."""
        return "bytes" if self in (Doing.FETCHING, Doing.UPLOADING) else "rows"


@dataclass(frozen=True)
class Moved:
    """How far one step with a month is."""

    doing: Doing
    done: int
    total: int | None = None
    """None if nobody knows."""


class Watcher:
    """What a command shows of months; called from the threads that work on them.

    Whoever shows something overrides what it needs.
    """

    def expected(self, count: int) -> None:
        """So many months are to be done, one after the other or side by side."""

    def began(self, trip_file: TripFile) -> None:
        """One of several months is under way."""

    def moved(self, trip_file: TripFile, moved: Moved) -> None:
        """A step with it is so far."""

    def ended(self, trip_file: TripFile) -> None:
        """That step is over, whether or not it came to its end."""

    def finished(self, trip_file: TripFile, report: Any, error: Any) -> None:
        """One of several months has ended, with the one or the other."""


_watchers: list[Watcher] = [Watcher()]


def watcher() -> Watcher:
    """The one to tell."""
    return _watchers[-1]


@contextmanager
def watched_by(watcher: Watcher | None) -> Iterator[None]:
    """While the block runs, tell it of every month of this process; None is told nothing."""
    if watcher is None:
        yield
        return
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


@contextmanager
def told(trip_file: TripFile, doing: Doing) -> Iterator[Progress]:
    """What a step calls, from any thread, with how much is done and is to be done."""
    from taxietl.orchestrator.run.progress import current_progress  # SQLite, for no --help

    shown, kept = watcher(), current_progress()

    def tell(done: int, total: int | None) -> None:
        kept(done, total, unit=doing.unit)
        shown.moved(trip_file, Moved(doing, done, total))

    try:
        yield tell
    finally:
        shown.ended(trip_file)


def counted(
    trip_file: TripFile, batches: Generator[pa.RecordBatch, None, Result], total: int | None
) -> Generator[pa.RecordBatch, None, Result]:
    """The batches, their rows told as they pass; of so many, if that is known."""
    rows = 0
    with closing(batches), told(trip_file, Doing.LOADING) as tell:
        while True:
            try:
                batch = next(batches)
            except StopIteration as end:
                result: Result = end.value
                return result
            rows += batch.num_rows
            tell(rows, total)
            yield batch
