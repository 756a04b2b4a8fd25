"""Who is told that top-level runs have ended; what goes wrong there fails no run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from taxietl.orchestrator.define.runs import Run
from taxietl.orchestrator.store import lines
from taxietl.orchestrator.store.lines import ENGINE, Identity, described
from taxietl.orchestrator.store.states import FinalState

if TYPE_CHECKING:
    from taxietl.orchestrator.store.history import History
    from taxietl.orchestrator.store.rows import RunRow

Listener = Callable[[Sequence[Run[Any]], "History"], object]
"""Called with the runs that have ended, and the history that tells more of them."""


def tell_ended(listener: Listener, run: Run[Any], who: Identity, history: History) -> None:
    """Tell of a run that has just ended; what is logged meanwhile is that run's."""
    token = lines.current.set(who)
    try:
        _tell(listener, [run], history)
    finally:
        lines.current.reset(token)


def tell_found_dead(listener: Listener, rows: Sequence[RunRow], history: History) -> None:
    """Tell of runs whose processes had died."""
    _tell(listener, [ended_run(each) for each in rows], history)


def ended_run(row: RunRow) -> Run[Any]:
    """A run that has ended, as far as the history knows it."""
    final = FinalState[Any].of(row.state, None, None)
    return Run(row.id, row.name, row.flow, final, row.parameters)


def _tell(listener: Listener, runs: Sequence[Run[Any]], history: History) -> None:
    try:
        listener(runs, history)
    except BaseException as error:  # noqa: BLE001 - the runs have ended as they have
        message = "Telling that %s ended failed: %s"
        names = ", ".join(repr(each.name) for each in runs)
        logging.getLogger(ENGINE).warning(message, names, described(error))
