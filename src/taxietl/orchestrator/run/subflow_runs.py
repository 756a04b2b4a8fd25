"""One call of a flow in a run: its place among the parent's task runs, and the child run.

A flow called in a task has no such place: it is the task's affair, whose own state tells.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from taxietl.errors import ConfigError
from taxietl.orchestrator.define.context import RunScope, TaskScope
from taxietl.orchestrator.define.inputs import Inputs, NotReadyError
from taxietl.orchestrator.define.parameters import Parameters
from taxietl.orchestrator.define.runs import Run
from taxietl.orchestrator.run.failures import end_with_error, noting_unstored
from taxietl.orchestrator.run.flow_runs import execute
from taxietl.orchestrator.store.beginnings import NewTaskRun, new_run, new_task_run
from taxietl.orchestrator.store.names import wanted_names
from taxietl.orchestrator.store.results import Stored
from taxietl.orchestrator.store.states import FinalState, StateName

if TYPE_CHECKING:
    from taxietl.orchestrator.define.flows import Flow
    from taxietl.orchestrator.run.resume import Done
    from taxietl.orchestrator.store.recorder import Batch

R = TypeVar("R")


class SubflowCall(Generic[R]):
    """One call of a flow by the code of another one."""

    def __init__(self, flow: Flow[..., R], parent: RunScope, inputs: Inputs) -> None:
        self._engine, self._flow, self._parent = parent.engine, flow, parent
        self._inputs, self.upstreams = inputs, inputs.upstreams
        # What is there is checked at the call; of what is not, only the values can be.
        self._parameters = None if inputs.futures else flow.parameters(inputs.args, inputs.kwargs)
        arguments = flow.arguments(inputs.args, inputs.kwargs)
        self.task_run, self._new = new_task_run(
            parent, flow.name, arguments, kind="subflow", version=flow.version
        )

    def announce(self, *, submitted: bool) -> None:
        """Store its place as pending."""
        with self._engine.recorder.batch() as batch:
            state = batch.state(StateName.PENDING)
            batch.new_task_run(self.task_run, self._new, state, submitted=submitted)

    def run(self) -> R:
        """Run the flow: what it returned."""
        return self.execute().result()

    def execute(self) -> Run[R]:
        """Run the flow as a child of the parent; raises only if it could not begin."""
        try:
            self._parent.cancellation.check()
            self._inputs.settle()
            parameters = self._parameters or self._flow.parameters(
                self._inputs.args, self._inputs.kwargs
            )
            place = self._new.given(parameters.by_name)
            if (done := self._done(place)) is not None:
                return self._reused(place, done)
            child = _child(self._flow, self.task_run, parameters, place)
        except NotReadyError as error:
            raise self._fail(error) from None
        except BaseException as error:
            self._fail(error)
            raise
        with noting_unstored(self.task_run):
            ended = execute(self._flow, child, parameters, place=self.task_run)
        self._parent.note(self.task_run.id, ended.state.type, ended.final_state.error)
        return ended

    def _done(self, place: NewTaskRun) -> Done | None:
        """The same call in the run that is taken up, if it completed there."""
        earlier = self._parent.earlier
        return earlier.done(place, self._flow.codec) if earlier else None

    def _reused(self, place: NewTaskRun, done: Done) -> Run[R]:
        """A child run that had completed in the run that is taken up: not run again."""
        old, owner = done.record, self.task_run
        place = replace(place, child_run_id=old.child_run_id)
        with self._engine.recorder.batch() as batch:
            _store_place(batch, owner, place)
            state = batch.state(StateName.CACHED, done.message)
            batch.task_end(owner, state)
            batch.writer.outcome(owner.id, Stored(old.result, old.files))
        self._parent.note(owner.id, state.type)
        child = self._engine.history.find(old.child_run_id or "")
        name = child.name if child else place.name
        final = FinalState[R].of(state, done.value, None)
        return Run(old.child_run_id or "", name, self._flow.name, final)

    def _fail(self, error: BaseException) -> BaseException:
        """Record that the flow could not begin; gives the error to raise."""
        if self.task_run.state is None:
            self.announce(submitted=False)
        return end_with_error(self.task_run, error)


def run_in_task(flow: Flow[..., R], caller: TaskScope, inputs: Inputs) -> Run[R]:
    """Run a flow called in a task.

    Raises:
        ConfigError: the task is in a process of its own; or a parameter is wrong.
    """
    if caller.is_isolated:
        raise ConfigError(
            f"{flow!r} was called in an isolated task, whose process has no history.",
            hint="Call flows from a flow, or from a task without isolate=.",
        )
    caller.cancellation.check()
    try:
        inputs.settle()
    except NotReadyError as error:
        raise error.error from None
    parameters = flow.parameters(inputs.args, inputs.kwargs)
    return execute(flow, _child(flow, caller, parameters, None), parameters)


def _child(
    flow: Flow[..., Any], owner: TaskScope, parameters: Parameters, place: NewTaskRun | None
) -> RunScope:
    """Store a child run that belongs to a task run, its place in the parent or its caller."""
    parent = owner.run
    engine = parent.engine
    names = wanted_names(flow.run_name(parameters), engine.rng)
    shared = (parent.root_id, owner.cancellation, parent.pool)
    run = RunScope(
        *(engine, secrets.token_hex(16), "", flow.name, *shared),
        call=owner.call,
        log_prints=parent.log_prints if flow.log_prints is None else flow.log_prints,
        earlier=parent.earlier.below(place) if parent.earlier and place else None,
    )
    new = new_run(run, parameters.by_name, owner=owner)
    with engine.recorder.batch() as batch:
        batch.new_run(run, new, names)
        batch.say(parent, f"Created subflow run {run.name!r} for flow {flow.name!r}")
        if place is not None:
            _store_place(batch, owner, replace(place, child_run_id=run.id))
    return run


def _store_place(batch: Batch, owner: TaskScope, place: NewTaskRun) -> None:
    """Insert a subflow's place; of one that was submitted, keep what it begins with."""
    if owner.state is None:
        batch.new_task_run(owner, place, batch.state(StateName.PENDING))
    else:
        batch.writer.inputs(place)
