"""What a call of a run need not do again: see `resume.py`, which finds it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from taxietl.orchestrator.run.open_runs import OpenTaskRun
from taxietl.orchestrator.store.states import State, StateName

if TYPE_CHECKING:
    from taxietl.orchestrator.run.resume import Earlier
    from taxietl.orchestrator.store.cache import Found
    from taxietl.orchestrator.store.rows import TaskRunRow


def earlier_result(task_run: OpenTaskRun) -> Found | None:
    """What the same call gave before, claimed, if it completed and can be used."""
    if (earlier := task_run.run.earlier) is None:
        return None
    call, codec = _as_asked(task_run), task_run.spec.codec
    found = earlier.result_of(
        call, codec, functools.partial(claim_cached, task_run), before=task_run.before
    )
    if found is None and task_run.holds_result:
        with task_run.run.services.transaction() as change:
            task_run.reopen(change, change.state(StateName.PENDING))
    return found


def claim_cached(task_run: OpenTaskRun, key: str) -> bool:
    """Keep others from removing what is cached under that key; False if they just did."""
    with task_run.run.services.transaction() as change:
        return change.claim_cached(task_run.id, key)


def earlier_below(place: OpenTaskRun) -> Earlier | None:
    """What the child run in that place need not do again; None if nothing."""
    if (earlier := place.run.earlier) is None:
        return None
    return earlier.below(_as_asked(place), place.before)


def _as_asked(task_run: OpenTaskRun) -> TaskRunRow:
    """As it is to be found among the calls of other runs."""
    now = task_run.run.services.clock()
    return task_run.row(task_run.state or State(StateName.PENDING, "", now))
