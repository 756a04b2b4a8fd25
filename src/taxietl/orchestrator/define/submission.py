"""Have calls made by the threads of a run, each once what it depends on has ended.

Until then a submitted call occupies no thread. What the threads are is in `pool.py`.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from taxietl.errors import ConfigError
from taxietl.orchestrator.define.context import RunScope, TaskScope, scope
from taxietl.orchestrator.define.futures import Future


def submitting_run(name: str, method: str) -> RunScope:
    """The run to submit in; ConfigError in a task, outside any flow, or when it is over."""
    current = scope.get()
    if isinstance(current, RunScope):
        if current.has_ended:  # a thread that the flow's code began, and did not wait for
            raise ConfigError(
                f"{name}.{method}() was called after the end of its run {current.name!r}.",
                hint="Wait for threads of your own before the flow returns.",
            )
        return current
    where = f"in the task run {current.name!r}" if current else "outside any flow"
    raise ConfigError(
        f"{name}.{method}() was called {where}; only a flow's own code can submit.",
        hint=f"Call it here: {name}(…). Or move the .{method}() into a flow.",
    )


class Call(Protocol):
    """A call that can be submitted; see `task_runs.py` and `subflow_runs.py`."""

    task_run: TaskScope
    """The task run it is, or the subflow's place."""
    upstreams: Sequence[Future[Any]]

    def announce(self, *, submitted: bool) -> None:
        """Store it as pending."""

    def run(self) -> Any:
        """Make it, and store how it ended; gives what it returned."""


def submit(call: Call) -> Future[Any]:
    """Have a call made by the run's threads, as soon as its upstreams have ended.

    Raises:
        ConfigError: an upstream cannot end before the code that submits.
    """
    run = call.task_run.run
    future = Future[Any](call.task_run, call.upstreams)
    call.task_run.call = future
    call.announce(submitted=True)
    run.futures.append(future)
    context = contextvars.copy_context()

    def make() -> None:
        try:
            value = context.run(call.run)
        except BaseException as error:  # noqa: BLE001 - raised again by `result`
            future.end(None, error)
        else:
            future.end(value, None)

    _when_all_ended(call.upstreams, lambda: run.pool.put(make, depth=future.depth()))
    return future


def join(run: RunScope) -> None:
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
