"""How long to wait for a bucket, and how often to ask again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from taxietl.load.lake.refusals import Meaning, Refusal, refusal_in, refusal_of
from taxietl.steps.protocols import Cancellation

R = TypeVar("R")

_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.5, 32.0
_TOLD_SECONDS = 2.0
"""Who waits longer than this is told what for."""

_MIB = 1024 * 1024
_log = logging.getLogger("taxietl.lake")


@dataclass(frozen=True)
class Patience:
    """Deadlines and attempts. The defaults give up after about a minute without any progress."""

    attempts: int = 8
    """Failures in a row before giving up; bytes that arrived begin the count anew."""

    connect_seconds: float = 20.0
    silence_seconds: float = 60.0
    """How long the other side may say nothing."""

    chunk_seconds: float = 300.0
    """For one chunk in all: 28 kB a second at the least."""

    chunk_bytes: int = 8 * _MIB
    """A multiple of 256 KiB; also what is sent again, at most, after a cut."""

    sleep: Callable[[float], None] | None = None
    """Waits in place of the usual waiting, which a request to stop cuts short."""

    rng: Random = field(default_factory=Random)

    @property
    def timeouts(self) -> tuple[float, float]:
        """To connect, and to read."""
        return self.connect_seconds, self.silence_seconds


class Attempts:
    """Counts the failures of one piece of work, and waits between them."""

    def __init__(self, patience: Patience, cancellation: Cancellation) -> None:
        self._patience, self._cancellation = patience, cancellation
        self._failures = 0

    def progressed(self) -> None:
        """Forget the failures: something arrived."""
        self._failures = 0

    def failed(self, refusal: Refusal) -> None:
        """Wait before the next attempt.

        Raises:
            TaxietlError: what was refused will stay so, or has been too often.
        """
        self._failures += 1
        if not refusal.may_pass or self._failures >= self._patience.attempts:
            # Not `from` the client's error: that one quotes addresses, and an upload's is a key.
            raise refusal.error from None
        doubled = _FIRST_WAIT_SECONDS * 2.0 ** (self._failures - 1)
        wait = min(doubled, _LONGEST_WAIT_SECONDS) * (0.5 + self._patience.rng.random())
        wait = max(wait, min(refusal.retry_after_seconds or 0.0, 60.0))
        if wait >= _TOLD_SECONDS:
            told = refusal.error.message
            _log.warning(
                "%s Failure %d of %d; again in %.0f s.",
                *(told, self._failures, self._patience.attempts, wait),
            )
        pause(wait, self._patience, self._cancellation)


def pause(seconds: float, patience: Patience, cancellation: Cancellation) -> None:
    """Wait, until asked to stop at the latest.

    Raises:
        Cancelled: the run was asked to stop.
    """
    if patience.sleep is not None:
        patience.sleep(seconds)
    else:
        stopped = threading.Event()
        with cancellation.on_cancel(stopped.set):
            stopped.wait(seconds)
    cancellation.check()


def insist(
    work: Callable[[], R],
    doing: str,
    *,
    patience: Patience,
    cancellation: Cancellation,
    meaning: Meaning = refusal_in,
) -> R:
    """Do something of Google's client that may safely be done twice, until it is done.

    Args:
        work: raises the client's errors.
        doing: what it does and to what, for messages: `read gs://lake/a`.
        meaning: what the service means by refusing; a bucket where nothing else is said.

    Raises:
        TaxietlError: what is refused stays so, or is not there.
    """
    attempts = Attempts(patience, cancellation)
    while True:
        cancellation.check()
        refusal = None
        try:
            return work()
        except Exception as error:
            refusal = refusal_of(error, doing, meaning)
            if refusal is None:
                raise
        attempts.failed(refusal)  # outside: nothing of the client's error is chained to ours
