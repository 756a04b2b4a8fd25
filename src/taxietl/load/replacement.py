"""What a load does in its transaction, in every warehouse alike: decide, write, count, record."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Protocol

from taxietl.load.checks import check_counts, check_month, check_shrink
from taxietl.load.ledger import repairable
from taxietl.load.reports import nothing_to_do, report_of_load
from taxietl.steps.plan import decide
from taxietl.steps.protocols import Batches
from taxietl.steps.values import ColumnStats, Entry, LoadReport, LoadRequest, Note, SourceFile


class Month(Protocol):
    """A month of a table, in a transaction that has the month's lock."""

    def entry(self) -> Entry | None:
        """Its current row in the ledger, and how many of its rows are there; None without one.

        Raises:
            BrokenLedgerError: that row is not as it was written.
        """
        ...

    def loaded_from(self, sha256: str) -> str | None:
        """Another month of the table, `2021-01`, that was loaded from these bytes."""
        ...

    def write(self, batches: Batches, load_id: str) -> None:
        """Put the stream's rows in place of the month's."""
        ...

    def counted(self) -> tuple[int, Mapping[str, ColumnStats]]:
        """Its rows, and each column's nulls and sum, as they are now."""
        ...

    def record(self, report: LoadReport, notes: Sequence[Note]) -> None:
        """Write the load's ledger row and rejects; the row before it is superseded."""
        ...


def replace_month(
    month: Month, file: SourceFile, batches: Batches, request: LoadRequest, *, target: str
) -> LoadReport:
    """Replace the month, if that is called for; the caller begins the transaction, and commits it.

    Raises:
        DataError: what was read must not be loaded.
        TargetError: the target refused.
    """
    entry = repairable(month.entry, force=request.force)
    plan = decide(
        file.version,
        file.sha256,
        entry,
        transforms=request.transforms,
        force=request.force,
        same_bytes_as=month.loaded_from(file.sha256),
    ).allowed()
    if plan.action == "nothing" and entry is not None:
        return nothing_to_do(entry, plan, file)
    load_id = str(uuid.uuid4())
    month.write(batches, load_id)
    tally = batches.result
    rows, stats = month.counted()
    check_month(tally.pickups, request)
    check_counts(tally, rows, request)
    check_shrink(rows, entry, request)
    report = report_of_load(
        load_id,
        plan=plan,
        file=file,
        tally=tally,
        rows=rows,
        stats=stats,
        request=request,
        entry=entry,
        target=target,
    )
    month.record(report, tally.recorded_notes)
    return report
