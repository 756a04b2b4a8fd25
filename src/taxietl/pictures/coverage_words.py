"""What is said of a coverage: a letter and a word for each state, and sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from taxietl.flows.coverage import Coverage, CoveredMonth, MonthState, TableCoverage
from taxietl.masking import masked
from taxietl.terminal import one_line

MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()

_FOLDED = 2
"""So many years of which nothing is there become one line."""


Years = Sequence[tuple[int, Sequence[CoveredMonth]]]


@dataclass(frozen=True)
class Look:
    """How a state is shown: a letter of its own, whatever becomes of the colour."""

    letter: str
    style: str
    means: str
    is_told: bool = False
    """Below the grid, with the reason."""


LOOKS: Mapping[MonthState, Look] = {
    MonthState.LOADED: Look("L", "black on green", "loaded"),
    MonthState.LOADING: Look("~", "black on cyan", "being loaded", is_told=True),
    MonthState.FAILED: Look("F", "bold white on red", "last run failed", is_told=True),
    MonthState.REFUSED: Look("X", "bold white on magenta", "refused for its data", is_told=True),
    MonthState.BROKEN: Look("B", "bold white on red", "not what was put there", is_told=True),
    MonthState.RESTATED: Look("R", "black on yellow", "restated at the source", is_told=True),
    MonthState.CHANGED: Look("C", "black on yellow", "other version at the source", is_told=True),
    MonthState.WITHDRAWN: Look("W", "black on yellow", "gone from the source", is_told=True),
    MonthState.OVERDUE: Look("O", "black on yellow", "overdue at the source", is_told=True),
    MonthState.NEW: Look("N", "black on bright_cyan", "new at the source"),
    MonthState.DROPPED: Look("D", "black on white", "taken out by drop"),
    MonthState.MISSING: Look(".", "", "missing"),
    MonthState.UNKNOWN: Look("?", "dim", "not in the history"),
    MonthState.NOT_PUBLISHED: Look("-", "dim", "not published yet"),
}
"""Of each state, in the order of the legend."""


def origin_text(found: Coverage) -> str:
    """What was asked, and where it was read."""
    reading = found.reading
    remote = (
        f"; {found.remote.asked:,} months asked of {found.remote.source}" if found.remote else ""
    )
    if reading.read_from != "history":
        return f"{reading.target}, by its {reading.read_from}{remote}"
    return (
        f"{reading.target} is open in {reading.held_by}, so this is what the history tells of it; "
        f"of months that it does not know, nothing can be said{remote}"
    )


def absent_text(found: Coverage) -> str:
    """Which colours are not shown, since there is nothing of them."""
    if found.tables:
        return f"Nothing of {', '.join(found.absent)}; --color all shows them."
    return (
        "Nothing is loaded there. Load a month: taxietl ingest --color yellow --year 2021 --month 1"
    )


def sync_line(found: Coverage) -> str:
    """What loads the months that the source has, and that are not here as it has them."""
    wanted = (MonthState.NEW, MonthState.RESTATED, MonthState.CHANGED)
    colors = [
        table.color for table in found.tables if any(each.state in wanted for each in table.months)
    ]
    if not colors or not found.remote:
        return ""
    to = "" if found.reading.profile == "warehouse" else f" --to {found.reading.profile}"
    source = "" if found.remote.source == "tlc" else f" --source {found.remote.source}"
    return f"taxietl sync --color {','.join(dict.fromkeys(colors))}{to}{source}"


def summary_text(table: TableCoverage) -> str:
    """A table's months in numbers."""
    said = f"{len(table.there):,} of {table.possible:,} months, {table.rows:,} rows"
    if not table.is_usual:
        said = f"{table.table}: {said}"
    if table.newest is not None and table.loaded_at is not None:
        newest = str(table.newest)[-7:]
        said += f", newest {newest}, loaded {table.loaded_at.astimezone():%Y-%m-%d}"
    return said


def reason_text(month: CoveredMonth) -> str:
    """Why a month is in its state, on one line."""
    said = one_line(masked(month.reason))
    if month.run_name:
        said = f"run {month.run_name!r}" + (f": {said}" if said else "")
    as_recorded = (MonthState.LOADED, MonthState.BROKEN)
    if month.is_there and month.record and month.state not in as_recorded:
        rows = "bytes" if month.rows is None else f"{month.rows:,} rows"
        kept = f"{rows} of {month.record.loaded_at.astimezone():%Y-%m-%d} here"
        said = f"{said.rstrip('.')}; {kept}" if said else kept
    return said


def folded_text(years: Years) -> str:
    """Several years in which everything is missing."""
    count = sum(len(each) for _, each in years)
    return f"{years[0][0]} to {years[-1][0]}: {count} months missing"


def folded(table: TableCoverage) -> Iterator[Years]:
    """The years, those together in which everything is missing."""
    years = [
        (year, list(months))
        for year, months in groupby(table.months, lambda each: each.trip_file.year)
    ]
    for is_empty, some in groupby(years, lambda each: _is_empty(each[1])):
        run = list(some)
        if is_empty and len(run) >= _FOLDED:
            yield run
        else:
            yield from ([each] for each in run)


def _is_empty(months: Sequence[CoveredMonth]) -> bool:
    return all(each.state is MonthState.MISSING for each in months)
