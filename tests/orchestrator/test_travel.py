"""How far a call travels through the orchestrator's modules is promised, and how long they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import taxietl

MODULES = sorted((Path(taxietl.__file__).parent / "orchestrator").rglob("*.py"))

FLOW = """
import sys
from pathlib import Path
from taxietl import Cache, Retry, flow, task
from taxietl.orchestrator import Engine

entered = []

@task
def plain(i: int) -> int:
    return i

@task(retry=Retry(on=OSError, attempts=3), cache=Cache(), tags={"limited"})
def full(i: int) -> int:
    return i

def profile(frame, event, _):
    if event == "call" and "/taxietl/orchestrator/" in frame.f_code.co_filename:
        entered.append(frame.f_code.co_filename)

@flow
def travel(name: str) -> None:
    call = globals()[name]
    call(1)  # what is loaded on use is loaded now
    sys.setprofile(profile)
    call(2)
    sys.setprofile(None)

if __name__ == "__main__":
    with Engine(Path(sys.argv[1]), limits={"limited": 1}) as engine:
        engine.run(travel, sys.argv[2]).result()
    changes = sum(one != other for one, other in zip(entered, entered[1:]))
    print(len(set(entered)), changes)
"""


@pytest.mark.parametrize(
    ("name", "most_modules", "most_changes"), [("plain", 14, 65), ("full", 20, 125)]
)
def test_a_call_enters_few_modules_and_changes_between_them_seldom(
    tmp_path: Path, name: str, most_modules: int, most_changes: int
) -> None:
    script = tmp_path / "travel.py"
    script.write_text(FLOW)

    done = subprocess.run(
        [sys.executable, script, tmp_path / "home", name],
        capture_output=True,
        text=True,
        check=True,
    )
    modules, changes = map(int, done.stdout.split())

    assert modules <= most_modules
    assert changes <= most_changes


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_module_is_short_enough_to_be_read_at_once(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 300
