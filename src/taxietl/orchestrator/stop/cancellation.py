"""One run's wish to stop: asked for by a signal, seen at every safe point of the run.

Nothing here knows of signals or threads' lives; `signals.py` asks, the engine checks.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from taxietl.errors import Cancelled

P = ParamSpec("P")
R = TypeVar("R")


def interruptible(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a user's function; only inside such a call is a run's thread sent an exception."""
    return function(*args, **kwargs)


class _Callback:
    """A callback and the lock that keeps it from running after its block has been left."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.call = call
        self.lock = threading.Lock()
        self.is_open = True

    def run(self) -> None:
        with self.lock:
            if not self.is_open:
                return
            try:
                self.call()
            except Exception as error:  # noqa: BLE001 - the run is ending anyway
                logging.getLogger("taxietl.engine").warning(
                    "A cancellation callback failed: %s: %s", type(error).__name__, error
                )

    def close(self) -> None:
        with self.lock:
            self.is_open = False


class Cancellation:
    """Whether a run was asked to stop; shared by the run and all its child runs.

    A part with a time limit of its own has one of its own, which hears the whole's (`narrowed`).
    """

    def __init__(
        self, whole: Cancellation | None = None, heard: threading.Event | None = None
    ) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[_Callback] = []
        self._whole = whole
        self._parts: list[Cancellation] = []
        self._heard = heard
        self._thread = threading.get_ident() if whole else None
        self.reason = ""
        self.signal_number: int = signal.SIGINT
        self._at_work: set[int] = set()
        self._aware: set[int] = set()
        """Threads that have met the request and are on their way out."""
        self.is_overdue = False
        """The run has not stopped for a while: the next chance to strike it is to be taken."""

    @property
    def requested(self) -> bool:
        """The run was asked to stop."""
        return self._event.is_set()

    def error(self) -> Cancelled:
        """The exception that ends the run."""
        return Cancelled(self.reason, signal_number=self.signal_number)

    def check(self, *, for_thread: int | None = None) -> None:
        """Raise `Cancelled` if the run was asked to stop.

        Args:
            for_thread: the one that will be on its way out, if it is not this one.
        """
        if self._event.is_set():
            self.met(for_thread or threading.get_ident())
            raise self.error()

    def check_overdue(self) -> None:
        """Like `check`, in places that let a run be for a moment; never twice in a thread."""
        if self._whole is not None:
            self._whole.check_overdue()
        if self.is_overdue and not self.is_aware(threading.get_ident()):
            self.check()

    def met(self, thread: int) -> None:
        """That thread knows of the request: it is not to be struck while it cleans up."""
        self._aware.add(thread)
        if self._whole is not None and self._whole.requested:
            self._whole.met(thread)

    def reaches_here(self) -> bool:
        """Whoever strikes for this one strikes this thread."""
        return self._thread is None or self._thread == threading.get_ident()

    def is_aware(self, thread: int) -> bool:
        """That thread knows of the request, or of the whole's."""
        return thread in self._aware or (self._whole is not None and self._whole.is_aware(thread))

    @contextmanager
    def working(self) -> Iterator[None]:
        """While the block runs, this thread does the run's work."""
        me = threading.get_ident()
        self._at_work.add(me)
        try:
            yield
        finally:
            self._at_work.discard(me)

    def unaware(self) -> list[int]:
        """The threads at work that have not met the request yet."""
        return list(self._at_work - self._aware)

    def wait(self, seconds: float) -> None:
        """Sleep that long; raise `Cancelled` as soon as the run is asked to stop."""
        self._event.wait(seconds)
        self.check()

    def request(self, reason: str, *, signal_number: int = signal.SIGINT) -> None:
        """Ask the run to stop; the callbacks of all open `on_cancel` blocks are called at once.

        They run in a thread of their own: one that hangs (a database that does not answer)
        must not keep the caller from seeing a second signal or its own deadline.
        """
        with self._lock:
            if self._event.is_set():
                return
            self.reason, self.signal_number = reason, signal_number
            self._event.set()
            callbacks, parts = list(self._callbacks), list(self._parts)
        if self._heard is not None:
            self._heard.set()
        for part in parts:
            part.request(reason, signal_number=signal_number)
        if callbacks:
            threading.Thread(
                target=_run_all, args=(callbacks,), name="taxietl-cancel", daemon=True
            ).start()

    @contextmanager
    def narrowed(self, heard: threading.Event) -> Iterator[Cancellation]:
        """A part's own while the block runs: asked when this one is, or by itself.

        Either sets `heard`.
        """
        part = Cancellation(self, heard)
        with self._lock:
            is_late = self._event.is_set()
            self._parts.append(part)
        if is_late:
            part.request(self.reason, signal_number=self.signal_number)
        try:
            yield part
        finally:
            with self._lock:
                self._parts.remove(part)

    @contextmanager
    def on_cancel(self, callback: Callable[[], object]) -> Iterator[None]:
        """While the block runs, a request to stop calls `callback`: a database's interrupt, say.

        It is never called after the block was left, so that it cannot hit what comes next.
        """
        entry = _Callback(callback)
        with self._lock:
            is_late = self._event.is_set()
            self._callbacks.append(entry)
        try:
            if is_late:
                self.check()
            yield
        finally:
            entry.close()
            with self._lock:
                self._callbacks.remove(entry)


current: ContextVar[Cancellation | None] = ContextVar("taxietl_cancellation", default=None)
"""What asks the current code to stop; None outside any run."""


def current_cancellation() -> Cancellation:
    """The current task's or run's; outside any run one that nobody will ever request."""
    return current.get() or Cancellation()


def _run_all(callbacks: list[_Callback]) -> None:
    for callback in callbacks:
        callback.run()
