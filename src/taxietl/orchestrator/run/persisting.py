"""The result of a task with `persist_result=True`: it is kept, or the call has failed.

What has a JSON form the history keeps, as that of any task. A frame needs a file; it lies in the
cache, whose size is bounded, under a key of this call alone: a run that takes this one up finds it,
another call does not. It goes when the run is pruned, or when the cache needs its room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxietl.orchestrator.run.caching import make_room, tell_not_kept
from taxietl.orchestrator.store import frames
from taxietl.orchestrator.store.arguments import shown
from taxietl.orchestrator.store.cache import CacheKey, row_for
from taxietl.orchestrator.store.results import (
    NOT_STORED,
    HoldsSecretError,
    NotStorableError,
    refusal,
    stored,
)
from taxietl.orchestrator.store.states import StateName

if TYPE_CHECKING:
    from taxietl.orchestrator.define.specs import TaskSpec
    from taxietl.orchestrator.run.open_runs import OpenTaskRun
    from taxietl.orchestrator.store.cache import CacheRow

OPTION = "persist_result=True"


def complete_persisted(task: TaskSpec, task_run: OpenTaskRun, value: object) -> None:
    """Keep what the task returned, and record its end.

    Raises:
        ConfigError: the result cannot be stored.
    """
    services, row, kept = task_run.run.services, None, NOT_STORED
    try:
        if frames.are_in(value):
            row = _row(task, task_run, value)
            kept = row.stored()
        else:
            kept = stored(task.codec, value, strict=True)
    except HoldsSecretError as error:
        tell_not_kept(task_run, error)
    except NotStorableError as error:
        raise refusal(task.name, OPTION, error) from error
    with services.transaction() as change:
        if row is not None:
            change.keep_cached(row)
        task_run.complete(change, StateName.COMPLETED, kept)
    if row is not None:
        make_room(services)


def _row(task: TaskSpec, task_run: OpenTaskRun, value: object) -> CacheRow:
    """A result with frames as the cache keeps it."""
    services = task_run.run.services
    key = CacheKey(
        *(f"run/{task_run.id}", task.name, task.place, task.fixed_version or task.version),
        *(shown(task_run.arguments), "{}"),
    )
    return row_for(
        *(key, task.codec, value),
        folder=services.cache.folder,
        expires=None,
        now=services.clock(),
        run_id=task_run.who.run_id,
        option=OPTION,
    )
