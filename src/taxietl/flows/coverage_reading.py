"""Read what a warehouse or a lake holds, and what became of the last runs. Changes nothing.

A server is asked for its ledger, and a lake for its manifests. A DuckDB file belongs to one
process at a time, so it is asked only where nobody has it, and never waited for: while somebody
has it, the history tells of it, by the reports of loads and drops that it keeps. What other homes
loaded, or what was loaded before the history begins, is not in there; such months are unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from taxietl.config import LakeProfile, settings
from taxietl.errors import (
    DataError,
    NotPublishedError,
    TaxietlError,
    WarehouseBusyError,
)
from taxietl.flows.coverage_records import Ending, LastRun, Reading, Record
from taxietl.load.table_names import table_name
from taxietl.orchestrator import History, StateName
from taxietl.orchestrator.query.runs import error_of, last_of_each_call, results_of
from taxietl.orchestrator.store.rows import RunRow
from taxietl.orchestrator.store.states import StateType
from taxietl.steps.protocols import Loader
from taxietl.steps.warehouse import LedgerQuery
from taxietl.tlc.datasets import DATASETS
from taxietl.tlc.trip_file import TripFile

INGEST, LOAD, DROP, TAKE_OUT = "Ingest data", "load", "Drop a month", "take_out"
UPLOAD = "Upload to the lake"
"""Flows and tasks by their names in the history; to import them would load all of transforming."""

_COLUMNS = (
    *("table_name", "color", "source_month", "rows_loaded", "loaded_at", "superseded_at"),
    *("run_name", "source", "source_url", "source_etag", "source_bytes", "source_sha256"),
)
_NEVER = datetime.max.replace(tzinfo=UTC)

Table = Callable[[Mapping[str, Any], str], str]


def read_profile(name: str) -> Reading:
    """What is recorded of the warehouse or lake of that name.

    Raises:
        UnknownNameError: no such profile.
        ConfigError: it is neither.
        TargetError: it cannot be read.
    """
    if isinstance(settings().profile(name), LakeProfile):
        return _read_lake(name)
    from taxietl.flows.warehouse import loader

    return _read_warehouse(name, loader(name))


def _read_warehouse(name: str, warehouse: Loader) -> Reading:
    usual = {color: str(table_name(f"{color}_trips", warehouse.schema)) for color in DATASETS}
    read_from, held_by = "ledger", ""
    with kept_history() as history:
        runs = _last_runs(history, INGEST, name, lambda o, color: _table(o, color, warehouse))
        try:
            records = list(_of_ledger(warehouse))
        except WarehouseBusyError as error:
            read_from, held_by = "history", _holder(history, error.pid)
            records = list(_of_history(history, warehouse.target))
    return Reading(
        name, warehouse.target, read_from, usual, tuple(records), tuple(runs), held_by=held_by
    )


def _of_ledger(warehouse: Loader) -> Iterator[Record]:
    """Of each month the row that is current, or else the one that was superseded last."""
    rows = warehouse.ledger(LedgerQuery(superseded=True, columns=_COLUMNS), at_once=True)
    last: dict[tuple[str, str, date], dict[str, Any]] = {}
    for row in sorted(rows, key=lambda each: each["superseded_at"] or _NEVER):
        last[row["table_name"], row["color"], row["source_month"]] = row
    for (table, color, month), row in sorted(last.items()):
        yield Record(
            TripFile(color, month.year, month.month),
            table,
            row["rows_loaded"],
            row["loaded_at"],
            row["run_name"],
            row["source"],
            row["source_url"],
            row["source_etag"],
            row["source_bytes"],
            row["source_sha256"],
            dropped_at=row["superseded_at"],
        )


def _of_history(history: History | None, target: str) -> Iterator[Record]:
    """The same of each month, by the reports of loads and drops that were kept."""
    if history is None:
        return
    found: dict[tuple[TripFile, str], Record] = {}
    for _, report in results_of(history, flow=INGEST, task=LOAD):
        if report["target"] == target:
            record = Record(
                TripFile(**report["trip_file"]),
                report["table"],
                report["rows_loaded"],
                datetime.fromisoformat(report["loaded_at"]),
                report["run_name"],
                report["source"],
                report["source_url"],
                report["source_etag"],
                report["source_bytes"],
                report["source_sha256"],
            )
            key = record.trip_file, record.table
            if key not in found or found[key].loaded_at < record.loaded_at:
                found[key] = record
    for at, report in results_of(history, flow=DROP, task=TAKE_OUT):
        key = TripFile(**report["trip_file"]), report["table"]
        if report["target"] == target and key in found and found[key].loaded_at < at:
            found[key] = replace(found[key], dropped_at=at)
    yield from found.values()


def _read_lake(name: str) -> Reading:
    from taxietl.flows.lake import open_lake
    from taxietl.load.lake.survey import survey

    lake = open_lake(name)
    manifests, broken = lake.whole_and_broken_manifests()
    found = survey(lake, manifests, broken)
    records = [
        Record(
            facts.trip_file,
            str(facts.form),
            facts.rows,
            datetime.fromisoformat(facts.uploaded_at),
            facts.run_name,
            facts.source,
            facts.source_url,
            facts.source_etag,
            facts.source_bytes,
            facts.source_sha256,
            problem=each.problem and f"{lake.store.uri(each.key)} {each.problem}",
        )
        for each in found.standings
        if (version := each.version or each.unrecorded) and (facts := version.facts).trip_file
    ]
    with kept_history() as history:
        runs = _last_runs(history, UPLOAD, name, lambda o, _: "raw" if o.get("raw") else "parquet")
    return Reading(
        name,
        lake.store.address,
        "manifests",
        dict.fromkeys(DATASETS, "parquet"),
        tuple(records),
        tuple(runs),
        warnings=tuple(f"{each.message} {each.hint}" for each in broken),
    )


@contextmanager
def kept_history() -> Iterator[History | None]:
    """The history of the active home; None where nothing ran yet."""
    home = settings().home
    if not (home / "history.db").exists():
        yield None
        return
    with History.opened(home) as history:
        yield history


def _last_runs(history: History | None, flow: str, profile: str, table: Table) -> Iterator[LastRun]:
    """Of each month and table that runs of that flow were about, the one that began last.

    Args:
        history: to look in.
        flow: its name.
        profile: where to they were to bring the month.
        table: the table that a run's options mean, of a colour.
    """
    last: dict[tuple[TripFile, str], RunRow] = {}
    for run in last_of_each_call(history, [flow]) if history else ():
        options, month = run.parameters.get("options"), run.parameters.get("trip_file")
        if not isinstance(options, dict) or not isinstance(month, dict):
            continue
        if options.get("to") == profile:
            trip_file = TripFile(**month)
            last[trip_file, table(options, trip_file.color)] = run
    for (trip_file, name), run in last.items():
        ending = _ending(run)
        message = run.state.message.removeprefix("Flow run encountered an exception: ")
        yield LastRun(trip_file, name, ending, run.created_at, run.name, message)


def _ending(run: RunRow) -> Ending:
    if not run.state.name.is_final:
        return Ending.UNDER_WAY
    if run.state.type not in (StateType.FAILED, StateType.CRASHED):
        return Ending.DONE
    error = error_of(run.state)
    if error == NotPublishedError.__name__:
        return Ending.NOT_PUBLISHED
    return Ending.REFUSED if error in _DATA_ERRORS else Ending.FAILED


def _names_below(kind: type[TaxietlError]) -> Iterator[str]:
    yield kind.__name__
    for each in kind.__subclasses__():
        yield from _names_below(each)


_DATA_ERRORS = frozenset(_names_below(DataError))


def _table(options: Mapping[str, Any], color: str, warehouse: Loader) -> str:
    return str(table_name(options.get("table") or f"{color}_trips", warehouse.schema))


def _holder(history: History | None, pid: int | None) -> str:
    """Who has the file, as a run's name where one of ours is in that process."""
    if pid is None:
        return "another process"
    running = history.runs(state=StateName.RUNNING) if history else []
    name = next((each.name for each in running if each.pid == pid), None)
    return f"run {name!r} (process {pid})" if name else f"process {pid}"
