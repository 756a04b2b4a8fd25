"""Requests that wait for their answers most of the time, several at once.

Their threads are daemons: one whose answer never comes keeps no process from ending, as those of
a `ThreadPoolExecutor` would for as long as the bucket's patience lasts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, InvalidStateError, wait
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

from taxietl.errors import TargetError

T = TypeVar("T")
R = TypeVar("R")

_AT_ONCE = 8
_POLL_SECONDS = 0.2


class Errands:
    """Done in the order they were begun, some at a time."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        self._open: set[Future[Any]] = set()
        self._lock = threading.Lock()
        self._threads = 0
        self._is_stopped = False

    def begin(self, work: Callable[[], R]) -> Future[R]:
        """Have it done; at once, if not too many are under way."""
        future: Future[R] = Future()
        with self._lock:
            if self._is_stopped:
                future.set_exception(_stopped())
                return future
            self._open.add(future)
            if self._threads < _AT_ONCE:
                self._threads += 1
                threading.Thread(target=self._run, name="taxietl-errand", daemon=True).start()
        self._waiting.put((work, future))
        return future

    def stop(self) -> None:
        """Begin nothing more; whoever waits for a result is told so."""
        with self._lock:
            self._is_stopped = True
            for each in self._open:
                with suppress(InvalidStateError):  # done this very moment
                    each.set_exception(_stopped())
            self._open.clear()
            for _ in range(self._threads):
                self._waiting.put(None)

    def _run(self) -> None:
        while (errand := self._waiting.get()) is not None:
            work, future = errand
            if future.done():
                continue
            with suppress(InvalidStateError):  # stopped meanwhile
                try:
                    future.set_result(work())
                except Exception as error:  # noqa: BLE001  raised where the result is asked for
                    future.set_exception(error)
            with self._lock:
                self._open.discard(future)


def all_of(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """The results, in the items' order."""
    errands = Errands()
    try:
        return [result(each) for each in [errands.begin(partial(work, item)) for item in items]]
    finally:
        errands.stop()


def result(future: Future[R]) -> R:
    """Wait for it, and hear Ctrl-C meanwhile."""
    # A signal that comes just before a wait without end would be heard only after it.
    while not future.done():
        wait([future], timeout=_POLL_SECONDS)
    return future.result()


def _stopped() -> TargetError:
    return TargetError("Reading was stopped.", hint="Run it again.")
