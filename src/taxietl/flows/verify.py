"""Hold a warehouse's tables to its ledger: rows, and each column's nulls and sum, month by month.

Only asks its loader; so it works alike on every kind of warehouse, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from taxietl.errors import ConfigError
from taxietl.flows.ledger_rows import month_text
from taxietl.load.ledger import check_alone, column_stats_of, new_columns_of, taken_for_whole
from taxietl.load.table_names import table_name
from taxietl.steps.protocols import Loader
from taxietl.steps.values import ColumnStats
from taxietl.steps.warehouse import LedgerQuery
from taxietl.tlc.datasets import Column, Dataset, dataset
from taxietl.tlc.selection import Selection

_COLUMNS = (*("load_id", "source_month", "rows_loaded", "column_stats", "new_columns", "run_name"),)


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
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Counted:
    rows: int
    stats: Mapping[str, ColumnStats]
    run_name: str | None = None
    added: tuple[str, ...] = ()
    """The columns beside the contract's that were loaded."""


class NothingLoadedError(ConfigError):
    """No month of a colour was ever loaded."""

    def __init__(self, color: str, table: str, target: str) -> None:
        super().__init__(
            f"No {color} month was loaded into {table} of {target}.",
            hint="Name another table with --table, or another profile with --on.",
        )


def verify_months(loader: Loader, wanted: Selection, table: str | None) -> list[MonthCheck]:
    """Count every month wanted again, colour by colour, and compare it with the ledger.

    Args:
        loader: of the warehouse to ask.
        wanted: which months.
        table: where the trips lie; None for each colour's own table.

    Raises:
        NothingLoadedError: nothing of a colour that was named was ever loaded there; or nothing
            of any.
    """
    checks: list[MonthCheck] = []
    missing: list[NothingLoadedError] = []
    for color in wanted.colors:
        known = dataset(color)
        try:
            checks += verify(loader, known, table or known.table, wanted.of(color))
        except NothingLoadedError as error:
            missing.append(error)
    if missing and (not wanted.is_every_color or len(missing) == len(wanted.colors)):
        raise missing[0]
    return checks


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
        NothingLoadedError: nothing of that colour was ever loaded there.
    """
    table = str(table_name(table, loader.schema))
    ledger = _ledger(loader, dataset, table)
    if not ledger:
        raise NothingLoadedError(dataset.color, table, loader.target)
    names = loader.columns(table)
    ledger = {month: _as_spelt(each, names) for month, each in ledger.items()}
    added = sorted({name for each in ledger.values() for name in each.added})
    present = _present(loader, dataset.columns_with(added), names, table)
    return [
        _compared(dataset, month, table, ledger.get(month), present.get(month))
        for month in sorted({*ledger, *present})
        if months is None or month in months
    ]


def _ledger(loader: Loader, dataset: Dataset, table: str) -> dict[str, _Counted]:
    wanted = LedgerQuery(colors=(dataset.color,), table=table, columns=_COLUMNS)
    found: dict[str, _Counted] = {}
    for row in loader.ledger(wanted):
        month = month_text(row["source_month"])
        check_alone(row["load_id"], 1 + (month in found), target=loader.target)
        with taken_for_whole(row["load_id"], loader.target):
            found[month] = _Counted(
                row["rows_loaded"],
                column_stats_of(row["column_stats"]),
                row["run_name"],
                new_columns_of(row["new_columns"]),
            )
    return found


def _as_spelt(loaded: _Counted, names: Sequence[str]) -> _Counted:
    """The load, its columns under the table's names: to DuckDB, `Mood` and `mood` are one."""
    own = {name.lower(): name for name in names} | {name: name for name in names}
    spelt = {name: own.get(name, own.get(name.lower(), name)) for name in loaded.added}
    stats = {spelt.get(name, name): each for name, each in loaded.stats.items()}
    return replace(loaded, stats=stats, added=tuple(spelt.values()))


def _present(
    loader: Loader, columns: Sequence[Column], names: Sequence[str], table: str
) -> dict[str, _Counted]:
    """What the table holds; of a column that it no longer has, no values."""
    known = {name.lower() for name in names}
    there = [each for each in columns if each.name.lower() in known]
    gone = [each.name for each in columns if each.name.lower() not in known]
    return {
        month: _Counted(rows, {**stats, **dict.fromkeys(gone, ColumnStats(rows, None))})
        for month, (rows, stats) in loader.count(table, there).items()
    }


def _compared(
    dataset: Dataset, month: str, table: str, loaded: _Counted | None, there: _Counted | None
) -> MonthCheck:
    """What differs; nothing if the month is as it was loaded."""
    loaded = loaded or _Counted(0, {})
    there = there or _Counted(0, {})
    differences, uncounted = [], []
    if loaded.rows != there.rows:
        differences.append(Difference("rows", None, loaded.rows, there.rows))
    for name, now in there.stats.items() if loaded.run_name is not None else ():
        before = loaded.stats.get(name)
        if before is None and dataset.has(name):  # of a later contract
            continue
        if before is None and name in loaded.added:
            uncounted.append(name)
            continue
        before = before or ColumnStats(loaded.rows, None)  # added by another month
        if before.nulls != now.nulls:
            differences.append(Difference("nulls", name, before.nulls, now.nulls))
        if before.sum != now.sum:
            differences.append(Difference("sum", name, before.sum, now.sum))
    warnings = (
        f"not counted when it was loaded, so not verified: {name}; `taxietl ingest --force` "
        "loads the month with its count"
        for name in uncounted
    )
    return MonthCheck(
        *(dataset.color, month, table, there.rows, loaded.run_name),
        tuple(differences),
        tuple(warnings),
    )
