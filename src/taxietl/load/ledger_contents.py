"""The ledger against the tables, by counts that cost next to nothing; `taxietl verify` does it all.

Pure: each kind of warehouse counts in its own way (`duckdb.contents`, `postgres.contents`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from taxietl.errors import DataError
from taxietl.findings import Finding

LEDGER, LEFTOVERS = "ledger", "leftovers"

MONTHS_SQL = (
    "SELECT table_name, color, CAST(source_month AS VARCHAR(10)), rows_loaded FROM {} "
    "WHERE superseded_at IS NULL"
)
"""Of the ledger: what `Recorded` is made of."""

_NAMED = 3


@dataclass(frozen=True)
class Recorded:
    """A month as the ledger has it."""

    table: str
    color: str
    month: str
    """Its first day, `2021-01-01`."""
    rows: int


def compared(
    profile: str,
    recorded: Sequence[Recorded],
    present: Mapping[tuple[str, str], int | None],
    *,
    tolerance: float = 0.0,
) -> Iterator[Finding]:
    """What the ledger and the tables do not agree on, or that they do.

    Args:
        profile: the warehouse's.
        recorded: the ledger's current rows.
        present: rows by table and month, of the tables in the ledger; None where nobody counted.
        tolerance: the share by which a count may be off that is an estimate.
    """
    known = {(each.table, each.month) for each in recorded}
    missing = [each for each in recorded if (each.table, each.month) not in present]
    others = [
        each
        for each in recorded
        if (rows := present.get((each.table, each.month))) is not None
        and abs(rows - each.rows) > tolerance * each.rows
    ]
    if missing:
        yield _problem(profile, missing, "in the ledger, and not in the table")
    if others:
        yield _problem(profile, others, "with another number of rows than was loaded")
    if strays := sorted(set(present) - known):
        names = [f"{table} {month[:7]}" for table, month in strays]
        yield Finding.warning(
            LEDGER,
            profile,
            f"Months that taxietl did not load: {_listed(names)}.",
            hint="taxietl verify --color … shows their rows; ingest with --force replaces them.",
        )
    if recorded and not missing and not others:
        about = "" if tolerance == 0 else ", as far as the server's own counts tell"
        months = "1 month" if len(recorded) == 1 else f"{len(recorded):,} months"
        yield Finding.ok(LEDGER, profile, f"{months} in the ledger, all in their tables{about}.")


def _problem(profile: str, months: Sequence[Recorded], what: str) -> Finding:
    names = [f"{each.table} {each.month[:7]}" for each in months]
    first = months[0]
    year, month, _ = first.month.split("-")
    table = "" if first.table == f"{first.color}_trips" else f" --table {first.table}"
    error = DataError(
        f"Months {what}: {_listed(names)}.",
        hint=f"See taxietl verify --color {first.color} --on {profile}{table}; load anew: taxietl "
        f"ingest --color {first.color} --year {year} --month {int(month)} --to {profile}{table} "
        "--force",
    )
    return Finding.problem(LEDGER, profile, error)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
