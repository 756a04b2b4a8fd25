"""Bring months of trips into a warehouse: probe, plan, extract, transform, load."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pyarrow as pa  # noqa: TID253  this module is loaded when a month is ingested

from taxietl.config import profile_named
from taxietl.errors import ConfigError, TooManyRejectsError
from taxietl.flows.data_events import attach_what_changed, refusals_attached
from taxietl.flows.defaults import with_defaults
from taxietl.flows.ledger_rows import other_month_of
from taxietl.flows.months import WORKERS, MonthResult, Workers, each_month
from taxietl.flows.progress import counted
from taxietl.flows.rejects import write_rejects
from taxietl.flows.source import check_source, digest, extract, modified_at, probe
from taxietl.flows.warehouse import holder_named, loader
from taxietl.flows.warned import warned
from taxietl.load.ledger import repairable
from taxietl.load.table_names import table_name
from taxietl.orchestrator import (
    Stream,
    current_cancellation,
    current_run,
    flow,
    get_run_logger,
    task,
)
from taxietl.steps import registry
from taxietl.steps.month_class import MonthClass
from taxietl.steps.plan import decide, version_loaded
from taxietl.steps.values import (
    LoadReport,
    LoadRequest,
    SourceFile,
    SourceVersion,
    Tally,
    Transform,
)
from taxietl.tlc.column_rules import ColumnRules, NewColumns, parse_renames
from taxietl.tlc.datasets import Dataset
from taxietl.tlc.selection import check_table
from taxietl.tlc.trip_file import TripFile
from taxietl.transform.pipeline import clean_batches, rows_in_footer


@dataclass(frozen=True)
class IngestOptions:
    """What holds for every month of one `ingest`."""

    source: str
    to: str = "warehouse"
    table: str | None = None
    transforms: tuple[str, ...] | None = None
    """Names of transformers in order; None for the colour's default."""

    renames: tuple[str, ...] = ()
    """`old=new`: columns of the file under other names than those of any era."""

    new_columns: NewColumns = NewColumns.ADD
    """What becomes of columns that no era has."""

    max_rejects: int = 0
    max_shrink: float = 0.05
    force: bool = False
    connections: int = 1
    """To a PostgreSQL warehouse; others have one."""

    @classmethod
    def configured(cls, **given: Any) -> IngestOptions:
        """These, None for one that was not given: then it is as `[ingest]` has it."""
        options = with_defaults(given)
        return cls(**options | {"to": profile_named(options["to"])})

    def table_of(self, dataset: Dataset) -> str:
        """The table to load a colour into, as its warehouse's ledger has it."""
        return str(table_name(self.table or dataset.table, loader(self.to).schema))

    def transforms_of(self, dataset: Dataset) -> tuple[str, ...]:
        """The transformers to apply to a colour; by default what the well-known tutorial does."""
        if self.transforms is not None:
            return self.transforms
        return ("drop-zero-passengers",) if dataset.has("passenger_count") else ()

    @property
    def column_rules(self) -> ColumnRules:
        """What holds for columns that are not as published."""
        return ColumnRules(parse_renames(self.renames), self.new_columns)

    def recorded(self, dataset: Dataset) -> tuple[Transform, ...]:
        """All that makes other rows of the same bytes: two loads are alike only if this is."""
        rules = self.column_rules
        recorded = [each for each, _ in registry.transformers(self.transforms_of(dataset))]
        if rules.renames:
            recorded.append(Transform("rename", "1", dict(rules.renames)))
        if rules.new is NewColumns.IGNORE:
            recorded.append(Transform("ignore-new-columns", "1"))
        return tuple(recorded)


@dataclass(frozen=True)
class Planned:
    """What is to be done with a month, before its bytes are fetched."""

    action: str
    reason: str
    version: SourceVersion
    current: LoadReport | None
    """The load that the warehouse holds now."""

    month_class: MonthClass | None


@task(persist_result=False)
def plan(version: SourceVersion, options: IngestOptions, sha256: str | None = None) -> Planned:
    """Compare what the source has with what the warehouse holds."""
    dataset = version.trip_file.dataset
    target, table = loader(options.to), options.table_of(dataset)
    with holder_named():
        entry = repairable(partial(target.entry, version.trip_file, table), force=options.force)
    loaded = modified_at(version_loaded(entry.report), options.source) if entry else None
    other = None
    if sha256 and not (entry and entry.report.source_sha256 == sha256):
        other = other_month_of(target, table, version.trip_file, sha256)
    decided = decide(
        version,
        sha256,
        entry,
        transforms=options.recorded(dataset),
        force=options.force,
        loaded_last_modified=loaded,
        same_bytes_as=other,
    ).allowed()
    current = entry.report if entry else None
    return Planned(decided.action, decided.reason, version, current, decided.month_class)


