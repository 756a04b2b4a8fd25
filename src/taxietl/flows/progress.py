"""Who is shown how far months are: nobody, unless a command says otherwise."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from taxietl.steps.protocols import Progress, untold
from taxietl.tlc.trip_file import TripFile

if TYPE_CHECKING:
    import pyarrow as pa

Result = TypeVar("Result")


class Watcher:
    """What a command shows of months; called from the threads that work on them.

    Whoever shows something overrides what it needs.
    """

    def expected(self, count: int) -> None:
        """So many months are to be done, one after the other or side by side."""

    def began(self, trip_file: TripFile) -> None:
        """One of several months is under way."""

    def moved(self, trip_file: TripFile, done: int, total: int | None) -> None:
        """So many bytes of it are here, of so many, if that is known."""

    def ended(self, trip_file: TripFile) -> None:
        """No more bytes will come, whether or not they are whole."""

    def counted(self, trip_file: TripFile, rows: int) -> None:
        """So many of its rows have been read."""

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
def told(trip_file: TripFile) -> Iterator[Progress]:
    """What a transfer calls with its bytes."""
    shown = watcher()
    try:
        yield partial(shown.moved, trip_file) if type(shown) is not Watcher else untold
    finally:
        shown.ended(trip_file)


def counted(
    trip_file: TripFile, batches: Generator[pa.RecordBatch, None, Result]
) -> Generator[pa.RecordBatch, None, Result]:
    """The batches, their rows told as they pass."""
    shown = watcher()
    rows = 0
    with closing(batches):
        while True:
            try:
                batch = next(batches)
            except StopIteration as end:
                result: Result = end.value
                return result
            rows += batch.num_rows
            shown.counted(trip_file, rows)
            yield batch
