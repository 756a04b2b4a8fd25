"""Hold a warehouse's tables to its ledger: rows, and each column's nulls and sum, month by month.

Only asks, by `Loader.query`; so it works alike on every kind of warehouse, and changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from taxietl.errors import ConfigError
from taxietl.flows.ledger_rows import asked, has_ledger
from taxietl.load.ledger import MONTHS
from taxietl.load.sql import quoted, stats_of, stats_select
from taxietl.steps.protocols import Loader
from taxietl.steps.values import ColumnStats
from taxietl.tlc.datasets import Dataset

# What stands in these statements is a name of ours, or is quoted.
# ruff: noqa: S608


@dataclass(frozen=True)
class Difference:
    """Something that the ledger and the table do not agree on."""

    what: str
    """`rows`, `nulls` or `sum`."""

    column: str | None
    ledger: int | None
    table: int | None


@dataclass(frozen=True)
class MonthCheck:
    """One month of a table, as loaded and as it is."""

    color: str
    month: str
    """`2021-01`."""

    table: str
    rows: int
    run_name: str | None
    """The run that loaded it; None for rows that no load of ours put there."""

    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class _Counted:
    rows: int
    stats: Mapping[str, ColumnStats]
    run_name: str | None = None


def verify(
    loader: Loader, dataset: Dataset, table: str, months: Collection[str] | None
) -> list[MonthCheck]:
    """Count every month of a colour again, and compare it with the ledger.

    Args:
        loader: of the warehouse to ask.
        dataset: the colour.
        table: where its trips lie.
        months: those to look at, as `2021-01`; None for all.

    Raises:
        ConfigError: nothing of that colour was ever loaded there.
    """
    ledger = _ledger(loader, dataset, table) if has_ledger(loader) else {}
    if not ledger:
        raise ConfigError(
            f"No {dataset.color} month was loaded into {table} of {loader.target}.",
            hint="Name another table with --table, or another profile with --on.",
        )
    present = _present(loader, dataset, table)
    return [
        _compared(dataset, month, table, ledger.get(month), present.get(month))
        for month in sorted({*ledger, *present})
        if months is None or month in months
    ]


def _ledger(loader: Loader, dataset: Dataset, table: str) -> dict[str, _Counted]:
    literal = table.replace("'", "''")
    rows = asked(
        loader,
        "SELECT CAST(source_month AS VARCHAR(10)), rows_loaded, CAST(column_stats AS VARCHAR), "
        f"run_name FROM {MONTHS} "
        f"WHERE table_name = '{literal}' AND color = '{dataset.color}'",
    )
    return {
        day[:7]: _Counted(
            loaded,
            {name: ColumnStats(**each) for name, each in json.loads(stats).items()},
            run_name,
        )
        for day, loaded, stats, run_name in rows
    }


def _present(loader: Loader, dataset: Dataset, table: str) -> dict[str, _Counted]:
    rows = asked(
        loader,
        f"SELECT CAST(source_month AS VARCHAR(10)), count(*), {stats_select(dataset.columns)} "
        f"FROM {quoted(table)} GROUP BY source_month",
    )
    return {
        day[:7]: _Counted(count, stats_of(dataset.columns, values)) for day, count, *values in rows
    }


def _compared(
    dataset: Dataset, month: str, table: str, loaded: _Counted | None, there: _Counted | None
) -> MonthCheck:
    """What differs; nothing if the month is as it was loaded."""
    loaded = loaded or _Counted(0, {})
    there = there or _Counted(0, {})
    differences = []
    if loaded.rows != there.rows:
        differences.append(Difference("rows", None, loaded.rows, there.rows))
    for name in dataset.column_names if there.stats else ():
        before, now = loaded.stats.get(name), there.stats.get(name)
        if before is None or now is None:  # a column of a later contract, or no load of ours
            continue
        if before.nulls != now.nulls:
            differences.append(Difference("nulls", name, before.nulls, now.nulls))
        if before.sum != now.sum:
            differences.append(Difference("sum", name, before.sum, now.sum))
    return MonthCheck(dataset.color, month, table, there.rows, loaded.run_name, tuple(differences))
