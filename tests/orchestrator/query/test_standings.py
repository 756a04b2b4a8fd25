from __future__ import annotations

from pathlib import Path

from taxietl.orchestrator.query.standings import TagStanding, standings


def test_standings_list_every_limit_and_make_no_file(home: Path) -> None:
    assert standings(home, {"tlc": 2, "warehouse": 1}) == [
        TagStanding("tlc", 2, [], []),
        TagStanding("warehouse", 1, [], []),
    ]
    assert not home.exists()
