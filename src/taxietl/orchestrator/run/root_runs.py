"""A top-level run: known as alive from before it is stored, reached by signals, ended for certain.

The run itself is in `flow_runs.py`, how signals are heard in `signals.py`, how another process
asks it to stop in `stopping.py`.
"""

from __future__ import annotations

import functools
import logging
import secrets
from contextlib import suppress
from dataclasses import replace
from signal import Signals
from typing import TYPE_CHECKING, Any

from taxietl.errors import Cancelled, TaxietlError
from taxietl.orchestrator.define.calling import refuse_run_here
from taxietl.orchestrator.define.entry import EntryPoint
from taxietl.orchestrator.define.names import wanted_names
from taxietl.orchestrator.define.parameters import Parameters
from taxietl.orchestrator.define.runs import Run
from taxietl.orchestrator.define.specs import FlowSpec
from taxietl.orchestrator.run.callers import caller_of
from taxietl.orchestrator.run.flow_runs import execute
from taxietl.orchestrator.run.listening import tell_ended
from taxietl.orchestrator.run.logs import captured
from taxietl.orchestrator.run.new_runs import new_run_row
from taxietl.orchestrator.run.open_runs import OpenRun
from taxietl.orchestrator.run.pool import Pool
from taxietl.orchestrator.run.resume import Resumption
from taxietl.orchestrator.run.services import Services
from taxietl.orchestrator.stop.cancellation import Cancellation
from taxietl.orchestrator.stop.programs import Programs
from taxietl.orchestrator.stop.signals import may_leave, supervise
from taxietl.orchestrator.stop.stopping import requested, withdraw
from taxietl.orchestrator.store.dashboards import dashboard_address
from taxietl.orchestrator.store.history import History
from taxietl.orchestrator.store.lines import ENGINE, Identity, described
from taxietl.orchestrator.store.liveness import hold
from taxietl.orchestrator.store.states import FinalState, State, StateName

if TYPE_CHECKING:
    from taxietl.filelock import FileLock


def run_to_end(
    services: Services,
    flow: FlowSpec,
    parameters: Parameters,
    *,
    workers: int,
    resumed: Resumption | None = None,
) -> Run[Any]:
    """Store a new top-level run, and see it through.

    Args:
        workers: how many submitted calls of it are at work at a time.
        resumed: the run that it takes up.

    Raises:
        ConfigError: no run may be started here.
        TryLaterError: another process was quicker to resume that run.
    """
    refuse_run_here()
    run_id = secrets.token_hex(16)
    names = wanted_names(flow.run_name_for(parameters.by_name), services.rng)
    with captured(services.history):
        lock = hold(services.home, run_id)
        try:
            who = _store(services, flow, parameters, run_id, names, resumed)
            cancellation = Cancellation()
            run = OpenRun(
                who=who,
                services=services,
                cancellation=cancellation,
                pool=Pool(workers, cancellation),
                caller_of=caller_of,
                log_prints=bool(flow.log_prints),
                parameters=parameters.by_name,
                earlier=resumed.earlier if resumed else None,
            )
            return _told(run, flow, parameters, lock)
        finally:
            services.limits.remove_run(run_id)
            withdraw(services.home, run_id)
            lock.release()


def _told(run: OpenRun, flow: FlowSpec, parameters: Parameters, lock: FileLock) -> Run[Any]:
    """See the run through, and tell whoever listens that it has ended."""
    who, services = run.who, run.services
    tell = functools.partial(tell_ended, services.on_end) if services.on_end else None
    try:
        ended = _supervised(flow, run, parameters, lock)
    except TaxietlError as error:
        if tell:
            crashed = State(StateName.CRASHED, described(error), services.clock())
            final = FinalState[Any].of(crashed, None, error)
            lost = Run(who.run_id, who.run_name, flow.name, final, parameters.by_name)
            tell(lost, who, services.history)
        raise
    if tell:
        tell(ended, who, services.history)
    return ended


def _store(
    services: Services,
    flow: FlowSpec,
    parameters: Parameters,
    run_id: str,
    names: list[str],
    resumed: Resumption | None,
) -> Identity:
    """Insert the run as Pending, with what it takes to run it again, and say so."""
    entry, replay = EntryPoint.of(flow), flow.replay(parameters)
    with services.transaction() as change:
        if resumed:
            change.claim_resume(resumed.run)
        name, base = change.claim_name(names)
        who = Identity(run_id, name, flow.name, run_id)
        row = replace(
            new_run_row(change, who, parameters, base=base),
            resumed_from=resumed.run.id if resumed else None,
            entry=entry.to_json() if entry else None,
            replay=replay.text,
            no_replay=replay.obstacle,
        )
        change.add(row)
        change.say(who, f"Created flow run {name!r} for flow {flow.name!r}", logger=ENGINE)
        if address := dashboard_address(services.home):
            change.say(who, f"View at {address}/runs/{run_id}", logger=ENGINE)
        if resumed:
            change.say(who, f"Going on where run {resumed.run.name!r} stopped")
    return who


def _supervised(flow: FlowSpec, run: OpenRun, parameters: Parameters, lock: FileLock) -> Run[Any]:
    """Execute the run where signals can reach it."""
    services, who = run.services, run.who
    home = services.home

    def heard(number: int) -> None:
        once_more = "; once more to leave at once" if may_leave(number) else ""
        logging.getLogger(ENGINE).warning(
            "Received %s: stopping %r%s.", Signals(number).name, who.run_name, once_more
        )

    def leaving() -> None:
        logging.getLogger(ENGINE).warning("%r does not stop: leaving it.", who.run_name)
        with suppress(Exception):
            _say_ended(run, programs.end(grace_seconds=0))
        with suppress(Exception):
            # A connection of its own: the run's thread may hold the other one.
            _settle(run, History(home, busy_seconds=1), _cancelled(run))
            withdraw(home, who.run_id)
            lock.release()

    ended: list[Run[Any]] = []
    programs = Programs()

    def body() -> Run[Any]:
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
                requested=functools.partial(requested, home, who.run_id),
                heard=heard,
                leaving=leaving,
            )
    except Cancelled as error:  # it struck the engine's own work around the flow
        if ended:
            return ended[0]
        final = FinalState[Any].of(_cancelled(run), None, error)
        return Run(who.run_id, who.run_name, flow.name, final, parameters.by_name)
    except TaxietlError as error:  # its end could not be stored: once more, it may be possible now
        crashed = State(
            StateName.CRASHED, f"Its end could not be stored: {error}", services.clock()
        )
        with suppress(TaxietlError):
            _settle(run, services.history, crashed)
        raise
    finally:
        if run.cancellation.requested:
            _say_ended(run, programs.end())
            _settle(run, services.history, _cancelled(run))


def _say_ended(run: OpenRun, programs: list[str]) -> None:
    """Say which programs of the run were ended, and how many."""
    if programs:
        count = "1 program" if len(programs) == 1 else f"{len(programs)} programs"
        message = f"Ended {count} that it had started: {', '.join(programs)}."
        with run.services.transaction() as change:
            change.say(run.who, message, level=logging.WARNING)


def _settle(run: OpenRun, history: History, state: State) -> None:
    """End whatever the run's own thread left open."""
    with history.transaction(state.at) as change:
        change.end_open(run.who.root_id, state)


def _cancelled(run: OpenRun) -> State:
    return State(StateName.CANCELLED, run.cancellation.reason, run.services.clock())
