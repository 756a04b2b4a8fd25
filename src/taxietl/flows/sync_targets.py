"""What a sync brings months into: a warehouse by `ingest`'s flow, a lake by `upload-gcs`'s."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Protocol

from taxietl.errors import RefusedLoadError
from taxietl.flows.ingest import IngestOptions, ingest, plan
from taxietl.flows.lake import open_lake
from taxietl.flows.ledger_rows import KnownMonths, known_months
from taxietl.flows.sync_options import SyncOptions
from taxietl.flows.sync_report import SyncedMonth
from taxietl.flows.upload import UploadReport, upload_month
from taxietl.flows.upload_plan import UploadOptions, plan_upload
from taxietl.flows.warehouse import holder_named, loader
from taxietl.load.reports import NOTHING_TO_DO
from taxietl.orchestrator import Future
from taxietl.steps.month_class import MonthClass
from taxietl.steps.protocols import OwnedByOne
from taxietl.steps.values import LoadReport, SourceVersion
from taxietl.tlc.datasets import dataset


class Target(Protocol):
    """Where months are to be in sync with the source."""

    @property
    def to(self) -> str:
        """The profile."""
        ...

    def kept_open(self) -> AbstractContextManager[object]:
        """While the block runs, a look need not open it anew."""
        ...

    def known(self, colors: Sequence[str]) -> dict[str, KnownMonths]:
        """Which months it has, and which were taken out of it, by colour."""
        ...

    def look(self, version: SourceVersion) -> SyncedMonth:
        """What is to be done with a month that the source has."""
        ...

    def submit(self, version: SourceVersion) -> Future[Any]:
        """Begin to do it, as a run of its own."""
        ...

    def done(self, month: SyncedMonth, report: Any) -> SyncedMonth:
        """The month as that run left it."""
        ...


@dataclass(frozen=True)
class Warehouse:
    """A database."""

    options: IngestOptions

    @property
    def to(self) -> str:
        """See `Target`."""
        return self.options.to

    def kept_open(self) -> AbstractContextManager[object]:
        """See `Target`."""
        warehouse = loader(self.to)
        return warehouse.kept_open() if isinstance(warehouse, OwnedByOne) else nullcontext()

    def known(self, colors: Sequence[str]) -> dict[str, KnownMonths]:
        """See `Target`."""
        tables = {each: self.options.table_of(dataset(each)) for each in colors}
        with holder_named():
            return known_months(loader(self.to), tables)

    def look(self, version: SourceVersion) -> SyncedMonth:
        """See `Target`."""
        month = SyncedMonth(version.trip_file, self.to, MonthClass.NEW, warnings=version.warnings)
        try:
            planned = plan(version, self.options)
        except RefusedLoadError as error:
            return _left(month, error)
        rows = planned.current.rows_loaded if planned.current else None
        return _planned(month, planned.month_class, planned.action, planned.reason, rows)

    def submit(self, version: SourceVersion) -> Future[LoadReport]:
        """See `Target`."""
        return ingest.submit(version.trip_file, self.options, version)

    def done(self, month: SyncedMonth, report: LoadReport) -> SyncedMonth:
        """See `Target`."""
        return _done(month, report, rows=report.rows_loaded, run_name=report.run_name)


@dataclass(frozen=True)
class LakeTarget:
    """A bucket or folder of Parquet files."""

    options: UploadOptions

    @property
    def to(self) -> str:
        """See `Target`."""
        return self.options.to

    def kept_open(self) -> AbstractContextManager[object]:
        """See `Target`; a lake is asked by requests."""
        return nullcontext()

    def known(self, colors: Sequence[str]) -> dict[str, KnownMonths]:
        """See `Target`; nothing is ever taken out of a lake."""
        lake = open_lake(self.to)
        return {
            each: KnownMonths(frozenset(lake.recorded_months(each)), frozenset()) for each in colors
        }

    def look(self, version: SourceVersion) -> SyncedMonth:
        """See `Target`."""
        month = SyncedMonth(version.trip_file, self.to, MonthClass.NEW, warnings=version.warnings)
        try:
            planned = plan_upload(open_lake(self.to), version, self.options, None)
        except RefusedLoadError as error:
            return _left(month, error)
        known = planned.goes_to.standing.version
        rows = known.facts.rows if known else None
        action = "upload" if planned.action == "load" else planned.action
        return _planned(month, planned.month_class, action, planned.reason, rows)

    def submit(self, version: SourceVersion) -> Future[UploadReport]:
        """See `Target`."""
        return upload_month.submit(version.trip_file, self.options, version)

    def done(self, month: SyncedMonth, report: UploadReport) -> SyncedMonth:
        """See `Target`."""
        facts = report.version.facts
        return _done(month, report, rows=facts.rows, run_name=facts.run_name)


def targets_of(options: SyncOptions) -> list[Target]:
    """Where a sync goes, the warehouse first."""
    targets: list[Target] = []
    if options.warehouse:
        targets.append(Warehouse(options.warehouse))
    if options.lake:
        targets.append(LakeTarget(options.lake))
    return targets


def _left(month: SyncedMonth, error: RefusedLoadError) -> SyncedMonth:
    """A month that cannot be compared with what is loaded is left as it is, and that is said."""
    if error.month_class is None:
        raise error
    return replace(month, month_class=MonthClass(error.month_class), reason=error.message)


def _planned(
    month: SyncedMonth, found: MonthClass | None, action: str, reason: str, rows: int | None
) -> SyncedMonth:
    found = found or month.month_class
    is_left = found is MonthClass.OTHER_SOURCE and action == "compare"
    is_idle = action == "nothing" or is_left
    return replace(
        month,
        month_class=found,
        action=NOTHING_TO_DO if is_idle else action,
        reason=reason,
        rows_before=rows,
        rows_after=rows if is_idle else None,
    )


def _done(
    month: SyncedMonth, report: LoadReport | UploadReport, *, rows: int | None, run_name: str
) -> SyncedMonth:
    """The month as its run left it; what the bytes alone could tell is known by now."""
    found, is_idle = month.month_class, report.action == NOTHING_TO_DO
    if found is MonthClass.CHANGED:
        found = MonthClass.TOUCHED if is_idle else MonthClass.RESTATED
    return replace(
        month,
        month_class=found,
        action=report.action,
        reason=report.reason,
        rows_after=rows,
        run_name=None if is_idle else run_name,
        warnings=report.warnings,
    )
