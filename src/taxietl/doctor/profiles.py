"""Check a profile by its type: what a connection finds, or what is known without one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from taxietl.doctor.examination import Check
from taxietl.errors import TaxietlError, WarehouseBusyError
from taxietl.findings import Finding
from taxietl.load.ledger_contents import LEDGER
from taxietl.orchestrator.query.health import run_of_process

if TYPE_CHECKING:
    from taxietl.config import Profile

CONNECTION = "connection"


def profile_check(profile: Profile, home: Path) -> Check:
    """What looks at the place that the profile describes; changes nothing there.

    Args:
        profile: to look at.
        home: whose history tells which run has the warehouse, if another process does.
    """
    return Check(CONNECTION, profile.name, lambda: _look(profile, home))


def _look(profile: Profile, home: Path) -> Iterator[Finding]:
    try:
        yield Finding.ok(CONNECTION, profile.name, profile.check())
    except WarehouseBusyError as error:
        if error.pid is not None and (run := run_of_process(home, error.pid)):
            error.name_holder(f"run {run!r} (process {error.pid})")
        raise
    try:
        yield from profile.check_contents()
    except TaxietlError as error:
        yield Finding.problem(LEDGER, profile.name, error)
