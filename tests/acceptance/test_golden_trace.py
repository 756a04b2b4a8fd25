"""What a run writes, shows and tells, and in which order, is what it was: line by line.

Each scenario of `golden_flows.py` has a file here in `golden/`. Under `commit` stands what one
transaction changed in the history (+ a row, ~ its columns, - a row that went); between commits,
what was shown on the console, which functions were called, and what hooks were told.

After a change that is meant, write the files anew and read the difference:

    GOLDEN_WRITE=1 pytest tests/acceptance/test_golden_trace.py; git diff tests/acceptance/golden
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from golden_flows import SCENARIOS
from golden_process import Processes

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks")

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    with Processes() as processes:
        yield processes


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_run_writes_shows_and_tells_what_it_always_did(
    scenario: str, processes: Processes, tmp_path: Path
) -> None:
    processes.run("prepare", tmp_path, scenario=scenario)
    text = processes.run("trace", tmp_path, scenario=scenario)["text"]

    golden = GOLDEN / f"{scenario}.txt"
    if os.environ.get("GOLDEN_WRITE"):
        golden.write_text(text)
    assert text == golden.read_text()


def test_every_golden_file_has_a_scenario() -> None:
    assert {each.stem for each in GOLDEN.iterdir()} == set(SCENARIOS)
