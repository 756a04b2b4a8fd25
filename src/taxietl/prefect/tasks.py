"""`prefect.tasks`: `@task`, and what its options are given."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, NoReturn, ParamSpec, TypeVar, overload

from taxietl.errors import ConfigError
from taxietl.orchestrator import Stream
from taxietl.orchestrator import Task as CoreTask
from taxietl.prefect.cache_policies import TaskRunContext, task_input_hash
from taxietl.prefect.options import task_options

__all__ = ["Task", "TaskRunContext", "exponential_backoff", "task", "task_input_hash"]

P = ParamSpec("P")
R = TypeVar("R")
Y = TypeVar("Y")


class Task(CoreTask[P, R]):
    """What `@task` gives."""

    def __init__(self, fn: Callable[..., Any], **options: Any) -> None:
        super().__init__(fn, task_options(options, lambda: self))  # type: ignore[arg-type]
        self._theirs = options

    @property
    def fn(self) -> Callable[..., Any]:
        """The plain function."""
        return self.function

    def with_options(self, **options: Any) -> Task[P, R]:
        """The same task with other values for some of its options."""
        return Task(self.function, **{**self._theirs, **options})

    def delay(self, *_: object, **__: object) -> NoReturn:
        """Refused: there is no worker that waits for tasks."""
        raise ConfigError(
            f"{self.name}.delay() is not possible: no worker waits for tasks.",
            hint=f"Write {self.name}.submit(…) in a flow.",
        )

    serve = delay


def exponential_backoff(backoff_factor: float) -> Callable[[int], list[float]]:
    """Delays for `retry_delay_seconds` that double from that many seconds on."""

    def delays(retries: int) -> list[float]:
        return [backoff_factor * 2**n for n in range(retries)]

    return delays


@overload
def task(fn: Callable[P, Generator[Y, None, R]], /) -> Task[P, Stream[Y, R]]: ...
@overload
def task(fn: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(**options: Any) -> Callable[[Callable[P, R]], Task[P, R]]: ...
def task(fn: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function a task, by Prefect's options: see `options.py`.

    Raises:
        ConfigError: at decoration, when an option cannot be; names ours.
    """
    task_options(options, lambda: None)

    def decorate(fn: Callable[..., Any]) -> Task[..., Any]:
        return Task(fn, **options)

    return decorate if fn is None else decorate(fn)
