"""The loop around a task's attempts: call; after a failure worth it, wait and call again.

When to try again is `Retry`'s to say; what an attempt and a wait do is the caller's business.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from taxietl.orchestrator.define.retry import Retry

R = TypeVar("R")


def call_with_retry(
    retry: Retry,
    attempt: Callable[[], R],
    *,
    clock: Callable[[], datetime],
    rng: Random,
    waiting: Callable[[BaseException, float], None],
    giving_up: Callable[[str], None],
    sleep: Callable[[float], None],
) -> R:
    """Call `attempt` until it returns, raises what is not to be retried, or has had its turns.

    Args:
        waiting: told the error and the seconds until the next attempt, before each wait.
        giving_up: told why attempts that are left are not made.
        sleep: waits that many seconds; may raise to give up.
    """
    began, failures = clock(), 0
    while True:
        try:
            return attempt()
        except retry.on as error:
            failures += 1
            if refusal := retry.refusal(error):
                giving_up(f"No further attempt: {refusal}.")
                raise
            if failures >= retry.attempts:
                raise
            try:
                seconds: float | None = retry.wait_seconds(failures, rng, error)
            except Exception as raised:  # noqa: BLE001 - the task's own error is the one to raise
                giving_up(f"No further attempt: delay failed: {type(raised).__name__}: {raised}.")
                seconds = None
            if seconds is None:
                raise
            spent = (clock() - began).total_seconds() + seconds
            if retry.max_seconds is not None and spent > retry.max_seconds:
                giving_up(
                    f"No further attempt: it would begin {spent:.0f} s after the first, and"
                    f" max_seconds is {retry.max_seconds:g}."
                )
                raise
            waiting(error, seconds)
        sleep(seconds)  # here nothing holds the error, and what its traceback holds
