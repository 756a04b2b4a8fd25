"""Every load of one month that is recorded: in a ledger, in a lake, or in the history."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from taxietl.config import LakeProfile, settings
from taxietl.errors import NoWarehouseError, WarehouseBusyError
from taxietl.flows.coverage_reading import INGEST, LOAD, kept_history
from taxietl.flows.ledger_rows import asked, has_ledger
from taxietl.load.ledger import LOADS, taken_for_whole
from taxietl.load.sql import literal
from taxietl.orchestrator.query.runs import results_of
from taxietl.steps.protocols import Loader
from taxietl.tlc.trip_file import TripFile

_COLUMNS = (
    "load_id, run_id, run_name, rows_read, rows_loaded, CAST(rows_dropped AS VARCHAR), "
    "rows_rejected, CAST(values_nulled AS VARCHAR), source, source_url, source_etag, "
    "source_bytes, source_sha256, era, CAST(transforms AS VARCHAR), taxietl_version, "
    "CAST(EXTRACT(EPOCH FROM loaded_at) AS DOUBLE PRECISION), "
    "CAST(EXTRACT(EPOCH FROM superseded_at) AS DOUBLE PRECISION)"
)


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
    try:
        if not has_ledger(warehouse, at_once=True):
            return
    except NoWarehouseError:
        return
    rows = asked(
        warehouse,
        f"SELECT {_COLUMNS} FROM {LOADS} "  # noqa: S608  literals
        f"WHERE table_name = {literal(table)} AND color = {literal(trip_file.color)} "
        f"AND source_month = DATE '{trip_file.source_month}'",
        at_once=True,
    )
    for load_id, run_id, run_name, read, loaded, dropped, rejected, nulled, *rest in rows:
        source, url, etag, size, sha256, era, transforms, version, at, until = rest
        with taken_for_whole(load_id, warehouse.target):
            counts = _counts(dropped), rejected, _counts(nulled)
            names = _names(json.loads(transforms))
        yield Version(
            *(load_id, run_id, run_name, read, loaded, *counts),
            *(source, url, etag, size, sha256, era, names, version),
            datetime.fromtimestamp(at, UTC),
            None if until is None else datetime.fromtimestamp(until, UTC),
        )


def _counts(text: str) -> dict[str, int]:
    found = json.loads(text)
    return {str(name): int(count) for name, count in dict(found).items()}


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
