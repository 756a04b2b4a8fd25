"""`prefect.futures`: waiting for several of them."""

from __future__ import annotations

import functools
import queue
import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

from taxietl.orchestrator import Future as PrefectFuture
from taxietl.orchestrator import FutureList as PrefectFutureList

__all__ = ["PrefectFuture", "PrefectFutureList", "as_completed", "wait"]

R = TypeVar("R")

_LOOK_SECONDS = 0.05


class DoneAndNotDone(NamedTuple):
    """Futures that have ended, and those that have not."""

    done: set[PrefectFuture[Any]]
    not_done: set[PrefectFuture[Any]]


def wait(futures: Iterable[PrefectFuture[Any]], timeout: float | None = None) -> DoneAndNotDone:
    """Wait until all have ended, or that many seconds."""
    given = list(futures)
    ended = [end is not None for end in PrefectFutureList(given).wait(timeout)]
    done = {each for each, has_ended in zip(given, ended, strict=True) if has_ended}
    return DoneAndNotDone(done, set(given) - done)


def as_completed(
    futures: Iterable[PrefectFuture[R]], timeout: float | None = None
) -> Iterator[PrefectFuture[R]]:
    """The futures as they end.

    Raises:
        TimeoutError: not all have ended within that many seconds.
    """
    pending = list(futures)
    until = None if timeout is None else time.monotonic() + timeout
    ended: queue.SimpleQueue[PrefectFuture[R]] = queue.SimpleQueue()
    for future in pending:
        future.when_ended(functools.partial(ended.put, future))
    while pending:
        # Waiting for one of them gives this thread's place away, and ends if the run is to stop.
        while ended.empty():
            pending[0].wait(_LOOK_SECONDS)
            if until is not None and time.monotonic() > until and ended.empty():
                raise TimeoutError(f"{len(pending)} futures have not ended within {timeout} s.")
        future = ended.get()
        pending.remove(future)
        yield future
