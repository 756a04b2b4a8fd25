"""What a task is where no run is around it, or only another task: its plain function."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NoReturn

from taxietl.errors import ConfigError
from taxietl.orchestrator.define.calling import Caller, caller
from taxietl.orchestrator.define.stream import Stream

if TYPE_CHECKING:
    from taxietl.orchestrator.define.inputs import Inputs
    from taxietl.orchestrator.define.specs import FlowSpec, TaskSpec


def plain_call(task: TaskSpec, inputs: Inputs, *, return_state: bool) -> Any:
    """What the task's function returns, or its stream.

    Raises:
        ConfigError: a final state was asked for, or futures to wait for, as of a task run.
    """
    if return_state or inputs.wait_for:
        raise no_task_run(task)
    if task.is_stream:
        opened = functools.partial(task.function, *inputs.args, **inputs.kwargs)
        return Stream[Any, Any](task.name, opened)
    return task.function(*inputs.args, **inputs.kwargs)


def no_task_run(task: TaskSpec) -> ConfigError:
    """What was asked of the call is known of task runs only."""
    return ConfigError(
        f"{task.name}(…) has no return_state= or wait_for= here: it is no task run.",
        hint="Both are for tasks, streaming ones have no return_state=, called in a flow.",
    )


def submitting(name: str, method: str) -> Caller:
    """The run to submit in; ConfigError in a task, outside any flow, or when it is over."""
    run = caller.get()
    if run is None:
        raise not_in_a_flow(name, method, "outside any flow")
    run.check_submitting(name, method)
    return run


def not_in_a_flow(name: str, method: str, where: str) -> ConfigError:
    """Something was to be submitted where nothing can be."""
    return ConfigError(
        f"{name}.{method}() was called {where}; only a flow's own code can submit.",
        hint=f"Call it here: {name}(…). Or move the .{method}() into a flow.",
    )


class InTask:
    """What a task's own code calls through: tasks are plain functions there."""

    name: str
    """The task run's."""

    def call_task(self, task: TaskSpec, inputs: Inputs) -> Any:
        """See `Caller`."""
        return plain_call(task, inputs, return_state=False)

    def end_of_task(self, task: TaskSpec, inputs: Inputs) -> NoReturn:  # noqa: ARG002
        """See `Caller`."""
        raise no_task_run(task)

    def submit(self, called: TaskSpec | FlowSpec, inputs: Inputs) -> NoReturn:  # noqa: ARG002
        """See `Caller`."""
        raise not_in_a_flow(called.name, "submit", f"in the task run {self.name!r}")

    def check_submitting(self, name: str, method: str) -> NoReturn:
        """See `Caller`."""
        raise not_in_a_flow(name, method, f"in the task run {self.name!r}")
