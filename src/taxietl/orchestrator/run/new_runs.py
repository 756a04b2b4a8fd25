"""The row of a run that begins in this process."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from taxietl.orchestrator.store.arguments import shown
from taxietl.orchestrator.store.liveness import process_start
from taxietl.orchestrator.store.rows import RunRow
from taxietl.orchestrator.store.states import StateName
from taxietl.version import __version__

if TYPE_CHECKING:
    from taxietl.orchestrator.define.parameters import Parameters
    from taxietl.orchestrator.store.lines import Identity
    from taxietl.orchestrator.store.transaction import Transaction


def new_run_row(
    change: Transaction,
    who: Identity,
    parameters: Parameters,
    *,
    base: str | None,
    above: Identity | None = None,
) -> RunRow:
    """A run as Pending.

    Args:
        base: the name it was to have, where another run had that before.
        above: the task run that a child run belongs to, its place in the parent or its caller.
    """
    return RunRow(
        id=who.run_id,
        name=who.run_name,
        base=base,
        flow=who.flow_name,
        root_id=who.root_id,
        parent_id=above.run_id if above else None,
        parent_task_run_id=above.task_run_id if above else None,
        parameters_json=shown(parameters.by_name),
        state=change.state(StateName.PENDING),
        created_at=change.at,
        host=socket.gethostname(),
        pid=os.getpid(),
        process_start=process_start(),
        version=__version__,
    )
