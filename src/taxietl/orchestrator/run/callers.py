"""What the code of a run calls tasks and flows through: the way in to all that a call is.

A flow's own code calls and submits task runs and child runs; a task's code only runs flows, as
children of its run.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from taxietl.errors import Cancelled, ConfigError
from taxietl.orchestrator.define.calling import Caller
from taxietl.orchestrator.define.futures import Future
from taxietl.orchestrator.define.inputs import Inputs
from taxietl.orchestrator.define.outside import InTask, no_task_run
from taxietl.orchestrator.define.runs import CurrentTaskRun, Run
from taxietl.orchestrator.define.specs import FlowSpec, TaskSpec
from taxietl.orchestrator.run.open_runs import OpenRun, OpenTaskRun
from taxietl.orchestrator.run.stream_runs import open_stream
from taxietl.orchestrator.run.subflow_runs import Place, run_in_task
from taxietl.orchestrator.run.submission import submit
from taxietl.orchestrator.run.task_runs import make_call, open_task_run
from taxietl.orchestrator.store.states import FinalState, StateName


def caller_of(place: OpenRun | OpenTaskRun) -> Caller:
    """What that run's or task run's code calls through."""
    return RunCaller(place) if isinstance(place, OpenRun) else TaskCaller(place)


class RunCaller:
    """For a flow's own code."""

    def __init__(self, run: OpenRun) -> None:
        self._run = run

    def call_task(self, task: TaskSpec, inputs: Inputs) -> Any:
        """See `Caller`."""
        if task.is_stream:
            return open_stream(task, self._run, inputs)
        return make_call(task, self._announced(task, inputs), inputs)

    def end_of_task(self, task: TaskSpec, inputs: Inputs) -> FinalState[Any]:
        """See `Caller`."""
        if task.is_stream:
            raise no_task_run(task)
        task_run = self._announced(task, inputs)
        value, raised = None, None
        try:
            value = make_call(task, task_run, inputs)
        except (Exception, Cancelled) as error:  # noqa: BLE001 - given, or raised below
            raised = error
        state = task_run.state
        if raised is not None and (
            self._run.cancellation.requested or state is None or not state.is_final()
        ):
            raise raised
        assert state is not None
        return FinalState.of(state, value, raised)

    def call_flow(self, flow: FlowSpec, inputs: Inputs) -> Run[Any]:
        """See `Caller`."""
        self._run.cancellation.check()
        return Place(flow, self._run, inputs).execute()

    def submit(self, called: TaskSpec | FlowSpec, inputs: Inputs) -> Future[Any]:
        """See `Caller`."""
        self._run.cancellation.check()
        if isinstance(called, FlowSpec):
            place = Place(called, self._run, inputs)
            return submit(place.task_run, inputs.upstreams, lambda: place.execute().result())
        task_run = open_task_run(called, self._run, inputs)
        make = functools.partial(make_call, called, task_run, inputs)
        return submit(task_run, inputs.upstreams, make)

    def parameters(self) -> Mapping[str, Any]:
        """See `Caller`."""
        return self._run.parameters

    def task_run(self) -> None:
        """See `Caller`."""

    def check_submitting(self, name: str, method: str) -> None:
        """See `Caller`."""
        if self._run.has_ended:  # a thread that the flow's code began, and did not wait for
            raise ConfigError(
                f"{name}.{method}() was called after the end of its run"
                f" {self._run.who.run_name!r}.",
                hint="Wait for threads of your own before the flow returns.",
            )

    def _announced(self, task: TaskSpec, inputs: Inputs) -> OpenTaskRun:
        self._run.cancellation.check()
        task_run = open_task_run(task, self._run, inputs)
        task_run.store(StateName.PENDING)
        return task_run


class TaskCaller(InTask):
    """For a task's own code."""

    def __init__(self, task_run: OpenTaskRun) -> None:
        self.name, self._task_run = task_run.name, task_run

    def call_flow(self, flow: FlowSpec, inputs: Inputs) -> Run[Any]:
        """See `Caller`."""
        return run_in_task(flow, self._task_run, inputs)

    def parameters(self) -> Mapping[str, Any]:
        """See `Caller`."""
        return self._task_run.run.parameters

    def task_run(self) -> CurrentTaskRun:
        """See `Caller`."""
        here = self._task_run
        task_name, attempt = here.spec.name, here.attempt
        return CurrentTaskRun(here.id, here.name, task_name, attempt, here.arguments)
