"""What a run or task run begins with, before it is stored."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from taxietl import __version__
from taxietl.orchestrator.define.context import RunScope, TaskScope
from taxietl.orchestrator.store.arguments import shown, shown_with_digest
from taxietl.orchestrator.store.liveness import process_start


@dataclass(frozen=True)
class NewRun:
    """What a run begins with."""

    id: str
    flow: str
    root_id: str
    parent_id: str | None
    parent_task_run_id: str | None
    parameters: str
    host: str
    pid: int
    process_start: datetime | None
    version: str
    resumed_from: str | None = None
    entry: str | None = None
    replay: str | None = None
    no_replay: str | None = None


@dataclass(frozen=True)
class NewTaskRun:
    """What a task run begins with."""

    id: str
    run_id: str
    task: str
    name: str
    ordinal: int
    kind: str
    version: str
    tags: frozenset[str]
    arguments: str | None = None
    digest: str | None = None
    child_run_id: str | None = None

    def given(self, arguments: Mapping[str, object]) -> NewTaskRun:
        """The same with its arguments, as far as they are known."""
        text, digest = shown_with_digest(arguments)
        return replace(self, arguments=text, digest=digest)


def new_run(
    run: RunScope, parameters: Mapping[str, object], *, owner: TaskScope | None = None
) -> NewRun:
    """A run of this process; of a child run, the owner is the task run that it belongs to."""
    return NewRun(
        id=run.id,
        flow=run.flow_name,
        root_id=run.root_id,
        parent_id=owner.run.id if owner else None,
        parent_task_run_id=owner.id if owner else None,
        parameters=shown(parameters),
        host=socket.gethostname(),
        pid=os.getpid(),
        process_start=process_start(),
        version=__version__,
    )


def new_task_run(
    run: RunScope,
    task: str,
    arguments: Mapping[str, object],
    *,
    kind: str,
    version: str = "",
    tags: frozenset[str] = frozenset(),
) -> tuple[TaskScope, NewTaskRun]:
    """A task run, which takes the task's next ordinal in its run."""
    ordinal = run.next_ordinal(task)
    new = NewTaskRun(
        id=secrets.token_hex(8),
        run_id=run.id,
        task=task,
        name=f"{task}-{ordinal}",
        ordinal=ordinal,
        kind=kind,
        version=version,
        tags=tags,
    ).given(arguments)
    return TaskScope(run, new.id, new.name, call=run.call), new
