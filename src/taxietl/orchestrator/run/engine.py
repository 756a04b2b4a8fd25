"""Runs flows, and owns what their runs share: one home, with its history, cache and limits.

What happens around a top-level run is in `root_runs.py`, around a child run in
`subflow_runs.py`, in each of them in `flow_runs.py`; around a task in `task_runs.py`, around a
stream in `stream_runs.py`.
"""

from __future__ import annotations

import functools
import os
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import ParamSpec, TypeVar

from taxietl.errors import ConfigError
from taxietl.orchestrator.define.called import Flow
from taxietl.orchestrator.define.runs import Run
from taxietl.orchestrator.run.limits import Limits
from taxietl.orchestrator.run.listening import Listener, tell_found_dead
from taxietl.orchestrator.run.logs import show
from taxietl.orchestrator.run.resume import plan_rerun, plan_resume
from taxietl.orchestrator.run.root_runs import run_to_end
from taxietl.orchestrator.run.services import Services
from taxietl.orchestrator.store.cache_store import CacheStore
from taxietl.orchestrator.store.chores import tidy
from taxietl.orchestrator.store.history import History
from taxietl.orchestrator.store.rows import RunRow
from taxietl.orchestrator.store.transaction import transaction

P = ParamSpec("P")
R = TypeVar("R")


_NOW = functools.partial(datetime.now, UTC)


class Engine:
    """Runs flows and keeps their history in one home folder; may be used by many threads.

    Args:
        home: the folder of the history; made if need be.
        clock: the time now, aware.
        sleep: waits between attempts; left out, a wait that a cancellation ends.
        rng: for names and jitter.
        limits: how many attempts of tasks with a tag may be under way at a time, by tag, in all
            processes that share the home; a tag without a limit has none, one of 0 never runs.
        workers: how many submitted calls of one run, its child runs included, are at work at a
            time; left out, four for each processor, and at least eight.
        keep_days: runs that ended longer ago are forgotten, once a day; None keeps them all.
        cache_bytes: what the cache may take, files and results; None for no limit.
        on_end: is told of top-level runs that have ended: of each of this engine's, and when the
            engine is made, of those whose process had died, each once in all processes.

    Raises:
        ConfigError: the folder cannot be used, or a newer taxietl wrote the history.
        TargetError: the disk is full, or the history damaged.
    """

    def __init__(
        self,
        home: Path,
        *,
        clock: Callable[[], datetime] = _NOW,
        sleep: Callable[[float], None] | None = None,
        rng: random.Random | None = None,
        limits: Mapping[str, int] = MappingProxyType({}),
        workers: int | None = None,
        keep_days: float | None = 90,
        cache_bytes: int | None = 10_000_000_000,
        on_end: Listener | None = None,
    ) -> None:
        if workers is not None and workers < 1:
            raise ConfigError(f"Engine(workers={workers}) would never run what is submitted.")
        self.home, self.clock = home, clock
        self.workers = workers or max(8, 4 * (os.cpu_count() or 1))
        self.history = History.open(home, now=clock())
        self.cache = CacheStore(self.history, max_bytes=cache_bytes)
        self._services = Services(
            home=home,
            history=self.history,
            transaction=functools.partial(transaction, self.history.database, clock, show),
            cache=self.cache,
            limits=Limits(home, limits, clock=clock),
            limited_tags=frozenset(limits),
            clock=clock,
            sleep=sleep,
            rng=rng or random.Random(),
            on_end=on_end,
        )
        found_dead = self.history.take_found_dead()
        if found_dead and on_end:
            tell_found_dead(on_end, found_dead, self.history)
        tidy(self.history.database, self.cache, clock(), keep_days=keep_days)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the history; runs must have ended."""
        self._services.limits.close()
        self.history.close()

    def run(self, flow: Flow[P, R], *args: P.args, **kwargs: P.kwargs) -> Run[R]:
        """Run a flow to its end, obeying SIGINT and SIGTERM if this is the main thread.

        Returns:
            The ended run, whatever its state; its `result()` raises what the flow raised.

        Raises:
            ConfigError: a parameter is wrong; nothing was started.
            TargetError: the history could not be written any more.
        """
        spec = flow.spec
        parameters = spec.parameters(args, kwargs)
        return run_to_end(self._services, spec, parameters, workers=self.workers)

    def resume(self, name: str, flow: Flow[..., R] | None = None) -> Run[R] | None:
        """Run a run's flow again with the same parameters; what had completed is not done again.

        Args:
            name: of a run that failed, crashed or was cancelled; if it was resumed before, the
                last of those runs is gone on with.
            flow: left out, it is found as the run was started.

        Returns:
            The new run; None if the run had completed, and nothing is to be done.

        Raises:
            UnknownNameError: there is no such run.
            TryLaterError: it is still running.
            ConfigError: it cannot be resumed; the message says why.
        """
        self.history.reconcile(now=self.clock())
        plan = plan_resume(self.history, name)
        if isinstance(plan, RunRow):
            return None
        replay = plan.replay()
        again: Flow[..., R] = flow or plan.flow()
        return run_to_end(
            self._services,
            again.spec,
            again.spec.restored(replay),
            workers=self.workers,
            resumed=plan,
        )

    def rerun(self, name: str, flow: Flow[..., R] | None = None) -> Run[R]:
        """Run a run's flow again with the same parameters, from the start, whatever came of it.

        Args:
            name: of the run.
            flow: left out, it is found as the run was started.

        Raises:
            UnknownNameError: there is no such run.
            ConfigError: it cannot be run again; the message says why.
        """
        plan = plan_rerun(self.history, name)
        replay = plan.replay()
        again: Flow[..., R] = flow or plan.flow()
        parameters = again.spec.restored(replay)
        return run_to_end(self._services, again.spec, parameters, workers=self.workers)
