"""Names for task runs that their tasks name by their arguments: `@task(run_name=…)`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from taxietl.orchestrator.run.open_runs import OpenTaskRun

if TYPE_CHECKING:
    from taxietl.orchestrator.store.transaction import Transaction


def name_by_arguments(task_run: OpenTaskRun, change: Transaction | None = None) -> None:
    """Call it what its task says; a number tells it from others of its run called the same.

    Args:
        task_run: its arguments are values, no futures any more.
        change: it is stored already, and is renamed there, too.

    Raises:
        ConfigError: there is no name for these arguments.
    """
    if wanted := task_run.spec.run_name_for(task_run.arguments):
        number = task_run.run.next_ordinal(f"called {wanted}")
        task_run.name = f"{wanted}-{number + 1}" if number else wanted
        task_run.who = replace(task_run.who, task_run_name=task_run.name)
        if change is not None:
            change.keep(task_run.id, name=task_run.name)
