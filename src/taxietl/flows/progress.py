"""Who is shown how far a download is: nobody, unless a command says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol

from taxietl.steps.protocols import Progress, untold
from taxietl.tlc.trip_file import TripFile


class Watcher(Protocol):
    """What a command shows of downloads; called from the threads that download."""

    def moved(self, trip_file: TripFile, done: int, total: int | None) -> None:
        """So many bytes are here, of so many, if that is known."""
        ...

    def ended(self, trip_file: TripFile) -> None:
        """No more will be told of it, whether or not it is whole."""
        ...


_watchers: list[Watcher] = []


@contextmanager
def watched_by(watcher: Watcher | None) -> Iterator[None]:
    """While the block runs, tell it of every download of this process; None is told nothing."""
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
    """What a download calls with its bytes."""
    watcher = _watchers[-1] if _watchers else None
    try:
        yield partial(watcher.moved, trip_file) if watcher else untold
    finally:
        if watcher:
            watcher.ended(trip_file)
