"""Every load of one month that is recorded: in a ledger, in a lake, or in the history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from taxietl.config import LakeProfile, settings
from taxietl.errors import WarehouseBusyError
from taxietl.flows.coverage_reading import INGEST, LOAD, kept_history
from taxietl.load.ledger import counts_of, taken_for_whole, transforms_of
from taxietl.orchestrator.query.runs import results_of
from taxietl.steps.protocols import Loader
from taxietl.steps.warehouse import LedgerQuery
from taxietl.tlc.trip_file import TripFile


@dataclass(frozen=True)
class Version:
    """One load of a month, as it was recorded."""

    id: str
    run_id: str
    run_name: str
    rows_read: int | None
    """None, with the next, of published bytes, which are not opened."""

    rows: int | None
    rows_dropped: Mapping[str, int]
    """By rule."""

    rows_rejected: int
    values_nulled: Mapping[str, int]
    """By column."""

    source: str
    source_url: str
    source_etag: str | None
    source_bytes: int | None
    source_sha256: str
    era: str | None
    transforms: tuple[str, ...]
    taxietl_version: str
    loaded_at: datetime
    superseded_at: datetime | None
    """When another took its place, or it was dropped; None of what is there, and where nobody
    recorded it."""

    place: str = ""
    """Of a lake, the object."""


def versions_of(name: str, trip_file: TripFile, table: str) -> tuple[Version, ...]:
    """The loads of a month, the newest first; what is there now is the first, if any is.

    Args:
        name: of the profile.
        trip_file: the month.
        table: as its coverage has it; of a lake the form.

    Raises:
        UnknownNameError: no such profile.
        ConfigError: it is neither a warehouse nor a lake.
        TargetError: it cannot be read.
    """
    if isinstance(settings().profile(name), LakeProfile):
        return tuple(_in_lake(name, trip_file, table))
    from taxietl.flows.warehouse import loader

    warehouse = loader(name)
    try:
        found = list(_in_ledger(warehouse, trip_file, table))
    except WarehouseBusyError:
        found = list(_in_history(warehouse.target, trip_file, table))
    return tuple(sorted(found, key=lambda each: each.loaded_at, reverse=True))


def _in_ledger(warehouse: Loader, trip_file: TripFile, table: str) -> Iterator[Version]:
    wanted = LedgerQuery(trip_file=trip_file, table=table, superseded=True)
    for row in warehouse.ledger(wanted, at_once=True):
        load_id = row["load_id"]
        with taken_for_whole(load_id, warehouse.target):
            dropped = counts_of("rows_dropped", row["rows_dropped"])
            nulled = counts_of("values_nulled", row["values_nulled"])
            names = tuple(each.name for each in transforms_of(row["transforms"]))
        yield Version(
            load_id,
            row["run_id"],
            row["run_name"],
            row["rows_read"],
            row["rows_loaded"],
            dropped,
            row["rows_rejected"],
            nulled,
            row["source"],
            row["source_url"],
            row["source_etag"],
            row["source_bytes"],
            row["source_sha256"],
            row["era"],
            names,
            row["taxietl_version"],
            row["loaded_at"],
            row["superseded_at"],
        )


def _names(transforms: Any) -> tuple[str, ...]:
    return tuple(str(each["name"]) for each in transforms)


def _in_history(target: str, trip_file: TripFile, table: str) -> Iterator[Version]:
    with kept_history() as history:
        found = results_of(history, flow=INGEST, task=LOAD) if history else ()
        for _, report in found:
            is_of_it = report["target"] == target and report["table"] == table
            if is_of_it and TripFile(**report["trip_file"]) == trip_file:
                yield Version(
                    report["load_id"],
                    report["run_id"],
                    report["run_name"],
                    report["rows_read"],
                    report["rows_loaded"],
                    report["rows_dropped"],
                    report["rows_rejected"],
                    report["values_nulled"],
                    report["source"],
                    report["source_url"],
                    report["source_etag"],
                    report["source_bytes"],
                    report["source_sha256"],
                    report["era"],
                    _names(report["transforms"]),
                    report["taxietl_version"],
                    datetime.fromisoformat(report["loaded_at"]),
                    None,
                )


def _in_lake(name: str, trip_file: TripFile, form: str) -> Iterator[Version]:
    from taxietl.flows.lake import open_lake
    from taxietl.load.lake.values import month_of

    lake = open_lake(name)
    until = None
    for version in reversed(lake.manifest(trip_file.color, month_of(trip_file)).versions):
        facts = version.facts
        if str(facts.form) != form:
            continue
        at = datetime.fromisoformat(facts.uploaded_at)
        yield Version(
            facts.upload_id,
            facts.run_id,
            facts.run_name,
            facts.rows_read,
            facts.rows,
            facts.rows_dropped,
            facts.rows_rejected,
            facts.values_nulled,
            facts.source,
            facts.source_url,
            facts.source_etag,
            facts.source_bytes,
            facts.source_sha256,
            facts.era,
            tuple(each.name for each in facts.transforms),
            facts.taxietl_version,
            at,
            until,
            f"{lake.store.uri(facts.key)}, generation {version.generation}",
        )
        until = at
