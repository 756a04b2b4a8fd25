"""Runs flows: creates the run, keeps it known as alive, decides how it ended.

What happens around a task is in `task_runs.py`, around a stream in `stream_runs.py`, how a state
is stored in `recorder.py`, how signals are heard in `signals.py`.
"""

from __future__ import annotations

import functools
import logging
import os
import random
import secrets
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from signal import Signals
from typing import Any, Generic, ParamSpec, TypeVar, cast

from taxietl import __version__
from taxietl.errors import Cancelled
from taxietl.orchestrator.cache_store import CacheStore
from taxietl.orchestrator.cancellation import Cancellation, interruptible
from taxietl.orchestrator.chores import tidy
from taxietl.orchestrator.context import RunScope, TaskScope, scope
from taxietl.orchestrator.filelock import FileLock
from taxietl.orchestrator.flows import Flow
from taxietl.orchestrator.history import History
from taxietl.orchestrator.liveness import hold, process_start, reconcile
from taxietl.orchestrator.logs import ENGINE, captured
from taxietl.orchestrator.names import two_words
from taxietl.orchestrator.parameters import Parameters, return_annotation
from taxietl.orchestrator.recorder import Listener, Recorder, described
from taxietl.orchestrator.records import RunRecord
from taxietl.orchestrator.results import NOT_STORED, ResultCodec, Stored, digest_of, shown, stored
from taxietl.orchestrator.resume import Done, Resumption, plan_resume, replayable
from taxietl.orchestrator.signals import supervise
from taxietl.orchestrator.states import State, StateName, StateType, final_state
from taxietl.orchestrator.stopping import requested, withdraw
from taxietl.orchestrator.stream_runs import open_stream
from taxietl.orchestrator.task_runs import TaskCall
from taxietl.orchestrator.tasks import Task
from taxietl.orchestrator.writer import NewRun, NewTaskRun

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Run(Generic[R]):
    """A run that has ended."""

    id: str
    name: str
    flow_name: str
    state: State
    _value: R | None = field(default=None, repr=False)
    _error: BaseException | None = field(default=None, repr=False)

    def result(self) -> R:
        """What the flow returned; raises what made it fail."""
        if self._error is not None:
            raise self._error
        return cast(R, self._value)


