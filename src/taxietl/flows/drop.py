"""Take months out of a warehouse again: rows and ledger in one transaction each."""

from __future__ import annotations

from dataclasses import dataclass

from taxietl.errors import ConfigError
from taxietl.flows.ledger_rows import loaded_months
from taxietl.flows.months import MonthResult, Workers, each_month
from taxietl.flows.warehouse import holder_named, loader
from taxietl.load.table_names import table_name
from taxietl.orchestrator import current_cancellation, current_run, flow, get_run_logger, task
from taxietl.steps.protocols import Dropper
from taxietl.tlc.datasets import dataset
from taxietl.tlc.selection import Selection
from taxietl.tlc.trip_file import TripFile


@dataclass(frozen=True)
class DropOptions:
    """What holds for every month of one `drop`."""

    on: str
    table: str | None = None

    def table_of(self, color: str) -> str:
        """The colour's table, as its warehouse's ledger has it."""
        return str(table_name(self.table or dataset(color).table, loader(self.on).schema))


@dataclass(frozen=True)
class DropReport:
    """What was done with a month."""

    action: str
    """`dropped` or `nothing to do`."""

    trip_file: TripFile
    target: str
    table: str
    rows: int
    """That were there, and are no more."""

    loaded_by: str | None
    """The run that had loaded them."""

    run_name: str


@task
def take_out(trip_file: TripFile, options: DropOptions) -> DropReport:
    """Take one month out; one that is not loaded stays so.

    The report is kept in the history, as a load's is: `coverage` reads there what a DuckDB file
    holds while another process has it.
    """
    warehouse, table, run = _dropper(options), options.table_of(trip_file.color), current_run()
    name = run.name if run else ""
    with holder_named():
        entry = warehouse.drop(trip_file, table, run_name=name, cancellation=current_cancellation())
    target = loader(options.on).target
    if entry is None:
        return DropReport("nothing to do", trip_file, target, table, 0, None, name)
    rows = entry.rows_present or 0
    get_run_logger().info("%s: %s rows taken out of %s", trip_file, f"{rows:,}", table)
    return DropReport("dropped", trip_file, target, table, rows, entry.report.run_name, name)


@flow(name="Drop a month", run_name="drop-{trip_file}")
def drop_month(trip_file: TripFile, options: DropOptions) -> DropReport:
    """Take one month out of the warehouse."""
    return take_out(trip_file, options)


@flow(name="Drop months")
def drop_months(
    trip_files: tuple[TripFile, ...],
    options: DropOptions,
    *,
    workers: Workers = 1,
    fail_fast: bool = False,
) -> tuple[MonthResult[DropReport], ...]:
    """Take many months out of the warehouse, each in a transaction and a run of its own.

    Raises:
        MonthsFailedError: at least one failed; it carries what became of each.
    """
    return each_month(
        trip_files,
        lambda each: drop_month.submit(each, options),
        hint="The other months are out; the same command takes up the rest.",
        workers=workers,
        fail_fast=fail_fast,
    )


def months_to_drop(wanted: Selection, options: DropOptions) -> dict[TripFile, int]:
    """The months wanted that are loaded, each with its rows.

    Raises:
        ConfigError: the warehouse's loader cannot take months out.
    """
    _dropper(options)
    warehouse = loader(options.on)
    found: dict[TripFile, int] = {}
    with holder_named():
        for color in wanted.colors:
            months = loaded_months(warehouse, options.table_of(color), color)
            for month, rows in months.items():
                if wanted.has(color, month):
                    found[TripFile(color, int(month[:4]), int(month[5:]))] = rows
    return found


def _dropper(options: DropOptions) -> Dropper:
    warehouse = loader(options.on)
    if not isinstance(warehouse, Dropper):
        raise ConfigError(
            f"Months cannot be taken out of profile {options.on!r}: its loader has no way to.",
            hint="Delete the rows in the database, or ask whoever made the loader.",
        )
    return warehouse