@task
def transform(file: SourceFile, options: IngestOptions) -> Generator[pa.RecordBatch, None, Tally]:
    """Read, conform and clean one month, never holding all of it; returns what was counted."""
    log = get_run_logger()
    transformers = registry.transformers(options.transforms_of(file.version.trip_file.dataset))
    batches = clean_batches(file, transformers, options.column_rules)
    tally = yield from counted(file.version.trip_file, batches, rows_in_footer(file))
    if tally.missing_passenger_count:
        before, after = tally.missing_passenger_count
        log.info("pre: missing passenger count: %s", before)
        log.info("post: missing passenger count: %s", after)
    for each in tally.warnings(file.path.name):
        log.warning("%s", each)
    return tally


@task
def load(
    batches: Stream[pa.RecordBatch, Tally], file: SourceFile, options: IngestOptions
) -> LoadReport:
    """Replace the month in the warehouse, whole or not at all."""
    dataset = file.version.trip_file.dataset
    run = current_run()
    request = LoadRequest(
        version=file.version,
        table=options.table_of(dataset),
        transforms=options.recorded(dataset),
        max_rejects=options.max_rejects,
        max_shrink=options.max_shrink,
        force=options.force,
        run_id=run.id if run else "",
        run_name=run.name if run else "",
        connections=options.connections,
    )
    with holder_named(), warned(lambda: batches.result.warnings(file.path.name)):
        try:
            report = loader(options.to).load(file, batches, request, current_cancellation())
        except TooManyRejectsError as error:
            path = write_rejects(error.tally, request.run_name or str(request.trip_file))
            error.hint += f" They are listed in {path}."
            raise
    from taxietl.orchestrator import attach_table  # 4 ms, of which a no-op needs none

    attach_table(report.counts, name="rows")
    return report


@flow(name="Ingest data", run_name="{trip_file}")
def ingest(
    trip_file: TripFile, options: IngestOptions, version: SourceVersion | None = None
) -> LoadReport:
    """Bring one month into the warehouse; a second run leaves the same rows.

    Args:
        trip_file: the month.
        options: from where to where, and how.
        version: what the source has, if it was asked a moment ago.
    """
    log = get_run_logger()
    version = version or probe(trip_file, options.source)
    with warned(lambda: version.warnings):
        planned = plan(version, options)
        if planned.action == "compare" and version.key is not None:
            planned = plan(version, options, digest(version, options.source))
        log.info("%s: %s", trip_file, planned.reason)
        if planned.action == "nothing" and planned.current:
            return replace(
                planned.current,
                action="nothing to do",
                reason=planned.reason,
                warnings=version.warnings,
            )
        file = replace(extract(version, options.source), version=version)
        rows_before = planned.current.rows_loaded if planned.current else None
        with refusals_attached(trip_file, options.to, rows_before=rows_before):
            report = load(transform(file, options), file, options)
    attach_what_changed(report, options.to)
    return report


@flow(name="Ingest months")
def ingest_months(
    trip_files: tuple[TripFile, ...],
    options: IngestOptions,
    *,
    workers: Workers = WORKERS,
    fail_fast: bool = False,
) -> tuple[MonthResult[LoadReport], ...]:
    """Bring many months into the warehouse, each a run of its own.

    Raises:
        MonthsFailedError: at least one failed; it carries what became of each.
    """
    hint = "The other months are loaded; the same command takes up only what is missing."
    return each_month(
        trip_files,
        lambda each: ingest.submit(each, options),
        hint=hint,
        workers=workers,
        fail_fast=fail_fast,
    )


def check(options: IngestOptions, trip_files: Sequence[TripFile]) -> None:
    """Demand that every name stands for something, before a run begins.

    Raises:
        ConfigError: the source, the profile or a transformer does not, a rename is none, the
            source is one file and the months are several, or the warehouse cannot take the rows
            over several connections.
        SourceError: the source is a path at which nothing lies.
    """
    check_source(options.source, trip_files)
    check_table(options.table, {each.color for each in trip_files})
    registry.transformers(options.transforms or ())
    parse_renames(options.renames)
    warehouse = loader(options.to)
    table_name(options.table or "trips", warehouse.schema)
    if options.connections < 1:
        raise ConfigError(f"connections is {options.connections}; there has to be one.")
    if options.connections > 1 and not warehouse.takes_connections:
        raise ConfigError(
            f"Profile {options.to!r} takes rows over one connection only.",
            hint="--connections is for PostgreSQL; leave it out.",
        )
