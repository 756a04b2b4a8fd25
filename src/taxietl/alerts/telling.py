"""Runs that have ended, and what else is to be told: as digests to whom they concern.

Nothing here raises an error of ours: what cannot be told is logged, as CRITICAL, since nobody else
will tell it, and so it is shown under `--quiet`, too.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from taxietl.alerts.digest import Notice, digest, notices_of, this_host
from taxietl.alerts.sending import Message, send
from taxietl.errors import TaxietlError
from taxietl.orchestrator.query.runs import Tree, has_failed_in, tree_of
from taxietl.orchestrator.run.listening import ended_run

if TYPE_CHECKING:
    from datetime import datetime

    from taxietl.config import AlertSettings
    from taxietl.orchestrator import History, Run

_logger = logging.getLogger("taxietl.alerts")


def tell_of_runs(
    alerts: Sequence[AlertSettings], runs: Sequence[Run[Any]], history: History
) -> None:
    """Tell of top-level runs that have ended, all in one digest for each address."""
    notices: list[Notice] = []
    more: list[str] = []
    for run in runs:
        tree = _tree(history, run)
        found = notices_of(run, tree)
        if found:
            notices += found
            more.append(_how_to_see(history, tree) if tree else f"Run {run.name!r}.")
    tell(alerts, notices, more=more)


def tell_of_command(
    alerts: Sequence[AlertSettings],
    history: History,
    notice: Notice,
    *,
    since: datetime,
    told_by: int | None,
) -> None:
    """Tell how a command ended that was started by us, with the runs that crashed in it.

    Args:
        alerts: who is to be told.
        history: of the home that it used; opened, so that dead runs are marked.
        notice: how it ended.
        since: when it was started.
        told_by: its process, if it ended by itself: a run that failed there has told of that.
    """
    dead = history.take_found_dead()
    if not dead and told_by is not None and has_failed_in(history, told_by, since=since):
        return
    notices, more = [notice], list[str]()
    for row in dead:
        tree = tree_of(history, row, states=False, task_runs=False)
        notices += notices_of(ended_run(row), tree)
        more.append(_how_to_see(history, tree))
    tell(alerts, notices, more=more)


def tell(
    alerts: Sequence[AlertSettings], notices: Sequence[Notice], *, more: Sequence[str] = ()
) -> None:
    """Tell of anything, to whoever asked for it."""
    host = this_host()
    digests = [(each, digest(notices, each.on, host=host, more=more)) for each in alerts]
    messages = [Message(alert, found) for alert, found in digests if found]
    if not messages:
        return
    try:
        outcomes = send(messages)
    except TaxietlError as error:
        _logger.critical("No alert could be sent: %s %s", error.message, error.hint)
        return
    for message, wrong in zip(messages, outcomes, strict=True):
        if wrong:
            _logger.critical("An alert could not be sent: %s %s", wrong.message, wrong.hint)
        else:
            _logger.info("Alert sent: %s", message.alert.name)


def _tree(history: History, run: Run[Any]) -> Tree | None:
    with suppress(TaxietlError):  # which is what the run may have failed of
        if row := history.find(run.id):
            return tree_of(history, row, states=False, task_runs=False)
    return None


def _how_to_see(history: History, tree: Tree) -> str:
    row = tree.root
    began = (row.started_at or row.created_at).astimezone()
    return (
        f"Run {row.name!r} began {began:%Y-%m-%d %H:%M:%S %Z} on {row.host}: "
        f"taxietl runs show {history.handle(row)}"
    )