class Engine:
    """Runs flows and keeps their history in one home folder; may be used by many threads.

    Args:
        home: the folder of the history; made if need be.
        clock: the time now, aware.
        sleep: waits between attempts; left out, a wait that a cancellation ends.
        rng: for names and jitter.
        listeners: told of every change of state; one that raises is logged, and fails no run.
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
        keep_days: float | None = 90,
        cache_bytes: int | None = 10_000_000_000,
    ) -> None:
        self.home = home
        self.clock, self.sleep = clock, sleep
        self.rng = rng or random.Random()
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
        names = self._names(flow, parameters)
        run_id = secrets.token_hex(16)
        run = RunScope(self, run_id, "", flow.name, run_id, Cancellation())
        run.earlier = resumed.earlier if resumed else None
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
                withdraw(self.home, run_id)
                lock.release()

    def run_subflow(
        self,
        flow: Flow[..., R],
        caller: RunScope | TaskScope,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Run[R]:
        """Run a flow as a child of the caller's run, in this thread."""
        parameters = flow.parameters(args, kwargs)
        names = self._names(flow, parameters)
        parent = caller.run if isinstance(caller, TaskScope) else caller
        parent.cancellation.check()
        run_id = secrets.token_hex(16)
        run = RunScope(self, run_id, "", flow.name, parent.root_id, parent.cancellation)
        # Called in a task, the child is the task's affair, whose own state tells.
        if isinstance(caller, TaskScope):
            place, owner = None, caller
        else:
            owner, place = _place(flow, parent, run, parameters)
        if place is not None and parent.earlier is not None:
            done = parent.earlier.done(place, ResultCodec(return_annotation(flow.function)))
            if done is not None:
                return self._reused(flow, owner, place, done)
            run.earlier = parent.earlier.below(place)
        with self.recorder.batch() as batch:
            batch.new_run(run, self._new_run(run, parameters, parent, owner.id), names)
            batch.say(parent, f"Created subflow run {run.name!r} for flow {flow.name!r}")
            if place is not None:
                batch.new_task_run(owner, place, batch.state(StateName.PENDING))
        if place is None:
            return self._execute(flow, run, parameters, None)
        ended = self._execute(flow, run, parameters, owner)
        parent.note(owner.id, ended.state.type, ended._error)
        return ended

    def _reused(
        self, flow: Flow[..., R], owner: TaskScope, place: NewTaskRun, done: Done
    ) -> Run[R]:
        """A child run that had completed in the run that is taken up: not run again."""
        old = done.record
        with self.recorder.batch() as batch:
            place = replace(place, child_run_id=old.child_run_id)
            batch.new_task_run(owner, place, batch.state(StateName.PENDING))
            state = batch.state(StateName.CACHED, done.message)
            batch.task_end(owner, state)
            batch.writer.outcome(owner.id, Stored(old.result, old.files))
        owner.run.note(owner.id, state.type)
        child = self.history.find(old.child_run_id or "")
        name = child.name if child else place.name
        return Run(old.child_run_id or "", name, flow.name, state, done.value)

    def call(
        self,
        task: Task[..., Any],
        run: RunScope,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Call a task as part of a run."""
        if task.is_stream:
            return open_stream(self, task, run, args, kwargs)
        return TaskCall(self, task, run, args, kwargs).execute()

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
                functools.partial(self._execute, flow, run, parameters, None),
                run.cancellation,
                requested=functools.partial(requested, self.home, run.id),
                heard=heard,
                leaving=leaving,
            )
        except Cancelled as error:  # it struck the engine's own work around the flow
            return Run(run.id, run.name, flow.name, self._cancelled(run), None, error)
        finally:
            if run.cancellation.requested:
                self._settle(run, self.history)

    def _execute(
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
            value = interruptible(flow.function, *parameters.args, **parameters.kwargs)
            run.cancellation.check()
        except BaseException as raised:  # noqa: BLE001 - `Run.result` raises it again
            error = raised
        finally:
            scope.reset(token)
        error = self._close_streams(run, error)
        if run.cancellation.requested and not isinstance(error, Cancelled):
            error = run.cancellation.error()
        state, error = self._verdict(run, value, error)
        codec = ResultCodec(return_annotation(flow.function))
        kept = stored(codec, value) if place and error is None else NOT_STORED
        self._set_state(run, place, state, error=error, kept=kept)
        return Run(run.id, run.name, flow.name, state, value, error)

    def _verdict(
        self, run: RunScope, value: object, error: BaseException | None
    ) -> tuple[State, BaseException | None]:
        """A run's last state, and the error its caller gets."""
        if isinstance(error, Cancelled):
            return State(StateName.CANCELLED, error.reason, self.clock()), error
        if error is not None:
            message = f"Flow run encountered an exception: {described(error)}"
            return State(StateName.FAILED, message, self.clock()), error
        outcomes = run.outcomes()
        state = final_state(value, [each.state for each in outcomes], self.clock())
        if state.type is StateType.FAILED:
            failed = (StateType.FAILED, StateType.CRASHED)
            error = next(each.error for each in outcomes if each.state in failed)
        elif state.type is StateType.CANCELLED:
            error = Cancelled(state.message)
        return state, error

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
            if error is not None and state.message.startswith("Flow run encountered"):
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


def _place(
    flow: Flow[..., Any], parent: RunScope, run: RunScope, parameters: Parameters
) -> tuple[TaskScope, NewTaskRun]:
    """The task run that stands for a subflow in its parent."""
    ordinal = parent.next_ordinal(flow.name)
    text = shown(parameters.by_name)
    new = NewTaskRun(
        id=secrets.token_hex(8),
        run_id=parent.id,
        task=flow.name,
        name=f"{flow.name}-{ordinal}",
        ordinal=ordinal,
        kind="subflow",
        version="",
        tags=frozenset(),
        arguments=text,
        digest=digest_of(parameters.by_name, text),
        child_run_id=run.id,
    )
    return TaskScope(parent, new.id, new.name), new
