"""Keep the main thread free to hear Ctrl-C while a run works in another thread.

Python runs signal handlers in the main thread only, between two of its instructions: a main
thread that sits in a blocking query hears nothing until the query is over. So a top-level run
works in a thread of its own, and its submitted tasks in others. After a first signal, or at the
request of another process (see `stopping.py`), the run is asked to stop; threads that do not come
to a safe point are sent the exception; a run that still does not end is left behind, and the
process with it. Unless that is somebody's session, a notebook's say, and Ctrl-C was pressed there:
what they have in memory is worth more than the wait.
"""

from __future__ import annotations

import contextvars
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Generic, NoReturn, TypeVar

from taxietl.errors import Cancelled
from taxietl.orchestrator.stop.cancellation import Cancellation, interruptible

R = TypeVar("R")

HANDLED = (signal.SIGINT, signal.SIGTERM)
INJECT_AFTER_SECONDS = 1.0
GIVE_UP_AFTER_SECONDS = 5.0
POLL_SECONDS = 0.25
"""How often a run looks whether another process asks it to stop. (And on Windows a waiting main
thread hears no signal until its wait ends.)"""


class _Work(Generic[R]):
    """What the worker thread did: a value or an error, once it ended."""

    def __init__(
        self, body: Callable[[], R], cancellation: Cancellation, ended: Callable[[], None]
    ) -> None:
        self._body, self._cancellation, self._ended = body, cancellation, ended
        self._context = contextvars.copy_context()
        self._values: list[R] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            try:
                with self._cancellation.working():
                    self._values.append(self._context.run(self._body))
            except BaseException as error:  # noqa: BLE001 - raised again by `result`
                self._error = error
        finally:
            self._ended()

    def result(self) -> R:
        if self._error is not None:
            raise self._error
        if not self._values:  # the injected exception struck outside the body
            raise self._cancellation.error()
        return self._values[0]


def supervise(
    body: Callable[[], R],
    cancellation: Cancellation,
    *,
    requested: Callable[[], str | None],
    heard: Callable[[int], None],
    leaving: Callable[[], None],
) -> R:
    """Run `body`, obeying requests to stop, and SIGINT and SIGTERM if this is the main thread.

    Args:
        requested: why another process asks the run to stop; None while none does.
        heard: told of the first signal, once the run has been asked to stop.
        leaving: called last if the body would not end; then the process exits.
    """
    if threading.current_thread() is not threading.main_thread():
        with _watched(requested, cancellation):
            return body()
    events: SimpleQueue[int] = SimpleQueue()  # its put() may be called from a signal handler
    work = _Work(body, cancellation, lambda: events.put(0))
    worker = threading.Thread(target=work.run, name="taxietl-run", daemon=True)
    with _handlers(events.put):
        worker.start()
        _wait(worker, events, cancellation, requested, heard, leaving)
    return work.result()


def _wait(
    worker: threading.Thread,
    events: SimpleQueue[int],
    cancellation: Cancellation,
    requested: Callable[[], str | None],
    heard: Callable[[int], None],
    leaving: Callable[[], None],
) -> None:
    """Wait for the worker to end, taking the steps of the module's description."""
    asked_at: float | None = None
    while worker.is_alive():
        try:
            event = events.get(timeout=POLL_SECONDS if asked_at is None else 0.01)
        except Empty:
            event = None
        if event == 0:
            worker.join()  # that was its last word
            return
        if event is not None:
            if asked_at is not None and may_leave(event):
                _leave(cancellation, leaving)
            asked_at = time.monotonic()
            cancellation.request(f"Stopped by {signal.Signals(event).name}.", signal_number=event)
            heard(event)
        elif asked_at is None and (reason := requested()) is not None:
            asked_at = time.monotonic()
            cancellation.request(reason, signal_number=signal.SIGTERM)
        if asked_at is None:
            continue
        waited = time.monotonic() - asked_at
        if waited > GIVE_UP_AFTER_SECONDS and may_leave(cancellation.signal_number):
            _leave(cancellation, leaving)
        # A thread that has met the request is cleaning up: do not strike into its `finally`.
        if waited > INJECT_AFTER_SECONDS:
            cancellation.is_overdue = True
            for thread in cancellation.unaware():
                strike(thread, cancellation)


def may_leave(signal_number: int) -> bool:
    """Whether the process may be ended where the run does not end by itself."""
    return signal_number != signal.SIGINT or not hasattr(sys, "ps1")


@contextmanager
def _watched(requested: Callable[[], str | None], cancellation: Cancellation) -> Iterator[None]:
    """Look for requests from a thread of its own; a run off the main thread has no other."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(POLL_SECONDS):
            if (reason := requested()) is not None:
                cancellation.request(reason, signal_number=signal.SIGTERM)
                return

    threading.Thread(target=watch, name="taxietl-watch", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def strike(thread: int, cancellation: Cancellation) -> None:
    """Raise `Cancelled` in that thread at its next instruction, if it may be struck there."""

    class Interrupted(Cancelled):
        """Python makes the exception itself, without arguments."""

        def __init__(self) -> None:
            super().__init__(cancellation.reason, signal_number=cancellation.signal_number)

    Interrupted.__name__ = Interrupted.__qualname__ = "Cancelled"
    if not _is_in_users_code(thread):
        return
    cancellation.met(thread)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), ctypes.py_object(Interrupted)
    )


def _is_in_users_code(thread: int) -> bool:
    """The thread is where it may be struck: neither in the engine's work nor in a log handler.

    Those take locks and begin transactions; struck between the taking and the `try`, they would
    never give them back. The answer holds for as long as this thread keeps the interpreter,
    some milliseconds from when it last waited.
    """
    frame = sys._current_frames().get(thread)
    is_leaf = True
    while frame is not None:
        if frame.f_code is interruptible.__code__:
            return not is_leaf
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] == "logging" or module.startswith("taxietl.orchestrator."):
            return False
        frame, is_leaf = frame.f_back, False
    return False


def _leave(cancellation: Cancellation, leaving: Callable[[], None]) -> NoReturn:
    """End the process without waiting for threads that do not end."""
    try:
        leaving()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(cancellation.error().exit_code)


@contextmanager
def _handlers(put: Callable[[int], None]) -> Iterator[None]:
    """Send SIGINT and SIGTERM to `put` while the block runs; then as before."""

    def handle(number: int, _frame: FrameType | None) -> None:
        put(number)

    # An ignored signal stays ignored: `nohup` and a shell's `&` set that on purpose.
    before = {each: signal.getsignal(each) for each in HANDLED}
    handled = [each for each in HANDLED if before[each] is not signal.SIG_IGN]
    for each in handled:
        signal.signal(each, handle)
    try:
        yield
    finally:
        for each in handled:
            # None: the handler was not set from Python, and cannot be set again from it.
            signal.signal(each, signal.SIG_DFL if before[each] is None else before[each])
