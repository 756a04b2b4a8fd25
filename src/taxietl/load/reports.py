"""What is told of a load, the same whichever warehouse it went into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from taxietl.steps.plan import Plan
from taxietl.steps.values import (
    ColumnStats,
    Entry,
    LoadReport,
    LoadRequest,
    Previous,
    SourceFile,
    Tally,
)
from taxietl.version import __version__

NOTHING_TO_DO = "nothing to do"
"""The action of a load that found its month loaded."""


def nothing_to_do(entry: Entry, plan: Plan, file: SourceFile) -> LoadReport:
    """The report of a load that found its month loaded."""
    return replace(
        entry.report,
        action=NOTHING_TO_DO,
        reason=plan.reason,
        warnings=file.version.warnings,
    )


def report_of_load(
    load_id: str,
    *,
    plan: Plan,
    file: SourceFile,
    tally: Tally,
    rows: int,
    stats: Mapping[str, ColumnStats],
    request: LoadRequest,
    entry: Entry | None,
    target: str,
) -> LoadReport:
    """The report of a load whose rows are in the table.

    Args:
        load_id: the load's own.
        plan: what was decided under the month's lock.
        file: what was read.
        tally: what the stream says of itself.
        rows: the month's rows, as the warehouse counts them.
        stats: of each column, see `ColumnStats`.
        request: what was asked for.
        entry: the month's ledger row before.
        target: the warehouse in words.
    """
    version = file.version
    return LoadReport(
        action="replaced" if entry and entry.rows_present else "loaded",
        reason=plan.reason,
        load_id=load_id,
        trip_file=request.trip_file,
        target=target,
        table=request.table,
        source=version.source,
        source_url=version.url,
        source_etag=version.etag,
        source_bytes=file.size_bytes,
        source_sha256=file.sha256,
        era=tally.era,
        contract_version=request.trip_file.dataset.contract_version,
        rows_read=tally.rows_read,
        rows_loaded=rows,
        rows_dropped=tally.rows_dropped,
        rows_rejected=tally.rows_rejected,
        values_nulled=tally.values_nulled,
        column_stats=stats,
        transforms=request.transforms,
        new_columns=tuple(tally.new_columns),
        run_id=request.run_id,
        run_name=request.run_name,
        taxietl_version=__version__,
        loaded_at=datetime.now(UTC),
        replaced=_previous(entry),
        warnings=(*version.warnings, *tally.warnings(file.path.name)),
    )


def _previous(entry: Entry | None) -> Previous | None:
    if entry is None:
        return None
    return Previous(
        load_id=entry.report.load_id,
        source=entry.report.source,
        source_sha256=entry.report.source_sha256,
        rows_read=entry.report.rows_read,
        rows_loaded=entry.report.rows_loaded,
        loaded_at=entry.report.loaded_at,
        run_name=entry.report.run_name,
    )
