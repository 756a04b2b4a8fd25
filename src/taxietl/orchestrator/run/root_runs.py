"""A top-level run: known as alive from before it is stored, reached by signals, ended for certain.

The run itself is in `flow_runs.py`, how signals are heard in `signals.py`, how another process
asks it to stop in `stopping.py`.
"""

from __future__ import annotations

import functools
import logging
import secrets
from contextlib import suppress
from signal import Signals
from typing import TYPE_CHECKING, TypeVar

from taxietl.errors import Cancelled, TaxietlError
from taxietl.orchestrator.define.context import RunScope, refuse_run_here
from taxietl.orchestrator.define.flows import Flow
from taxietl.orchestrator.define.parameters import Parameters
from taxietl.orchestrator.define.runs import Run
from taxietl.orchestrator.run.flow_runs import execute
from taxietl.orchestrator.run.pool import Pool
from taxietl.orchestrator.run.resume import Resumption, replayable
from taxietl.orchestrator.stop.cancellation import Cancellation
from taxietl.orchestrator.stop.programs import Programs
from taxietl.orchestrator.stop.signals import supervise
from taxietl.orchestrator.stop.stopping import requested, withdraw
from taxietl.orchestrator.store.beginnings import new_run
from taxietl.orchestrator.store.filelock import FileLock
from taxietl.orchestrator.store.history import History
from taxietl.orchestrator.store.liveness import hold
from taxietl.orchestrator.store.logs import ENGINE, captured
from taxietl.orchestrator.store.names import wanted_names
from taxietl.orchestrator.store.states import FinalState, State, StateName

if TYPE_CHECKING:
    from taxietl.orchestrator.run.engine import Engine

R = TypeVar("R")


def run_to_end(
    engine: Engine,
    flow: Flow[..., R],
    parameters: Parameters,
    *,
    resumed: Resumption | None = None,
) -> Run[R]:
    """Store a new top-level run, and see it through.

    Raises:
        ConfigError: no run may be started here.
        TryLaterError: another process was quicker to resume that run.
    """
    refuse_run_here()
    run_id = secrets.token_hex(16)
    cancellation = Cancellation()
    pool = Pool(engine.workers, cancellation)
    run = RunScope(
        *(engine, run_id, "", flow.name, run_id, cancellation, pool),
        log_prints=bool(flow.log_prints),
        earlier=resumed.earlier if resumed else None,
    )
    names = wanted_names(flow.run_name(parameters), engine.rng)
    with captured:
        lock = hold(engine.home, run_id)
        try:
            _store(flow, run, parameters, names, resumed)
            return _supervised(flow, run, parameters, lock)
        finally:
            engine.limits.remove_run(run_id)
            withdraw(engine.home, run_id)
            lock.release()


def _store(
    flow: Flow[..., R],
    run: RunScope,
    parameters: Parameters,
    names: list[str],
    resumed: Resumption | None,
) -> None:
    """Insert the run as Pending, and say so."""
    new = replayable(new_run(run, parameters.by_name), flow, parameters)
    with run.engine.recorder.batch() as batch:
        if resumed:
            new = resumed.claim(batch.writer, new)
        batch.new_run(run, new, names)
        batch.say(run, f"Created flow run {run.name!r} for flow {flow.name!r}", logger=ENGINE)
        if resumed:
            batch.say(run, f"Going on where run {resumed.run.name!r} stopped")


def _supervised(
    flow: Flow[..., R], run: RunScope, parameters: Parameters, lock: FileLock
) -> Run[R]:
    """Execute the run where signals can reach it."""
    engine, home = run.engine, run.engine.home

    def heard(number: int) -> None:
        logging.getLogger(ENGINE).warning(
            "Received %s: stopping %r; once more to leave at once.",
            Signals(number).name,
            run.name,
        )

    def leaving() -> None:
        logging.getLogger(ENGINE).warning("%r does not stop: leaving it.", run.name)
        with suppress(Exception):
            _say_ended(run, programs.end(grace_seconds=0))
        with suppress(Exception):
            # A connection of its own: the run's thread may hold the other one.
            _settle(run, History(home, busy_seconds=1), _cancelled(run))
            withdraw(home, run.id)
            lock.release()

    ended: list[Run[R]] = []
    programs = Programs()

    def body() -> Run[R]:
        try:
            ended.append(execute(flow, run, parameters))
            return ended[0]
        finally:
            run.pool.close()

    try:
        with programs, run.cancellation.on_cancel(programs.ask):
            return supervise(
                body,
                run.cancellation,
                requested=functools.partial(requested, home, run.id),
                heard=heard,
                leaving=leaving,
            )
    except Cancelled as error:  # it struck the engine's own work around the flow
        if ended:
            return ended[0]
        final = FinalState[R].of(_cancelled(run), None, error)
        return Run(run.id, run.name, flow.name, final, parameters.by_name)
    except TaxietlError as error:  # its end could not be stored: once more, it may be possible now
        crashed = State(StateName.CRASHED, f"Its end could not be stored: {error}", engine.clock())
        with suppress(TaxietlError):
            _settle(run, engine.history, crashed)
        raise
    finally:
        if run.cancellation.requested:
            _say_ended(run, programs.end())
            _settle(run, engine.history, _cancelled(run))


def _say_ended(run: RunScope, programs: list[str]) -> None:
    """Say which programs of the run were ended, and how many."""
    if programs:
        count = "1 program" if len(programs) == 1 else f"{len(programs)} programs"
        message = f"Ended {count} that it had started: {', '.join(programs)}."
        with run.engine.recorder.batch() as batch:
            batch.say(run, message, level=logging.WARNING)


def _settle(run: RunScope, history: History, state: State) -> None:
    """End whatever the run's own thread left open."""
    with history.writing() as writer:
        writer.end_open(run.root_id, state)


def _cancelled(run: RunScope) -> State:
    return State(StateName.CANCELLED, run.cancellation.reason, run.engine.clock())
