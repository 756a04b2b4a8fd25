"""When a failed task is tried again, and after how long.

`Retry` is the plan, a value; `call_with_retry` drives it with tenacity, which is imported only
when a task has failed. What an attempt and a wait do is the engine's business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from taxietl.errors import ConfigError

if TYPE_CHECKING:
    from random import Random

    from tenacity import RetryCallState

R = TypeVar("R")


@dataclass(frozen=True)
class Exponential:
    """Delays that double: base, 2·base, 4·base, …, up to a maximum; in seconds."""

    base: float
    maximum: float

    def __call__(self, failures: int) -> float:
        # A float's exponent overflows long after any maximum is reached.
        return float(min(self.base * 2.0 ** min(failures - 1, 60), self.maximum))


def exponential(base: float = 1.0, maximum: float = 60.0) -> Exponential:
    """Delays for `Retry(delay=…)` that double from `base` up to `maximum` seconds."""
    return Exponential(base, maximum)


@dataclass(frozen=True, kw_only=True)
class Retry:
    """Try a task again when it raises one of the named errors.

    Args:
        on: the errors worth another attempt. There is no default: a wrong month is not
            retried, a cut connection is.
        attempts: how often the task is called at most, the first call included.
        delay: seconds between attempts: one number, a list whose last entry repeats, or
            `exponential(base, maximum)`.
        jitter: each delay grows by a random part of up to this fraction of it, 0.0 to 1.0.
    """

    on: type[Exception] | tuple[type[Exception], ...]
    attempts: int = 4
    delay: float | Sequence[float] | Exponential = 0.0
    jitter: float = 0.0

    def __post_init__(self) -> None:
        classes = self.on if isinstance(self.on, tuple) else (self.on,)
        if not classes or not all(
            isinstance(each, type) and issubclass(each, Exception) for each in classes
        ):
            raise ConfigError("Retry(on=…) takes an exception class, or a tuple of them.")
        if self.attempts < 1:
            raise ConfigError(f"Retry(attempts={self.attempts}) would never call the task.")
        if not 0.0 <= self.jitter <= 1.0:
            raise ConfigError(f"Retry(jitter={self.jitter}) is a fraction from 0.0 to 1.0.")
        if isinstance(self.delay, Sequence) and not self.delay:
            raise ConfigError("Retry(delay=[]) holds no delay.", hint="Write delay=0 for none.")

    def wait_seconds(self, failures: int, rng: Random) -> float:
        """How long to wait after that many failed attempts (1 or more)."""
        if isinstance(self.delay, Exponential):
            seconds = self.delay(failures)
        elif isinstance(self.delay, Sequence):
            seconds = float(self.delay[min(failures, len(self.delay)) - 1])
        else:
            seconds = float(self.delay)
        return seconds * (1.0 + self.jitter * rng.random()) if self.jitter else seconds


def call_with_retry(
    retry: Retry,
    attempt: Callable[[], R],
    *,
    rng: Random,
    waiting: Callable[[BaseException, float], None],
    sleep: Callable[[float], None],
) -> R:
    """Call `attempt` until it returns, raises what is not to be retried, or has had its turns.

    Args:
        waiting: told the error and the seconds until the next attempt, before each wait.
        sleep: waits that many seconds; may raise to give up.
    """
    try:
        return attempt()
    except retry.on as error:
        failures = [error]
    # Most tasks succeed at once, and need no tenacity (some 30 ms): it is handed the first
    # failure, and then counts, waits and calls.
    import tenacity

    def next_attempt() -> R:
        if failures:
            raise failures.pop()
        return attempt()

    def announce(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if error is not None and state.next_action is not None:
            waiting(error, state.next_action.sleep)

    retrying = tenacity.Retrying(
        reraise=True,
        retry=tenacity.retry_if_exception_type(retry.on),
        stop=tenacity.stop_after_attempt(retry.attempts),
        wait=lambda state: retry.wait_seconds(state.attempt_number, rng),
        before_sleep=announce,
        sleep=sleep,
    )
    return retrying(next_attempt)
