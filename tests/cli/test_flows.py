"""`taxietl flows ls`, and what `run FLOW --help` tells of one flow."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Taxietl, check_refused
from documents import check

FLOWS = '''
from enum import Enum
from pydantic import SecretStr
from taxietl import flow

class Color(Enum):
    YELLOW = "yellow"
    GREEN = "green"

@flow
def etl(month: int, color: Color = Color.YELLOW, key: SecretStr = SecretStr("hunter2")) -> int:
    """Bring a month.

    All of it.
    """
    return month

@flow(name="No work")
def idle() -> None: ...
'''


@pytest.fixture
def flows(home: Path) -> Path:
    path = Path("own_flows.py")
    path.write_text(FLOWS)
    return path


def test_flows_are_listed_with_their_last_runs(taxietl: Taxietl, flows: Path) -> None:
    taxietl("run", f"{flows}:etl", "-p", "month=1")
    taxietl("run", f"{flows}:etl", "-p", "month=2")
    name = taxietl("runs", "ls", "--limit", 1, "--json").document["runs"][0]["name"]

    listed = taxietl("flows", "ls", "--json").document
    text = taxietl("flows", "ls", flows).out.splitlines()

    check(listed, "flows")
    etl, idle, *ours = listed["flows"]
    assert (etl["target"], etl["last_run"]["name"]) == ("own_flows.py:etl", name)
    assert (idle["name"], idle["last_run"]) == ("No work", None)
    assert "taxietl.flows.ingest:ingest" in [each["target"] for each in ours]
    assert text[1].split()[:3] == ["own_flows.py:etl", "etl", "month,"]
    assert "Completed" in text[1]
    assert text[1].endswith("Bring a month.")
    assert "hunter2" not in str(listed) + str(text)


def test_a_run_of_another_files_flow_is_not_taken_for_ones_own(
    taxietl: Taxietl, flows: Path
) -> None:
    Path("deep").mkdir()
    Path("deep/other.py").write_text(FLOWS)
    taxietl("run", "deep/other.py:idle")
    taxietl("run", f"{flows}:etl", "-p", "month=1")

    listed = taxietl("flows", "ls", ".", "--json").document["flows"]

    assert {each["target"] for each in listed if each["last_run"]} == {
        *("own_flows.py:etl", "deep/other.py:idle"),
    }


def test_every_target_of_ours_can_be_typed_after_run(taxietl: Taxietl) -> None:
    for each in taxietl("flows", "ls", "taxietl.flows", "--json").document["flows"]:
        done = taxietl("run", each["target"], "--help")

        assert done.code == 0
        assert f"Flow {each['name']!r}" in done.out


def test_a_file_that_cannot_be_read_is_left_out_and_told(taxietl: Taxietl, flows: Path) -> None:
    Path("broken.py").write_text("from taxietl import flow\ndef (")

    done = taxietl("flows", "ls", ".")
    document = taxietl("flows", "ls", ".", "--json").document

    assert done.code == 0
    assert "warning: broken.py cannot be loaded: line 2" in done.err
    check(document, "flows")
    assert [each["file"] for each in document["skipped"]] == ["broken.py"]
    check_refused(taxietl("flows", "ls", "broken.py"), 1, "broken.py", "line 2")
    check_refused(taxietl("flows", "ls", "own_flow.py"), 2, "Did you mean own_flows.py")


def test_a_folder_without_flows_says_what_makes_one(taxietl: Taxietl) -> None:
    done = taxietl("flows", "ls", ".")

    assert done.code == 0
    assert "@flow" in done.err


def test_the_help_of_a_flow_tells_what_it_does_and_takes(taxietl: Taxietl, flows: Path) -> None:
    done = taxietl("run", f"{flows}:etl", "--help")

    assert done.code == 0
    assert "--parameter" in done.out
    assert "   Bring a month.\n\n   All of it.\n" in done.out
    lines = {line.split("=…")[0].strip(): line for line in done.out.splitlines() if "=…" in line}
    assert set(lines) == {"month", "color", "key"}
    assert lines["month"].split() == ["month=…", "int", "required"]
    assert "yellow, green" in lines["color"]
    assert "SecretStr" in lines["key"]
    assert "hunter2" not in done.out
    assert taxietl("runs", "ls", "--json").document == {"runs": []}


def test_the_help_of_a_flow_without_parameters_says_so(taxietl: Taxietl, flows: Path) -> None:
    assert "It has no parameters." in taxietl("run", f"{flows}:idle", "-h").out


def test_the_help_of_a_flow_that_is_not_there_is_an_error(taxietl: Taxietl, flows: Path) -> None:
    check_refused(taxietl("run", f"{flows}:elt", "--help"), 2, "Did you mean 'etl'")
    assert taxietl("run", "--help").code == 0
