"""Have calls made by the threads of a run, each once what it depends on has ended.

Until then a submitted call occupies no thread. What the threads are is in `pool.py`.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from taxietl.orchestrator.define.futures import Future, within
from taxietl.orchestrator.store.states import StateName

if TYPE_CHECKING:
    from taxietl.orchestrator.run.open_runs import OpenRun, OpenTaskRun


def submit(
    task_run: OpenTaskRun, upstreams: Sequence[Future[Any]], make: Callable[[], Any]
) -> Future[Any]:
    """Have a call made by the run's threads, as soon as its upstreams have ended.

    Args:
        task_run: the call, not stored yet.
        upstreams: what it depends on.
        make: makes it, and stores how it ended; gives what it returned.

    Raises:
        ConfigError: an upstream cannot end before the code that submits.
    """
    run = task_run.run
    future = Future[Any](task_run, upstreams)
    task_run.store(StateName.PENDING, submitted=True)
    run.futures.append(future)
    context = contextvars.copy_context()
    context.run(within.set, future)

    def work() -> None:
        try:
            value = context.run(make)
        except BaseException as error:  # noqa: BLE001 - raised again by `result`
            future.end(None, error)
        else:
            future.end(value, None)

    _when_all_ended(upstreams, lambda: run.pool.put(work, depth=future.depth()))
    return future


def join(run: OpenRun) -> None:
    """Wait for all that the run's body has submitted."""
    with run.pool.aside():
        for future in run.futures:
            ended = threading.Event()
            future.when_ended(ended.set)
            ended.wait()
    run.has_ended = True


def _when_all_ended(upstreams: Sequence[Future[Any]], proceed: Callable[[], None]) -> None:
    """Call that once all have ended, in the thread that ends the last."""
    count = len(upstreams) + 1
    lock = threading.Lock()

    def one_less() -> None:
        nonlocal count
        with lock:
            count -= 1
            if count:
                return
        proceed()

    for each in upstreams:
        each.when_ended(one_less)
    one_less()
