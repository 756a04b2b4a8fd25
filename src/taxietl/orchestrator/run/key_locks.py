"""Of several calls that miss the same key at once, one makes the result and the others wait.

Who makes it holds a lock on a file of the home, which the system drops when its process dies; a
waiter then finds the result, or makes it in turn. Nobody waits who holds something that others may
wait for, the slots of a limited tag or another key: two could wait for each other. Such a call
makes the result itself.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextvars import ContextVar, Token
from pathlib import Path

from taxietl.orchestrator.run.limits import holds_slots
from taxietl.orchestrator.stop.cancellation import Cancellation
from taxietl.orchestrator.store.database import translated
from taxietl.orchestrator.store.filelock import FileLock, try_lock

TELL_AFTER_SECONDS = 0.1
_POLL_SECONDS = (0.002, 0.05)
"""At first, and at most."""

_holds_key: ContextVar[bool] = ContextVar("taxietl_holds_key", default=False)
"""This code is part of a call that makes a result for the cache."""


class KeyLock:
    """The right to make what is kept under one key; released at the end, however that came."""

    def __init__(self, home: Path, key: str) -> None:
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        # Beside the locks of runs: whoever sweeps those whose holders died sweeps these, too.
        self._path = home / "runs" / f"key-{digest}.lock"
        self._lock: FileLock | None = None
        self._token: Token[bool] | None = None

    def acquire(
        self,
        cancellation: Cancellation,
        *,
        patience_seconds: float | None,
        waiting: Callable[[], None],
    ) -> None:
        """Take it, waiting for who has it; after that long, or where waiting is not safe, without.

        Args:
            cancellation: of the run that waits.
            patience_seconds: None for no limit; 0 not to wait.
            waiting: told once, if it takes a while.

        Raises:
            Cancelled: the run was asked to stop while it waited.
        """
        if holds_slots() or _holds_key.get():
            patience_seconds = 0
        began, is_told, pause = time.monotonic(), False, _POLL_SECONDS[0]
        while True:
            with translated(self._path):
                self._lock = try_lock(self._path)
            waited = time.monotonic() - began
            if self._lock is not None:
                break
            if patience_seconds is not None and waited >= patience_seconds:
                break
            if waited >= TELL_AFTER_SECONDS and not is_told:
                is_told = True
                waiting()
            cancellation.wait(pause)
            pause = min(pause * 2, _POLL_SECONDS[1])
        self._token = _holds_key.set(True)

    def release(self) -> None:
        """Let the next one have it; nothing if it was not acquired."""
        if self._token is not None:
            _holds_key.reset(self._token)
            self._token = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None
