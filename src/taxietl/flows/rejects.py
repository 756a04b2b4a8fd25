"""What could not be read: lines and cells, of the loads in a warehouse and of those it was spared.

A load keeps them in `taxietl_rejects`, beside its rows. A refused one has no rows there, so its
own lie in a CSV under TAXIETL_HOME.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from taxietl.config import settings
from taxietl.errors import ConfigError
from taxietl.flows.ledger_rows import month_text
from taxietl.load.ledger import counts_of, taken_for_whole
from taxietl.steps.protocols import Loader
from taxietl.steps.values import Note, Tally
from taxietl.steps.warehouse import LedgerQuery
from taxietl.tlc.selection import Selection

# A run of `ingest` is called after its month, and has a number if it is not the first.
_RUN_OF_MONTH = re.compile(r"(?P<color>[a-z]+)-(?P<month>\d{4}-\d{2})(-\d+)?")


_COLUMNS = (
    *("load_id", "run_name", "color", "source_month", "table_name", "loaded_at"),
    *("rows_rejected", "values_nulled"),
)


@dataclass(frozen=True)
class Wanted:
    """Which loads to look at; None means any."""

    months: Selection | None = None
    run_name: str | None = None

    def has(self, color: str, month: str, run_name: str) -> bool:
        """Whether that load is one of them."""
        is_of_months = self.months is None or bool(color and self.months.has(color, month))
        return is_of_months and self.run_name in (None, run_name)


@dataclass(frozen=True)
class Load:
    """One load, with what it could not read."""

    state: str
    """`loaded`, or `refused`: then nothing of it is in a warehouse."""

    run_name: str
    color: str
    month: str
    """`2021-01`; empty where a refused load's run is not called after its month."""

    table: str | None
    loaded_at: float
    """Seconds since 1970; of a refused load, when that was written down."""

    rows_rejected: int | None
    """All of them, also those beyond the ones described; None of a refused load."""

    values_nulled: int | None
    notes: tuple[Note, ...]


def unread(loader: Loader, wanted: Wanted, refused: Path) -> Iterator[Load]:
    """The loads wanted that could not read something, those of the warehouse first.

    Unless a run is asked for by its name, a month's is the load whose rows are there now and, if
    that was later, the last one that was refused.

    Args:
        loader: of the warehouse to ask.
        wanted: which.
        refused: the folder with the CSVs of refused loads.

    Raises:
        ConfigError: no load of the run asked for.
    """
    newest: dict[tuple[str, str], float] = {}
    is_known = False
    for load in _loaded(loader, wanted):
        key = load.color, load.month
        newest[key] = max(newest.get(key, 0.0), load.loaded_at)
        is_known = True
        if load.notes or load.rows_rejected or load.values_nulled:
            yield load
    for load in _refused(refused, wanted):
        key = load.color, load.month
        is_known = True
        if wanted.run_name or not load.color or load.loaded_at > newest.get(key, 0.0):
            newest[key] = load.loaded_at
            yield load
    if wanted.run_name and not is_known:
        raise ConfigError(
            f"No run {wanted.run_name!r} loaded anything into {loader.target}, and none was "
            "refused for what it could not read.",
            hint="`taxietl runs ls` lists the runs; --on names another profile.",
        )


def _loaded(loader: Loader, wanted: Wanted) -> Iterator[Load]:
    """The loads of the ledger, each with its rejects, if it has any."""
    rows = loader.ledger(
        LedgerQuery(
            colors=tuple(wanted.months.colors) if wanted.months else None,
            run_name=wanted.run_name,
            superseded=wanted.run_name is not None,
            columns=_COLUMNS,
        )
    )
    rows.sort(key=lambda row: (row["source_month"], row["color"], row["table_name"]))
    found = {row["load_id"]: _load(row, loader.target) for row in rows}
    kept = {
        load_id: load
        for load_id, load in found.items()
        if wanted.has(load.color, load.month, load.run_name)
    }
    notes = loader.rejects(kept)
    for load_id, load in kept.items():
        yield replace(load, notes=notes.get(load_id, ()))


def _load(row: Mapping[str, Any], target: str) -> Load:
    with taken_for_whole(row["load_id"], target):
        nulled = sum(counts_of("values_nulled", row["values_nulled"]).values())
    return Load(
        state="loaded",
        run_name=row["run_name"],
        color=row["color"],
        month=month_text(row["source_month"]),
        table=row["table_name"],
        loaded_at=row["loaded_at"].timestamp(),
        rows_rejected=row["rows_rejected"],
        values_nulled=nulled,
        notes=(),
    )


def _refused(folder: Path, wanted: Wanted) -> Iterator[Load]:
    """The refused loads, the last one first."""
    for path in sorted(folder.glob("*.csv"), key=lambda each: -each.stat().st_mtime_ns):
        named = _RUN_OF_MONTH.fullmatch(path.stem)
        color, month = (named["color"], named["month"]) if named else ("", "")
        if not wanted.has(color, month, path.stem):
            continue
        yield Load(
            state="refused",
            run_name=path.stem,
            color=color,
            month=month,
            table=None,
            loaded_at=path.stat().st_mtime,
            rows_rejected=None,
            values_nulled=None,
            notes=_notes(path),
        )


def _notes(path: Path) -> tuple[Note, ...]:
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(
            Note(
                row["kind"], int(row["line"]), row["column_name"] or None, row["reason"], row["raw"]
            )
            for row in csv.DictReader(file)
        )


def write_rejects(tally: Tally, name: str) -> Path:
    """Write what could not be read beside the history, since the warehouse has none of it."""
    path = settings().rejects_dir / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["kind", "line", "column_name", "reason", "raw"])
        rows.writerows(
            (each.kind, each.line, each.column, each.reason, each.raw)
            for each in tally.recorded_notes
        )
    return path
