"""Runs flows: creates the run, keeps it known as alive, decides how it ended.

What happens around a task is in `task_runs.py`, around a stream in `stream_runs.py`, around a
subflow in `subflow_runs.py`; how a call is submitted in `futures.py`, how a state is stored in
`recorder.py`, how signals are heard in `signals.py`.
"""

from __future__ import annotations

import functools
import logging
import os
import random
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from signal import Signals
from types import MappingProxyType
from typing import Any, ParamSpec, TypeVar

from taxietl import __version__
from taxietl.errors import Cancelled, ConfigError
from taxietl.orchestrator.arguments import shown
from taxietl.orchestrator.attempts import around_body
from taxietl.orchestrator.cache_store import CacheStore
from taxietl.orchestrator.cancellation import Cancellation, interruptible
from taxietl.orchestrator.chores import tidy
from taxietl.orchestrator.context import RunScope, TaskScope, runs_refused, scope
from taxietl.orchestrator.failures import failure
from taxietl.orchestrator.filelock import FileLock
from taxietl.orchestrator.flows import Flow
from taxietl.orchestrator.futures import Future, join
from taxietl.orchestrator.history import History
from taxietl.orchestrator.inputs import found_in
from taxietl.orchestrator.limits import Limits
from taxietl.orchestrator.liveness import hold, process_start, reconcile
from taxietl.orchestrator.logs import ENGINE, captured
from taxietl.orchestrator.names import two_words
from taxietl.orchestrator.parameters import Parameters, return_annotation
from taxietl.orchestrator.pool import Pool
from taxietl.orchestrator.recorder import Listener, Recorder
from taxietl.orchestrator.records import RunRecord
from taxietl.orchestrator.results import NOT_STORED, ResultCodec, Stored, stored
from taxietl.orchestrator.resume import Resumption, plan_resume, replayable
from taxietl.orchestrator.runs import Run
from taxietl.orchestrator.signals import supervise
from taxietl.orchestrator.states import FinalState, State, StateName
from taxietl.orchestrator.stopping import requested, withdraw
from taxietl.orchestrator.verdicts import verdict
from taxietl.orchestrator.writer import NewRun, NewTaskRun

P = ParamSpec("P")
R = TypeVar("R")


