"""Which months are there, which are missing, and what became of the last try: one grid a table.

Pure: what is recorded and what was run come as values (`coverage_reading` gets them), so that
`status` and the dashboard say the same of the same month.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

from taxietl.errors import TaxietlError
from taxietl.flows.coverage_records import Ending, LastRun, Reading, Record
from taxietl.steps.month_class import MonthClass
from taxietl.tlc.datasets import dataset
from taxietl.tlc.selection import Selection
from taxietl.tlc.trip_file import MONTHS_LATE, TripFile

Found = TypeVar("Found", "Record", "LastRun")


class MonthState(StrEnum):
    """How things are with a month of one table, or of a lake."""

    LOADED = "loaded"
    LOADING = "loading"
    """A run is at it."""

    MISSING = "missing"
    """It can be there, and is not."""

    FAILED = "failed"
    """So did its last run; what was loaded before is there still."""

    REFUSED = "refused"
    """The same, for what the file holds: too many rejects, a month that shrank, other columns."""

    DROPPED = "dropped"
    """Taken out by `drop`."""

    BROKEN = "broken"
    """Of a lake: what lies there is not what was put there."""

    NOT_PUBLISHED = "not published"
    """The source has it not yet, or cannot have it yet."""

    RESTATED = "restated"
    """There, and the source has other bytes now."""

    CHANGED = "changed"
    """The same by all that the source says; only a download tells whether its bytes changed."""

    WITHDRAWN = "withdrawn"
    """There, and the source has it no more."""

    NEW = "new"
    """The source has it, and it is not there."""

    OVERDUE = "overdue"
    """The source lacks it, so long after its end that something is wrong."""

    UNKNOWN = "unknown"
    """The ledger could not be read, and the history does not know it."""


@dataclass(frozen=True)
class CoveredMonth:
    """One month of one table."""

    trip_file: TripFile
    state: MonthState
    reason: str = ""
    """Of a state that asks for one: what failed, what is wrong."""

    run_name: str | None = None
    """The run that the reason is of."""

    record: Record | None = None
    """What is there now, or was before it was dropped."""

    remote: MonthClass | None = None
    """What the source has of it; None where it was not asked."""

    @property
    def rows(self) -> int | None:
        """That are there now."""
        return self.record.rows if self.record and not self.record.dropped_at else None

    @property
    def is_there(self) -> bool:
        """Whether rows of it are, be they the newest or not."""
        return bool(self.record and not self.record.dropped_at)


@dataclass(frozen=True)
class TableCoverage:
    """The months of one colour in one table, oldest first."""

    color: str
    table: str
    is_usual: bool
    """Where the colour's months go unless told otherwise."""

    months: tuple[CoveredMonth, ...]

    @property
    def there(self) -> tuple[CoveredMonth, ...]:
        """Those that have rows."""
        return tuple(each for each in self.months if each.is_there)

    @property
    def possible(self) -> int:
        """How many there can be by now."""
        return sum(each.state is not MonthState.NOT_PUBLISHED for each in self.months)

    @property
    def rows(self) -> int:
        """Of all months."""
        return sum(each.rows or 0 for each in self.months)

    @property
    def newest(self) -> TripFile | None:
        """The last month that is there."""
        return max((each.trip_file for each in self.there), default=None)

    @property
    def loaded_at(self) -> datetime | None:
        """When a month was loaded last."""
        return max((each.record.loaded_at for each in self.there if each.record), default=None)


@dataclass(frozen=True)
class Remote:
    """What came of asking a source."""

    source: str
    asked: int
    """Months."""

    from_elsewhere: int
    """Of these, those that were loaded from another source: nothing compares them."""

    unanswered: int
    """Of these, those for which it did not say whether it has them."""

    error: TaxietlError | None
    """The first reason for that."""


@dataclass(frozen=True)
class Coverage:
    """What is where, of the colours asked for."""

    reading: Reading
    at: datetime
    tables: tuple[TableCoverage, ...]
    absent: tuple[str, ...]
    """Colours of which nothing is there and nothing was tried, where none was named."""

    remote: Remote | None = None


def coverage_of(
    reading: Reading, wanted: Selection, at: datetime, *, every_color: bool
) -> Coverage:
    """Put together what was read.

    Args:
        reading: of one profile.
        wanted: which colours and months.
        at: now, in this machine's zone: no month after it is shown.
        every_color: also those of which there is nothing at all.
    """
    tables: list[TableCoverage] = []
    absent: list[str] = []
    for color in wanted.colors:
        found: tuple[Record | LastRun, ...] = (*reading.records, *reading.last_runs)
        seen = [each.table for each in found if each.trip_file.color == color]
        if not seen and not every_color:
            absent.append(color)
            continue
        usual = reading.usual_tables[color]
        others = sorted(set(seen) - {usual})
        for table in others if seen and usual not in seen else [usual, *others]:
            tables.append(_covered(reading, wanted, color, table, at.date()))
    return Coverage(reading, at, tuple(tables), tuple(absent))


def _covered(
    reading: Reading, wanted: Selection, color: str, table: str, today: date
) -> TableCoverage:
    records = _by_month(reading.records, color, table)
    runs = _by_month(reading.last_runs, color, table)
    asked = (each for each in _months(color, today) if wanted.has(color, str(each)[-7:]))
    there = (each for each in records if wanted.has(color, str(each)[-7:]))
    months = sorted({*asked, *there})
    is_known = reading.read_from != "history"
    return TableCoverage(
        color,
        table,
        table == reading.usual_tables[color],
        tuple(
            _month(each, records.get(each), runs.get(each), today, is_known=is_known)
            for each in months
        ),
    )


def _by_month(some: Iterable[Found], color: str, table: str) -> dict[TripFile, Found]:
    return {
        each.trip_file: each
        for each in some
        if each.trip_file.color == color and each.table == table
    }


def _months(color: str, today: date) -> Sequence[TripFile]:
    """From the colour's first to the one of today."""
    year, month = dataset(color).first_month
    first = 12 * year + month - 1
    last = 12 * today.year + today.month - 1
    return [TripFile(color, each // 12, each % 12 + 1) for each in range(first, last + 1)]


def _month(
    trip_file: TripFile,
    record: Record | None,
    run: LastRun | None,
    today: date,
    *,
    is_known: bool,
) -> CoveredMonth:
    if record and record.problem:
        return CoveredMonth(trip_file, MonthState.BROKEN, record.problem, None, record)
    changed_at = (record.dropped_at or record.loaded_at) if record else None
    if run and (changed_at is None or run.began_at > changed_at) and (state := _tried(run, record)):
        return CoveredMonth(trip_file, state, run.message, run.run_name, record)
    if record:
        state = MonthState.DROPPED if record.dropped_at else MonthState.LOADED
        return CoveredMonth(trip_file, state, "", None, record)
    if trip_file.months_before(today) < MONTHS_LATE:
        return CoveredMonth(trip_file, MonthState.NOT_PUBLISHED)
    return CoveredMonth(trip_file, MonthState.MISSING if is_known else MonthState.UNKNOWN)


def _tried(run: LastRun, record: Record | None) -> MonthState | None:
    """The state that the last run gives a month; None if what is recorded does."""
    if run.ending is Ending.NOT_PUBLISHED:
        return None if record else MonthState.NOT_PUBLISHED
    return {
        Ending.UNDER_WAY: MonthState.LOADING,
        Ending.FAILED: MonthState.FAILED,
        Ending.REFUSED: MonthState.REFUSED,
    }.get(run.ending)
