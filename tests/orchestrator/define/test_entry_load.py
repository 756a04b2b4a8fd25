"""Modules of flows are loaded, and what is wrong with one is told with its place."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from taxietl.errors import ConfigError, TaxietlError, UnknownNameError
from taxietl.modules import UserCodeError
from taxietl.orchestrator.define.entry import load_flow

ONE = "from taxietl import flow\n\n@flow\ndef etl() -> None: ...\n\ndef helper() -> None: ...\n"
TWO = f"{ONE}\n@flow\ndef report() -> None: ...\n"


@pytest.fixture(autouse=True)
def _own_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty working directory; what is imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def test_a_flow_is_found_by_file_and_by_module() -> None:
    Path("own_one.py").write_text(ONE)
    Path("own_package").mkdir()
    Path("own_package/deep.py").write_text(TWO)

    assert load_flow("own_one.py:etl").name == "etl"
    assert load_flow("own_one.py").name == "etl"
    assert load_flow("own_one").name == "etl"
    assert load_flow("own_package.deep:report").name == "report"
    assert load_flow(f"{Path('own_package').resolve()}/deep.py:report").name == "report"


def test_a_flow_of_its_own_comes_before_those_a_file_imports() -> None:
    Path("own_two.py").write_text(TWO)
    Path("own_user.py").write_text(f"from own_two import report\n{ONE}")

    assert load_flow("own_user.py").name == "etl"
    assert load_flow("own_user.py:report").name == "report"


def test_a_file_named_like_a_known_module_takes_nobodys_place() -> None:
    Path("json.py").write_text(ONE)

    assert load_flow("json.py").name == "etl"
    assert sys.modules["json"] is json


@pytest.mark.parametrize(
    ("target", "kind", "message", "hint"),
    [
        ("own_tow.py:etl", ConfigError, "no file own_tow.py", "Did you mean own_two.py?"),
        ("own_two.py:elt", UnknownNameError, "no flow in own_two.py", "Did you mean 'etl'?"),
        ("own_two.py", ConfigError, "own_two.py has 2 flows: etl, report", "own_two.py:etl"),
        ("own_two.py:helper", ConfigError, "is a function, not a flow", "Decorate it"),
        ("none.py", ConfigError, "There is no flow in none.py", "@flow"),
        ("none.txt:etl", ConfigError, "no Python file", "FILE.py:FLOW"),
        ("a-folder:etl", ConfigError, "a-folder is a folder", "flows ls a-folder"),
        (":etl", ConfigError, "no file or module ''", "FILE.py:FLOW"),
        ("no.such.module:etl", ConfigError, "There is no module 'no'", "working directory"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(
    target: str, kind: type[ConfigError], message: str, hint: str
) -> None:
    Path("own_two.py").write_text(TWO)
    Path("none.py").touch()
    Path("none.txt").touch()
    Path("a-folder").mkdir()

    with pytest.raises(kind) as error:
        load_flow(target)

    assert message in error.value.message
    assert hint in error.value.hint


@pytest.mark.parametrize("target", ["own_fault.py:etl", "own_fault:etl"], ids=["file", "module"])
@pytest.mark.parametrize(
    ("code", "problem", "hint"),
    [
        ("\n\ndef (", "line 3: invalid syntax", "--debug"),
        ("\nimport no_such_package", "line 2: No module named 'no_such", "Install what it needs"),
        ("\nraise ValueError('as planned')", "line 2: ValueError: as planned", "--debug"),
        ("import sys; sys.exit(3)", "line 1: it ends the process", "__main__"),
    ],
    ids=["syntax", "missing package", "raises", "exits"],
)
def test_a_fault_in_the_file_is_told_with_its_line(
    target: str, code: str, problem: str, hint: str
) -> None:
    Path("own_fault.py").write_text(code)

    with pytest.raises(UserCodeError) as error:
        load_flow(target)

    assert f"cannot be loaded: {problem}" in error.value.message
    assert hint in error.value.hint
    assert error.value.exit_code == 1
    assert "own_fault" not in sys.modules


def test_an_error_of_ours_is_passed_on_as_it_is() -> None:
    Path("own_wrong.py").write_text("from taxietl import flow\n\n@flow\ndef f(wait_for): ...\n")

    with pytest.raises(TaxietlError, match="has a parameter 'wait_for'") as error:
        load_flow("own_wrong.py")

    assert error.value.exit_code == 2


@pytest.mark.parametrize("target", ["own_eager.py", "own_eager:f"], ids=["file", "module"])
@pytest.mark.parametrize("start", ["f()", "Engine(Path('home')).run(f)"], ids=["call", "engine"])
def test_a_file_that_runs_its_flow_while_it_is_loaded_is_refused(target: str, start: str) -> None:
    Path("own_eager.py").write_text(
        "from pathlib import Path\nfrom taxietl.orchestrator import Engine, flow\n\n"
        f"@flow\ndef f() -> None: ...\n\n{start}\n"
    )

    with pytest.raises(ConfigError, match="starts a run while it is loaded") as refused:
        load_flow(target)

    assert "__main__" in refused.value.hint


def test_a_file_that_was_mended_is_loaded_anew() -> None:
    path = Path("own_mended.py")
    path.write_text("raise ValueError")
    with pytest.raises(UserCodeError):
        load_flow("own_mended.py")

    path.write_text(ONE)

    assert load_flow("own_mended.py").name == "etl"