class Engine:
    """Runs flows and keeps their history in one home folder; may be used by many threads.

    Args:
        home: the folder of the history; made if need be.
        clock: the time now, aware.
        sleep: waits between attempts; left out, a wait that a cancellation ends.
        rng: for names and jitter.
        listeners: told of every change of state; one that raises is logged, and fails no run.
        limits: how many attempts of tasks with a tag may be under way at a time, by tag, in all
            processes that share the home; a tag without a limit has none, one of 0 never runs.
        workers: how many submitted calls of one run, its child runs included, are at work at a
            time; left out, four for each processor, and at least eight.
        keep_days: runs that ended longer ago are forgotten, once a day; None keeps them all.
        cache_bytes: what the cache may take, files and results; None for no limit.

    Raises:
        ConfigError: the folder cannot be used, or a newer taxietl wrote the history.
        TargetError: the disk is full, or the history damaged.
    """

    def __init__(
        self,
        home: Path,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] | None = None,
        rng: random.Random | None = None,
        listeners: Sequence[Listener] = (),
        limits: Mapping[str, int] = MappingProxyType({}),
        workers: int | None = None,
        keep_days: float | None = 90,
        cache_bytes: int | None = 10_000_000_000,
    ) -> None:
        if workers is not None and workers < 1:
            raise ConfigError(f"Engine(workers={workers}) would never run what is submitted.")
        self.home = home
        self.workers = workers or max(8, 4 * (os.cpu_count() or 1))
        self.clock, self.sleep = clock, sleep
        self.rng = rng or random.Random()
        self.limits = Limits(home, limits, clock=clock)
        self.history = History.open(home, now=clock())
        self.recorder = Recorder(self.history, clock, listeners)
        self.cache = CacheStore(self.history, max_bytes=cache_bytes)
        tidy(self.history.database, self.cache, clock(), keep_days=keep_days)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the history; runs must have ended."""
        self.limits.close()
        self.history.close()

    def run(self, flow: Flow[P, R], *args: P.args, **kwargs: P.kwargs) -> Run[R]:
        """Run a flow to its end, obeying SIGINT and SIGTERM if this is the main thread.

        Returns:
            The ended run, whatever its state; its `result()` raises what the flow raised.

        Raises:
            ConfigError: a parameter is wrong; nothing was started.
            TargetError: the history could not be written any more.
        """
        return self._run(flow, flow.parameters(args, kwargs), None)

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
        reconcile(self.history, now=self.clock())
        plan = plan_resume(self.history, name)
        if isinstance(plan, RunRecord):
            return None
        replay = plan.replay()
        again: Flow[..., R] = flow or plan.flow()
        return self._run(again, again.restored(replay), plan)

    def _run(
        self, flow: Flow[..., R], parameters: Parameters, resumed: Resumption | None
    ) -> Run[R]:
        """Create a top-level run, and see it through."""
        if reason := runs_refused.get():
            raise ConfigError(reason, hint='Put the call under `if __name__ == "__main__":`.')
        names = self._names(flow, parameters)
        run_id = secrets.token_hex(16)
        cancellation = Cancellation()
        pool = Pool(self.workers, cancellation)
        run = RunScope(self, run_id, "", flow.name, run_id, cancellation, pool)
        run.earlier = resumed.earlier if resumed else None
        run.log_prints = bool(flow.log_prints)
        with captured:
            lock = hold(self.home, run_id)
            try:
                new = replayable(self._new_run(run, parameters), flow, parameters)
                with self.recorder.batch() as batch:
                    if resumed:
                        new = resumed.claim(batch.writer, new)
                    batch.new_run(run, new, names)
                    message = f"Created flow run {run.name!r} for flow {flow.name!r}"
                    batch.say(run, message, logger=ENGINE)
                    if resumed:
                        batch.say(run, f"Going on where run {resumed.run.name!r} stopped")
                return self._supervised(flow, run, parameters, lock)
            finally:
                self.limits.remove_run(run_id)
                withdraw(self.home, run_id)
                lock.release()

    def begin_child(
        self,
        flow: Flow[..., Any],
        owner: TaskScope,
        parameters: Parameters,
        place: NewTaskRun | None,
    ) -> RunScope:
        """Store a child run that belongs to a task run, its place in the parent or its caller."""
        parent = owner.run
        names = self._names(flow, parameters)
        run_id = secrets.token_hex(16)
        shared = (parent.root_id, owner.cancellation, parent.pool)
        run = RunScope(self, run_id, "", flow.name, *shared, call=owner.call)
        run.earlier = parent.earlier.below(place) if parent.earlier and place else None
        run.log_prints = parent.log_prints if flow.log_prints is None else flow.log_prints
        new = self._new_run(run, parameters, parent, owner.id)
        with self.recorder.batch() as batch:
            batch.new_run(run, new, names)
            batch.say(parent, f"Created subflow run {run.name!r} for flow {flow.name!r}")
            if place is not None and owner.state is None:
                place = replace(place, child_run_id=run_id)
                batch.new_task_run(owner, place, batch.state(StateName.PENDING))
            elif place is not None:
                batch.writer.inputs(replace(place, child_run_id=run_id))
        return run

    def _supervised(
        self, flow: Flow[..., R], run: RunScope, parameters: Parameters, lock: FileLock
    ) -> Run[R]:
        """Execute a top-level run where signals can reach it."""

        def heard(number: int) -> None:
            logging.getLogger(ENGINE).warning(
                "Received %s: stopping %r; once more to leave at once.",
                Signals(number).name,
                run.name,
            )

        def leaving() -> None:
            logging.getLogger(ENGINE).warning("%r does not stop: leaving it.", run.name)
            with suppress(Exception):
                # A connection of its own: the run's thread may hold the other one.
                self._settle(run, History(self.home, busy_seconds=1))
                withdraw(self.home, run.id)
                lock.release()

        try:
            return supervise(
                functools.partial(self._execute_root, flow, run, parameters),
                run.cancellation,
                requested=functools.partial(requested, self.home, run.id),
                heard=heard,
                leaving=leaving,
            )
        except Cancelled as error:  # it struck the engine's own work around the flow
            final = FinalState[R].of(self._cancelled(run), None, error)
            return Run(run.id, run.name, flow.name, final, parameters.by_name)
        finally:
            if run.cancellation.requested:
                self._settle(run, self.history)

    def _execute_root(self, flow: Flow[..., R], run: RunScope, parameters: Parameters) -> Run[R]:
        try:
            return self.execute(flow, run, parameters, None)
        finally:
            run.pool.close()

    def execute(
        self,
        flow: Flow[..., R],
        run: RunScope,
        parameters: Parameters,
        place: TaskScope | None,
    ) -> Run[R]:
        """Call the flow's function in its run, and store how it ended."""
        value: R | None = None
        error: BaseException | None = None
        token = scope.set(run)
        try:
            self._set_state(run, place, State(StateName.RUNNING, "", self.clock()))
            with around_body(flow, run) as call:
                try:
                    body = functools.partial(flow.function, *parameters.args, **parameters.kwargs)
                    value = call(functools.partial(interruptible, body))
                    for future in found_in([value], (Future,)):
                        future.wait()
                finally:
                    join(run)
                run.cancellation.check()
        except BaseException as raised:  # noqa: BLE001 - `Run.result` raises it again
            error = raised
        finally:
            scope.reset(token)
        error = self._close_streams(run, error)
        if run.cancellation.requested and not isinstance(error, Cancelled):
            error = run.cancellation.error()
        final = self._ended(run, value, error)
        kept = NOT_STORED
        if place is not None and final.error is None:
            kept = stored(ResultCodec(return_annotation(flow.function)), final.value)
        self._set_state(run, place, final.bare, error=final.error, kept=kept)
        ended = Run(run.id, run.name, flow.name, final, parameters.by_name)
        if flow.hooks is not None:
            flow.hooks.tell(ended, run, self.recorder)
        return ended

    def _ended(self, run: RunScope, value: R | None, error: BaseException | None) -> FinalState[R]:
        """A run's last state, with the value or error its caller gets."""
        if error is None:
            try:
                return verdict(value, run.outcomes(), self.clock())
            except Exception as raised:  # noqa: BLE001 - a set of what cannot be in one
                error = raised
        if isinstance(error, Cancelled):
            return FinalState(StateName.CANCELLED, error.reason, self.clock(), None, error)
        return FinalState(*failure(run, error), self.clock(), None, error)

    def _set_state(
        self,
        run: RunScope,
        place: TaskScope | None,
        state: State,
        *,
        error: BaseException | None = None,
        kept: Stored = NOT_STORED,
    ) -> None:
        """Move a run, and a subflow's place in its parent, to another state."""
        with self.recorder.batch() as batch:
            if error is not None and state.message.startswith(("Flow run ", "Crash detected!")):
                batch.raised(run, error)
            batch.run_state(run, state)
            if place is not None:
                place.attempt = 1
                batch.task_state(place, state)
                if state.is_final:
                    batch.writer.outcome(place.id, kept)

    def _close_streams(self, run: RunScope, error: BaseException | None) -> BaseException | None:
        """Close what the flow's body left open; gives the flow's error, or one met here."""
        for stream in run.streams:
            try:
                stream.release(failed=error is not None)
            except BaseException as raised:  # noqa: BLE001 - it fails the flow
                error = error or raised
        return error

    def _settle(self, run: RunScope, history: History) -> None:
        """End as cancelled whatever the run's own thread left open."""
        with history.writing() as writer:
            writer.end_open(run.root_id, self._cancelled(run))

    def _cancelled(self, run: RunScope) -> State:
        return State(StateName.CANCELLED, run.cancellation.reason, self.clock())

    def _names(self, flow: Flow[..., Any], parameters: Parameters) -> Iterator[str]:
        own = flow.run_name(parameters)
        # Drawn here: the words take some 30 ms to load, too long for a write transaction.
        return iter([own] if own else list(two_words(self.rng)))

    def _new_run(
        self,
        run: RunScope,
        parameters: Parameters,
        parent: RunScope | None = None,
        parent_task_run_id: str | None = None,
    ) -> NewRun:
        return NewRun(
            id=run.id,
            flow=run.flow_name,
            root_id=run.root_id,
            parent_id=parent.id if parent else None,
            parent_task_run_id=parent_task_run_id,
            parameters=shown(parameters.by_name),
            host=socket.gethostname(),
            pid=os.getpid(),
            process_start=process_start(),
            version=__version__,
        )
