"""One call of a flow in a run: its place among the parent's task runs, and the child run.

A flow called in a task has no such place: it is the task's affair, whose own state tells.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from taxietl.orchestrator.define.inputs import Inputs, NotReadyError
from taxietl.orchestrator.define.names import wanted_names
from taxietl.orchestrator.define.parameters import Parameters
from taxietl.orchestrator.define.runs import Run
from taxietl.orchestrator.define.specs import FlowSpec
from taxietl.orchestrator.run.endings import end_with_error, noting_unstored
from taxietl.orchestrator.run.flow_runs import execute
from taxietl.orchestrator.run.new_runs import new_run_row
from taxietl.orchestrator.run.open_runs import OpenRun, OpenTaskRun
from taxietl.orchestrator.run.reuse import earlier_below, earlier_result
from taxietl.orchestrator.stop.cancellation import current_cancellation
from taxietl.orchestrator.store.lines import Identity
from taxietl.orchestrator.store.states import FinalState, StateName

if TYPE_CHECKING:
    from taxietl.orchestrator.store.cache import Found
    from taxietl.orchestrator.store.transaction import Transaction


class Place:
    """The place of a child run among the task runs of its parent."""

    def __init__(self, flow: FlowSpec, parent: OpenRun, inputs: Inputs) -> None:
        self._flow, self._parent, self._inputs = flow, parent, inputs
        # What is there is checked at the call; of what is not, only the values can be.
        self._parameters = None if inputs.futures else flow.parameters(inputs.args, inputs.kwargs)
        arguments = flow.arguments(inputs.args, inputs.kwargs)
        self.task_run = OpenTaskRun(parent, flow, arguments, kind="subflow")

    def execute(self) -> Run[Any]:
        """Run the flow as a child of the parent; raises only if it could not begin."""
        flow, task_run, inputs = self._flow, self.task_run, self._inputs
        try:
            self._parent.cancellation.check()
            inputs.settle()
            parameters = self._parameters or flow.parameters(inputs.args, inputs.kwargs)
            task_run.arguments = parameters.by_name
            if (found := earlier_result(task_run)) is not None:
                return self._reused(found)
            child = _child(flow, task_run, parameters, is_place=True)
        except NotReadyError as error:
            raise self._fail(error) from None
        except BaseException as error:
            self._fail(error)
            raise
        with noting_unstored(task_run):
            ended = execute(flow, child, parameters, place=task_run)
        self._parent.note(task_run.id, ended.state.type, ended.final_state.error)
        return ended

    def _reused(self, found: Found) -> Run[Any]:
        """A child run that had completed in the run that is taken up: not run again."""
        task_run = self.task_run
        with self._parent.services.transaction() as change:
            _store_place(change, task_run, found.child_run_id)
            task_run.complete(
                *(change, StateName.CACHED, found.stored),
                message=found.message,
                reused_from=found.reused_from,
            )
        child = self._parent.services.history.find(found.child_run_id or "")
        name = child.name if child else task_run.name
        state = change.state(StateName.CACHED, found.message)
        final = FinalState[Any].of(state, found.value, None)
        return Run(found.child_run_id or "", name, self._flow.name, final)

    def _fail(self, error: BaseException) -> BaseException:
        """Record that the flow could not begin; gives the error to raise."""
        if self.task_run.state is None:
            self.task_run.store(StateName.PENDING)
        return end_with_error(self.task_run, error)


def run_in_task(flow: FlowSpec, task_run: OpenTaskRun, inputs: Inputs) -> Run[Any]:
    """Run a flow called in a task; ConfigError if a parameter is wrong."""
    current_cancellation().check()
    try:
        inputs.settle()
    except NotReadyError as error:
        raise error.error from None
    parameters = flow.parameters(inputs.args, inputs.kwargs)
    child = _child(flow, task_run, parameters, is_place=False)
    return execute(flow, child, parameters)


def _child(
    flow: FlowSpec, owner: OpenTaskRun, parameters: Parameters, *, is_place: bool
) -> OpenRun:
    """Store a child run.

    Args:
        owner: the task run that it belongs to.
        is_place: that is its place in its parent; else the task that called it.
    """
    parent = owner.run
    services, earlier = parent.services, earlier_below(owner) if is_place else None
    names = wanted_names(flow.run_name_for(parameters.by_name), services.rng)
    run_id = secrets.token_hex(16)
    with services.transaction() as change:
        name, base = change.claim_name(names)
        who = Identity(run_id, name, flow.name, parent.who.root_id)
        change.add(new_run_row(change, who, parameters, base=base, above=owner.who))
        change.say(parent.who, f"Created subflow run {name!r} for flow {flow.name!r}")
        if is_place:
            _store_place(change, owner, run_id)
    return OpenRun(
        who=who,
        services=services,
        cancellation=parent.cancellation if is_place else current_cancellation(),
        pool=parent.pool,
        caller_of=parent.caller_of,
        parameters=parameters.by_name,
        log_prints=parent.log_prints if flow.log_prints is None else flow.log_prints,
        earlier=earlier,
    )


def _store_place(change: Transaction, place: OpenTaskRun, child_run_id: str | None) -> None:
    """Insert a subflow's place; of one that was submitted, keep what it begins with."""
    if place.state is None:
        place.add(change, StateName.PENDING, child_run_id=child_run_id)
    else:
        place.keep_inputs(change, child_run_id=child_run_id)
