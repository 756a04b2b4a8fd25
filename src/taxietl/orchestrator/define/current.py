"""The run and task run that the code which asks is part of."""

from __future__ import annotations

from taxietl.orchestrator.define.calling import caller
from taxietl.orchestrator.define.runs import CurrentRun
from taxietl.orchestrator.stop.cancellation import current_cancellation
from taxietl.orchestrator.store import lines


def current_run() -> CurrentRun | None:
    """The run this code belongs to; None outside any run.

    An isolated task's process does not know the parameters.
    """
    who, around = lines.current.get(), caller.get()
    if who is None or around is None:
        return None
    return CurrentRun(
        id=who.run_id,
        name=who.run_name,
        flow_name=who.flow_name,
        cancellation=current_cancellation(),
        parameters=around.parameters(),
        task_run=around.task_run(),
    )
