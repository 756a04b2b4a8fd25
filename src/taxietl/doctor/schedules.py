"""What came of each schedule's last run, by what it recorded itself; timers are not asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

from taxietl.doctor.clock import span
from taxietl.doctor.examination import Check
from taxietl.findings import Finding

SCHEDULE = "schedule"


def schedule_checks(home: Path, now: Callable[[], datetime]) -> list[Check]:
    """What looks at each schedule of a home."""
    from taxietl.schedule.definition import names

    return [Check(SCHEDULE, name, partial(_look, home, name, now)) for name in names(home)]


def _look(home: Path, name: str, now: Callable[[], datetime]) -> Iterator[Finding]:
    from taxietl.schedule.definition import load
    from taxietl.schedule.execution import last_outcome
    from taxietl.schedule.outcomes import is_failure

    schedule = load(home, name)
    last = last_outcome(home, name)
    if last is None:
        ago = span(now() - schedule.added_at)
        yield Finding.ok(SCHEDULE, name, f"Added {ago} ago; it has not run yet.")
        return
    said = f"The last run, {span(now() - last.started_at)} ago: {last.reason}."
    if is_failure(last):
        hint = f"taxietl schedule show {name}; taxietl runs ls"
        yield Finding.warning(SCHEDULE, name, said, hint=hint)
    else:
        yield Finding.ok(SCHEDULE, name, said)
