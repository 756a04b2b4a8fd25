"""The history: whole or damaged, by whom it is in use, and what dead processes left in the home."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from taxietl.doctor.clock import CLOCK, CLOCK_HINT, MOST_OFF, span
from taxietl.doctor.examination import Check
from taxietl.findings import Finding
from taxietl.orchestrator.query.health import (
    FILES,
    Runs,
    idle_locks,
    is_in_use,
    runs_of,
    schema_of,
)

HISTORY_CHECK, LEFTOVERS = "history", "leftovers"

_KEPT_FOR = timedelta(days=1)
"""So long a download that was cut waits for the next one to go on from it."""
_NAMED = 3


def history_checks(home: Path, now: Callable[[], datetime]) -> list[Check]:
    """What looks at the history, and at what is left over in the home."""
    return [
        Check(HISTORY_CHECK, "", lambda: _history(home, now())),
        Check(LEFTOVERS, "", lambda: _leftovers(home, now())),
    ]


def _history(home: Path, now: datetime) -> Iterator[Finding]:
    for layout in FILES:
        version = schema_of(home, layout)
        is_history = layout is FILES[0]
        if version is None:
            if is_history:
                yield Finding.ok(HISTORY_CHECK, "", f"Nothing has run in {home} yet.")
            continue
        older = "" if version == layout.version else "; the next command brings it up to date"
        runs = runs_of(home) if is_history and version else None
        count = f", {_counted(runs.count, 'run')}" if runs else ""
        yield Finding.ok(
            HISTORY_CHECK,
            "",
            f"{home / layout.file_name} is whole (schema {version}{count}{older}).",
        )
        if runs:
            yield from _runs(runs, now)


def _runs(runs: Runs, now: datetime) -> Iterator[Finding]:
    if runs.dead:
        yield Finding.warning(
            HISTORY_CHECK,
            "",
            f"{_counted(len(runs.dead), 'run')} ended without a word, and will be marked as "
            f"Crashed by the next command: {_listed(runs.dead)}.",
            hint=f"taxietl runs resume {runs.dead[-1]}",
        )
    if runs.newest_at and runs.newest_at - now > MOST_OFF:
        yield Finding.warning(
            CLOCK,
            "",
            f"A run began {span(runs.newest_at - now)} from now, at "
            f"{runs.newest_at:%Y-%m-%d %H:%M:%S} UTC: the clock is wrong, or was then.",
            hint=CLOCK_HINT,
        )


def _leftovers(home: Path, now: datetime) -> Iterator[Finding]:
    locks = idle_locks(home)
    parts = [each for each in sorted((home / "cache").rglob("*.part")) if not is_in_use(each)]
    old = [each for each in parts if _age(each, now) > _KEPT_FOR]
    if locks:
        yield Finding.warning(
            LEFTOVERS,
            "",
            f"{_counted(len(locks), 'lock file')} without a holder in {home / 'runs'}.",
            hint="The next command removes them: taxietl runs ls",
        )
    if old:
        size = sum(each.stat().st_size for each in old)
        yield Finding.warning(
            LEFTOVERS,
            "",
            f"{_counted(len(old), 'partial download')} of {size / 1e6:,.0f} MB, over a day old, in "
            f"{home / 'cache'}.",
            hint="taxietl cache gc",
        )
    if not locks and not old:
        fresh = f"; {_counted(len(parts), 'partial download')} to go on from" if parts else ""
        yield Finding.ok(LEFTOVERS, "", f"No dead process has left anything in the home{fresh}.")


def _age(file: Path, now: datetime) -> timedelta:
    return timedelta(seconds=now.timestamp() - file.stat().st_mtime)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[-_NAMED:]) + (f" and {more} more" if more > 0 else "")
