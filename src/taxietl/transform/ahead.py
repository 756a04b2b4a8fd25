"""Let stages work at once: run an iterator, or a function over one, some items ahead.

Queues are bounded, so memory is too. Closing the consumer's side stops the other.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_DONE = object()


def ahead(items: Iterable[Item], *, depth: int) -> Generator[Item, None, None]:
    """Yield the items, up to `depth` of them made beforehand by a thread of their own."""
    waiting: queue.Queue[object] = queue.Queue(depth)
    stopped = threading.Event()
    failure: list[BaseException] = []

    def fill() -> None:
        try:
            for item in items:
                if not _put(waiting, item, stopped):
                    return
        except BaseException as error:  # noqa: BLE001  raised again by the consumer
            failure.append(error)
        _put(waiting, _DONE, stopped)

    thread = threading.Thread(target=fill, name="taxietl-ahead", daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not _DONE:
            yield item  # type: ignore[misc]
        if failure:
            raise failure[0]
    finally:
        stopped.set()
        thread.join()


def _put(waiting: queue.Queue[object], item: object, stopped: threading.Event) -> bool:
    """Put unless the consumer has gone; False then."""
    while not stopped.is_set():
        try:
            waiting.put(item, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], *, threads: int, depth: int
) -> Generator[Result, None, None]:
    """Yield the function of each item in order, computed by threads up to `depth` items ahead.

    What is ready is yielded before the next item is asked for.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="taxietl-parse") as pool:
        pending: deque[Future[Result]] = deque()
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) > depth or pending[0].done():
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
