"""When a failed task is tried again, and after how long: what users write, a value.

The waits are tenacity's where they are more than numbers. It is imported (some 30 ms) only when
a wait of its kind is needed: most tasks succeed at once. `run/retrying.py` has the loop.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeGuard, cast

from taxietl.errors import ConfigError
from taxietl.orchestrator.define.callables import refuse_misfit

if TYPE_CHECKING:
    from random import Random

    from tenacity import RetryCallState
    from tenacity.wait import wait_base

Delay: TypeAlias = "float | Sequence[float] | Callable[[int], float] | wait_base"
"""Seconds between attempts: a number, a list whose last entry repeats, a function of failures, or
one of tenacity's waits."""


@dataclass(frozen=True)
class Exponential:
    """Delays that double: base, 2·base, 4·base, …, up to a maximum; in seconds."""

    base: float
    maximum: float

    def __post_init__(self) -> None:
        for name, seconds in (("base", self.base), ("maximum", self.maximum)):
            if not is_number(seconds) or seconds < 0:
                raise ConfigError(
                    f"Retry(delay=exponential({name}={seconds!r})) is no number of seconds"
                    " from 0 on.",
                    hint="Write exponential(1, maximum=60), say.",
                )

    def __call__(self, retry_state: int | RetryCallState) -> float:
        """Seconds after that many failures; or in that state, as tenacity asks its waits."""
        from tenacity import wait_exponential

        state = call_state(retry_state) if isinstance(retry_state, int) else retry_state
        return float(wait_exponential(multiplier=self.base, max=self.maximum)(state))


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
            `exponential(base, maximum)`, a function of the number of failures so far (or, as
            Prefect has it, of the number of retries, that gives a list), or one of tenacity's
            waits, such as `tenacity.wait_random(1, 5)`.
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
        if callable(self.delay) and not _is_wait(self.delay):
            checked = _checked(cast(Callable[[int], float], self.delay), self.attempts)
            object.__setattr__(self, "delay", checked)
        _refuse_delays(self.delay)

    def wait_seconds(self, failures: int, rng: Random, error: Exception | None = None) -> float:
        """How long to wait after that many failed attempts (1 or more), the last with `error`."""
        if _is_tenacitys(self.delay):
            seconds = float(self.delay(call_state(failures, error)))
        elif callable(self.delay):
            seconds = float(cast(Callable[[int], float], self.delay)(failures))
        elif isinstance(self.delay, Sequence):
            seconds = float(self.delay[min(failures, len(self.delay)) - 1])
        else:
            seconds = float(self.delay)
        seconds = seconds * (1.0 + self.jitter * rng.random()) if self.jitter else seconds
        asked = getattr(error, "retry_after_seconds", None)
        return max(seconds, asked) if is_number(asked) else seconds

    def refusal(self, error: Exception) -> str | None:
        """Why that error, one of `on`, is not worth another attempt; None if it is."""
        if self.retry_if is None:
            return None
        try:
            is_worth_it = self.retry_if(error)
        except Exception as raised:  # noqa: BLE001 - the task's own error is the one to raise
            return f"retry_if failed: {type(raised).__name__}: {raised}"
        return None if is_worth_it else "retry_if said no"


def is_number(value: object) -> TypeGuard[float]:
    """A number to count seconds by."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value


def call_state(failures: int, error: Exception | None = None) -> RetryCallState:
    """What tenacity asks its waits with: the number of failed attempts, and the last's error.

    Its clocks start with it: they count neither earlier attempts nor earlier waits, and none of
    tenacity's own waits reads them.
    """
    from tenacity import RetryCallState, Retrying

    state = RetryCallState(retry_object=Retrying(), fn=None, args=(), kwargs={})
    state.attempt_number = failures
    if error is not None:
        state.set_exception((type(error), error, error.__traceback__))
    return state


def _is_tenacitys(delay: object) -> TypeGuard[wait_base]:
    """One of tenacity's waits, or of the user's subclasses; whoever has one has imported it."""
    waits = sys.modules.get("tenacity.wait")
    return waits is not None and isinstance(delay, waits.wait_base)


def _is_wait(delay: object) -> bool:
    """A wait that is not called before it is needed: it may draw, or ask about the error."""
    return isinstance(delay, Exponential) or _is_tenacitys(delay)


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
