"""What the code of a run does: it calls tasks and flows, or submits them.

`tasks.py` and `flows.py` only know what a task and a flow are; they load this when one is called
in a run, which has loaded it all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from taxietl.errors import Cancelled
from taxietl.orchestrator.define.context import RunScope, TaskScope
from taxietl.orchestrator.define.futures import Future
from taxietl.orchestrator.define.inputs import Inputs
from taxietl.orchestrator.define.submission import submit
from taxietl.orchestrator.run.stream_runs import open_stream
from taxietl.orchestrator.run.subflow_runs import SubflowCall, run_in_task
from taxietl.orchestrator.run.task_runs import TaskCall
from taxietl.orchestrator.store.states import FinalState

if TYPE_CHECKING:
    from taxietl.orchestrator.define.flows import Flow
    from taxietl.orchestrator.define.runs import Run
    from taxietl.orchestrator.define.tasks import Task

R = TypeVar("R")


def call_task(task: Task[..., Any], run: RunScope, inputs: Inputs) -> Any:
    """Call a task as part of a run: what it returned, or its stream."""
    if task.is_stream:
        return open_stream(task, run, inputs)
    return _announced(task, run, inputs).run()


def task_state(task: Task[..., Any], run: RunScope, inputs: Inputs) -> FinalState[Any]:
    """Call a task as part of a run: how it ended; raises only if the run is to stop."""
    call = _announced(task, run, inputs)
    value, raised = None, None
    try:
        value = call.run()
    except (Exception, Cancelled) as error:  # noqa: BLE001 - given, or raised below
        raised = error
    state = call.task_run.state
    if raised is not None and (run.cancellation.requested or state is None or not state.is_final):
        raise raised
    assert state is not None
    return FinalState.of(state, value, raised)


def submit_task(task: Task[..., Any], run: RunScope, inputs: Inputs) -> Future[Any]:
    """Have a task called as part of a run, in another thread."""
    run.cancellation.check()
    return submit(TaskCall(task, run, inputs))


def call_flow(flow: Flow[..., R], caller: RunScope | TaskScope, inputs: Inputs) -> Run[R]:
    """Run a flow as a child of the caller's run, in this thread."""
    if isinstance(caller, TaskScope):
        return run_in_task(flow, caller, inputs)
    caller.cancellation.check()
    return SubflowCall(flow, caller, inputs).execute()


def submit_flow(flow: Flow[..., R], run: RunScope, inputs: Inputs) -> Future[R]:
    """Have a flow run as a child of a run, in another thread."""
    run.cancellation.check()
    return submit(SubflowCall(flow, run, inputs))


def _announced(task: Task[..., Any], run: RunScope, inputs: Inputs) -> TaskCall:
    run.cancellation.check()
    call = TaskCall(task, run, inputs)
    call.announce(submitted=False)
    return call
