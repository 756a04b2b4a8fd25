"""How long a task's attempt or a flow's run may take.

A thread cannot be stopped from outside. So work that is too slow is first asked: its own
cancellation is requested, which whoever waits, checks or has an `on_cancel` block hears. A second
later its thread is sent the exception, at the next instruction of the user's code (signals do the
same). Work in one long call of a C library ends when that call does; the run waits for it and says
so, since a next attempt beside the old one would do everything twice.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import TypeVar

from taxietl.errors import TimedOutError
from taxietl.orchestrator.stop.cancellation import Cancellation
from taxietl.orchestrator.stop.signals import INJECT_AFTER_SECONDS, strike

R = TypeVar("R")

STUBBORN_AFTER_SECONDS = 5.0


class TimeLimit:
    """A limit on the work of a `with` block; what asks that work to stop is `cancellation`.

    Args:
        seconds: from the block's beginning on; None for a thread that works for a whole whose
            own limit is watched in another thread.
        whole: asks the run as a whole to stop.
        who: such as "Task run 'load-0'".
        run_id: of that run or task run.
        stubborn: told once, from another thread, that the work does not end.
        strike_after_seconds, stubborn_after_seconds: counted from the end of the time.
    """

    def __init__(
        self,
        seconds: float | None,
        whole: Cancellation,
        *,
        who: str,
        run_id: str,
        stubborn: Callable[[], object],
        strike_after_seconds: float = INJECT_AFTER_SECONDS,
        stubborn_after_seconds: float = STUBBORN_AFTER_SECONDS,
    ) -> None:
        self._seconds, self._whole = seconds, whole
        self._who, self._run_id, self._stubborn = who, run_id, stubborn
        self._strike_after, self._stubborn_after = strike_after_seconds, stubborn_after_seconds
        self._thread = threading.get_ident()
        self._stack = ExitStack()
        self._ended, self._heard = threading.Event(), threading.Event()
        self._is_over = False
        # Held to strike, and to end the part that may be struck. Reentrant, since that end may
        # itself be struck and is then done again; the watcher needs it no more by then.
        self._lock = threading.RLock()
        self._may_strike = False
        self.cancellation = whole

    def __enter__(self) -> TimeLimit:
        self.cancellation = self._stack.enter_context(self._whole.narrowed(self._heard))
        threading.Thread(target=self._watch, name="taxietl-timeout", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._heard.set()
        self._stack.close()

    def call(self, function: Callable[[], R]) -> R:
        """Call what may be struck; once the time is over, nothing is returned.

        Raises:
            TimedOutError: it took too long, whatever it then returned or raised.
        """
        try:
            self._may_strike = True
            try:
                value = function()
            finally:
                self._close()
        except BaseException as error:
            self._close()  # the one strike may have met the first
            final = self.verdict(error)
            if final is None or final is error:
                raise
            raise final from error
        if (late := self.verdict(None)) is not None:
            raise late
        return value

    def verdict(self, error: BaseException | None) -> BaseException | None:
        """What the block is to raise, in place of that error or of none.

        An interrupted query fails with the database's own error; that was the timeout's doing.
        """
        if self._seconds is None or not self._is_over or self._whole.requested:
            return error
        if isinstance(error, TimedOutError) and error.run_id == self._run_id:
            return error
        return TimedOutError(self._who, self._seconds, run_id=self._run_id)

    def _close(self) -> None:
        """From here on nothing is struck."""
        with self._lock:
            self._may_strike = False
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), None)

    def _watch(self) -> None:
        self._heard.wait(self._seconds)
        if self._ended.is_set():
            return
        if not self.cancellation.requested:
            self._is_over = True
            self.cancellation.request(
                f"{self._who} exceeded its timeout of {self._seconds:g} seconds."
            )
        is_told, began = False, time.monotonic()
        while not self._ended.wait(0.25 if is_told else 0.01):
            waited = time.monotonic() - began
            # Who has met the request is cleaning up: do not strike into its `finally`.
            if waited >= self._strike_after and not self.cancellation.is_aware(self._thread):
                self.cancellation.is_overdue = True
                with self._lock:
                    if self._may_strike:
                        strike(self._thread, self.cancellation)
            if waited >= self._stubborn_after and not is_told:
                is_told = True
                if self._is_over:
                    self._stubborn()
