"""How something is attached to the current run, an event or something to look at.

It is stored with the run or task run whose code this is. The process of an isolated task has no
history: what is attached there goes to the run's process, which calls `keep`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from taxietl.orchestrator.run.logs import get_run_logger, show
from taxietl.orchestrator.store import history as histories
from taxietl.orchestrator.store import lines
from taxietl.orchestrator.store.lines import Identity
from taxietl.orchestrator.store.rows import OfRunRow
from taxietl.orchestrator.store.transaction import transaction


@dataclass(frozen=True)
class Attached:
    """A row to be stored, and what is logged of it; maybe on its way between processes."""

    row: OfRunRow
    line: str = ""


def attach(
    make: Callable[[Identity, datetime], OfRunRow], said: str, *, is_logged: bool = False
) -> None:
    """Store a row with the current run; outside any run only a line is logged.

    Args:
        make: the row, of that run or task run and that time.
        said: that line.
        is_logged: in a run, too.

    Raises:
        TargetError: the history cannot be written.
    """
    who = lines.current.get()
    if who is None:
        get_run_logger().info("%s", said)
        return
    attached = Attached(make(who, datetime.now(UTC)), said if is_logged else "")
    relay = None if histories.current.get() else lines.relay.get()
    (relay or keep)(attached)


def keep(attached: object) -> None:
    """Store what was attached in the current run, in whichever process."""
    who, history = lines.current.get(), histories.current.get()
    assert isinstance(attached, Attached)
    assert who is not None
    assert history is not None
    with transaction(history.database, functools.partial(datetime.now, UTC), show) as change:
        change.add(attached.row)
        if attached.line:
            change.say(who, attached.line)
