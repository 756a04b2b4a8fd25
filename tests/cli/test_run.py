"""`taxietl run` and `runs`: flows of the user's own, and what is told of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command import Taxietl, check_refused

FLOWS = """
from taxietl import flow, task

@task
def double(n: int) -> int:
    return 2 * n

@task
def fail() -> None:
    raise ValueError("as planned")

@flow
def etl(n: int, names: list[str] | None = None, title: str = "1") -> int:
    assert isinstance(n, int) and isinstance(title, str)
    return double(n) + len(names or [])

@flow
def broken() -> None:
    fail()

if __name__ == "__main__":
    print(etl(4))
"""


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    path = tmp_path / "own_flows.py"
    path.write_text(FLOWS)
    return path


def test_parameters_are_what_their_types_say(taxietl: Taxietl, flows: Path) -> None:
    done = taxietl(
        "run", f"{flows}:etl", "-p", "n=5", "-p", 'names=["a"]', "-p", "title=7", "--json"
    )

    assert (done.code, done.document["result"]) == (0, 11)


def test_a_failed_flow_is_code_1_and_shown_with_its_reason(taxietl: Taxietl, flows: Path) -> None:
    done = taxietl("run", f"{flows}:broken", "-q")

    check_refused(done, 1, "ValueError: as planned")
    listed = taxietl("runs", "ls", "--state", "failed", "--json").document["runs"]
    assert [run["flow"] for run in listed] == ["broken"]
    shown = taxietl("runs", "show", listed[0]["name"])
    assert "fail-0" in shown.out
    assert "as planned" in shown.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["etl", "-p", "n=many"], ["'n'"], id="wrong type"),
        pytest.param(["etl"], ["'n'"], id="missing"),
        pytest.param(["etl", "-p", "m=1"], ["'m'", "n"], id="unknown parameter"),
        pytest.param(["etl", "-p", "n"], ["name=value"], id="no value"),
        pytest.param(["elt", "-p", "n=1"], ["Did you mean 'etl'"], id="mistyped flow"),
    ],
)
def test_a_wrong_call_starts_nothing(
    taxietl: Taxietl, flows: Path, arguments: list[str], words: list[str]
) -> None:
    name, *options = arguments

    done = taxietl("run", f"{flows}:{name}", *options)

    check_refused(done, 2, *words)
    assert taxietl("runs", "ls", "--json").document == {"runs": []}


def test_a_file_that_is_not_there_is_refused(taxietl: Taxietl) -> None:
    check_refused(taxietl("run", "nowhere.py:etl"), 2, "nowhere.py")
    check_refused(taxietl("run", "no.such.module:etl"), 2, "no")


def test_an_unknown_run_or_state_is_refused_with_what_is_known(
    taxietl: Taxietl, flows: Path
) -> None:
    name = taxietl("run", f"{flows}:etl", "-p", "n=1", "--json").document["run"]["name"]

    check_refused(taxietl("runs", "show", "nobody"), 2, "nobody", name)
    check_refused(taxietl("runs", "ls", "--state", "Complete"), 2, "Did you mean 'Completed'")


def test_a_script_that_calls_its_flow_lands_in_the_same_history(
    taxietl: Taxietl, home: Path, flows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXIETL_HOME", str(home))

    done = subprocess.run([sys.executable, str(flows)], check=True, capture_output=True, text=True)

    assert done.stdout == "8\n"
    (run,) = taxietl("runs", "ls", "--json").document["runs"]
    assert (run["flow"], run["state"]) == ("etl", "Completed")
