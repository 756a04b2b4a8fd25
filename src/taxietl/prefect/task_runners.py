"""`prefect.task_runners`: threads are built in; other processes and machines are not here."""

from __future__ import annotations

from typing import NoReturn

from taxietl.errors import ConfigError

_THREADS = ".submit() runs a task in a thread of the run, at most Engine(workers=…) at a time."


class ThreadPoolTaskRunner:
    """Accepted: `.submit()` has its threads anyway.

    Args:
        max_workers: without effect: the engine says how many threads there are.
    """

    def __init__(self, max_workers: int | None = None) -> None:
        self.max_workers = max_workers


ConcurrentTaskRunner = ThreadPoolTaskRunner


class SequentialTaskRunner(ThreadPoolTaskRunner):
    """Refused: `.submit()` is for what may overlap."""

    def __init__(self) -> None:
        raise ConfigError(
            f"SequentialTaskRunner is not here: {_THREADS}",
            hint="Call the task instead: fetch(…) for fetch.submit(…).",
        )


def _refused(name: str) -> type:
    def refuse(self: object, *_: object, **__: object) -> NoReturn:  # noqa: ARG001
        raise ConfigError(
            f"{name} is not here: {_THREADS}",
            hint="@task(isolate=True) of taxietl's own makes a call in a process; several machines"
            " have no common run.",
        )

    return type(name, (), {"__init__": refuse})


DaskTaskRunner = _refused("DaskTaskRunner")
RayTaskRunner = _refused("RayTaskRunner")
ProcessPoolTaskRunner = _refused("ProcessPoolTaskRunner")


def refuse_runner(runner: object) -> None:
    """ConfigError if a flow's tasks are to run where they cannot."""
    if runner is None or isinstance(runner, ThreadPoolTaskRunner) or runner is ThreadPoolTaskRunner:
        return
    if isinstance(runner, type):
        runner = runner()  # those of above refuse with their own sentence
    raise ConfigError(
        f"@flow(task_runner={runner!r}) is not possible: {_THREADS}",
        hint="Leave it out; or write @task(isolate=True) of taxietl's own for processes.",
    )
