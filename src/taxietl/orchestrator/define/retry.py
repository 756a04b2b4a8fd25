"""When a failed task is tried again, and after how long.

`Retry` is the plan, a value; `call_with_retry` drives it with tenacity, which is imported only
when a task has failed. What an attempt and a wait do is the engine's business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard, TypeVar, cast

from taxietl.errors import ConfigError
from taxietl.orchestrator.define.callables import refuse_misfit

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from tenacity import RetryCallState

R = TypeVar("R")
Delay = float | Sequence[float] | Callable[[int], float]
"""Seconds between attempts: a number, a list whose last entry repeats, a function of failures."""


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

    Where an error has an attribute `retry_after_seconds` (a server's `Retry-After`), the wait is
    at least that.

    Args:
        on: the errors worth another attempt. There is no default: a wrong month is not
            retried, a cut connection is.
        attempts: how often the task is called at most, the first call included.
        delay: seconds between attempts: one number, a list whose last entry repeats,
            `exponential(base, maximum)`, or a function of the number of failures so far (or, as
            Prefect has it, of the number of retries, that gives a list).
        jitter: each delay grows by a random part of up to this fraction of it, 0.0 to 1.0.
        retry_if: asked about each such error; False means no further attempt. One that raises
            means that, too, and is logged.
        max_seconds: an attempt that would begin later than so long after the first is not made.
    """

    on: type[Exception] | tuple[type[Exception], ...]
    attempts: int = 4
    delay: Delay = 0.0
    jitter: float = 0.0
    retry_if: Callable[[Exception], bool] | None = None
    max_seconds: float | None = None

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
        if self.max_seconds is not None and self.max_seconds < 0:
            raise ConfigError(f"Retry(max_seconds={self.max_seconds}) lies before the first call.")
        if self.retry_if is not None:
            refuse_misfit(
                "Retry(retry_if=…)",
                self.retry_if,
                takes="the error",
                hint="Write `lambda error: error.status >= 500`, say.",
            )
        if callable(self.delay):
            object.__setattr__(self, "delay", _checked(self.delay, self.attempts))
        _refuse_delays(self.delay)

    def wait_seconds(self, failures: int, rng: Random, error: BaseException | None = None) -> float:
        """How long to wait after that many failed attempts (1 or more), the last with `error`."""
        if callable(self.delay):
            seconds = float(self.delay(failures))
        elif isinstance(self.delay, Sequence):
            seconds = float(self.delay[min(failures, len(self.delay)) - 1])
        else:
            seconds = float(self.delay)
        seconds = seconds * (1.0 + self.jitter * rng.random()) if self.jitter else seconds
        asked = getattr(error, "retry_after_seconds", None)
        return max(seconds, asked) if is_number(asked) else seconds

    def refusal(self, error: BaseException) -> str | None:
        """Why that error, one of `on`, is not worth another attempt; None if it is."""
        if self.retry_if is None or not isinstance(error, Exception):
            return None
        try:
            is_worth_it = self.retry_if(error)
        except Exception as raised:  # noqa: BLE001 - the task's own error is the one to raise
            return f"retry_if failed: {type(raised).__name__}: {raised}"
        return None if is_worth_it else "retry_if said no"


def is_number(value: object) -> TypeGuard[float]:
    """A number to count seconds by."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value


def _checked(delay: Callable[[int], float], attempts: int) -> Delay:
    """A delay's function, or the list of all delays where it makes one; ConfigError if neither."""
    hint = "Give a function of the number of failures so far that returns seconds."
    refuse_misfit("Retry(delay=…)", delay, takes="the number of failures so far", hint=hint)
    try:
        first: object = delay(1)
        if isinstance(first, (list, tuple)):
            # Made for the number of retries, as Prefect's exponential_backoff(…) is.
            return list(cast(Sequence[float], delay(max(1, attempts - 1))))
    except Exception as error:
        raise ConfigError(
            f"Retry(delay=…) is given a function that fails: {type(error).__name__}: {error}.",
            hint=hint,
        ) from error
    if not is_number(first):
        raise ConfigError(f"Retry(delay=…) is given a function that returns {first!r}.", hint=hint)
    return delay


def _refuse_delays(delay: Delay) -> None:
    """ConfigError if what is given is no number of seconds, nor a list of some."""
    if callable(delay):
        return
    delays: list[object] = [*delay] if isinstance(delay, (list, tuple)) else [delay]
    if not delays:
        raise ConfigError("Retry(delay=[]) holds no delay.", hint="Write delay=0 for none.")
    for each in delays:
        if not is_number(each):
            raise ConfigError(
                f"Retry(delay=…) is given {each!r}, which is no number of seconds.",
                hint="Give a number, a list of numbers, exponential(1, maximum=60), or a function.",
            )
        if each < 0:
            raise ConfigError(f"Retry(delay={delay}) holds a delay below zero.")


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
    turns = _Turns(retry, clock, rng, giving_up)
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
        retry=tenacity.retry_if_exception(turns.are_wanted),
        stop=turns.are_over,
        wait=turns.wait_seconds,
        before_sleep=announce,
        sleep=sleep,
    )
    return retrying(next_attempt)


class _Turns:
    """What tenacity asks after a failure."""

    def __init__(
        self,
        retry: Retry,
        clock: Callable[[], datetime],
        rng: Random,
        giving_up: Callable[[str], None],
    ) -> None:
        self._retry, self._clock, self._rng = retry, clock, rng
        self._giving_up = giving_up
        self._began = clock()
        self._failures, self._seconds = 0, 0.0

    def are_wanted(self, error: BaseException) -> bool:
        if not isinstance(error, self._retry.on):
            return False
        self._failures += 1
        reason = self._retry.refusal(error) or self._unknown_delay(error)
        if reason:
            self._giving_up(f"No further attempt: {reason}.")
        return not reason

    def _unknown_delay(self, error: BaseException) -> str | None:
        """Why it is not known how long to wait; None once it is."""
        try:
            self._seconds = self._retry.wait_seconds(self._failures, self._rng, error)
        except Exception as raised:  # noqa: BLE001 - the task's own error is the one to raise
            return f"delay failed: {type(raised).__name__}: {raised}"
        return None

    def wait_seconds(self, _state: RetryCallState) -> float:
        return self._seconds

    def are_over(self, state: RetryCallState) -> bool:
        limit = self._retry.max_seconds
        if state.attempt_number >= self._retry.attempts:
            return True
        if limit is None:
            return False
        spent = (self._clock() - self._began).total_seconds() + state.upcoming_sleep
        if spent <= limit:
            return False
        self._giving_up(
            f"No further attempt: it would begin {spent:.0f} s after the first, and max_seconds is"
            f" {limit:g}."
        )
        return True
