"""Flows in Prefect's words run as they do there, with the lines of the imports changed."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import prefect_flows
import pytest
from prefect_flows import ENDS, TOLD, nothing_called, outcome

from taxietl.orchestrator import Engine


@pytest.fixture(autouse=True)
def _anew() -> None:
    nothing_called()


@pytest.mark.parametrize("a_flow", ENDS, ids=lambda each: each.name)
def test_a_flow_in_prefects_words_ends_as_on_prefect(a_flow: Any, engine: Engine) -> None:
    assert outcome(engine.run(a_flow).final_state) == ENDS[a_flow]


def test_hooks_are_called_as_prefect_calls_them(engine: Engine) -> None:
    engine.run(prefect_flows.told)

    assert TOLD == [
        ["telling", "telling", "Failed", True],
        ["telling", "telling", "Completed", False],
        ["told", {"n": 1}, "Completed"],
    ]


def test_tags_of_a_block_are_those_of_its_task_runs(engine: Engine) -> None:
    run = engine.run(prefect_flows.tagged)

    assert {each.tags for each in engine.history.task_runs(run.id)} == {("slow", "web")}


def test_a_plain_flow_imports_nothing_of_it() -> None:
    code = (
        "import sys, taxietl; taxietl.flow(lambda: 1);"
        " assert not [each for each in sys.modules if each.startswith('taxietl.prefect')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
