"""A lake held to its manifests by a list of its objects alone."""

from __future__ import annotations

from collections.abc import Iterator

from taxietl.errors import TargetError
from taxietl.findings import Finding
from taxietl.load.lake.lake import Lake
from taxietl.load.lake.standing import remedy
from taxietl.load.lake.survey import survey
from taxietl.load.ledger_contents import LEDGER


def contents(lake: Lake, profile: str) -> Iterator[Finding]:
    """What is not as the manifests say, or that all is.

    Args:
        lake: to look at.
        profile: its name, for the findings.
    """
    manifests, broken = lake.whole_and_broken_manifests(None)
    found = survey(lake, manifests, broken)
    for unreadable in broken:
        yield Finding.problem(LEDGER, profile, unreadable)
    wrong = [each for each in found.standings if each.problem]
    for each in wrong:
        error = TargetError(f"{lake.store.uri(each.key)} {each.problem}.", hint=remedy(each))
        yield Finding.problem(LEDGER, profile, error)
    if found.standings and not wrong and not broken:
        files = (
            "1 month is" if len(found.standings) == 1 else f"{len(found.standings):,} months are"
        )
        yield Finding.ok(LEDGER, profile, f"{files} as the manifests say.")
