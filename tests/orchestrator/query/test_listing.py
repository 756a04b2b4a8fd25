"""Flows are listed from the text of their files, which are not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from taxietl.errors import ConfigError
from taxietl.modules import UserCodeError
from taxietl.orchestrator.query.listing import ListedParameter, list_flows

FLOWS = '''
from pydantic import SecretStr
from taxietl import flow, task

@task
def no_flow(): ...

@flow(name="Fine name", run_name="{a}")
def etl(a: int, /, b: "str" = "x", *more, key: SecretStr = SecretStr("hunter2"), **rest):
    """Bring it all.

    At once.
    """

def outer():
    @flow
    def inner(): ...

raise SystemExit("was run")
'''


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_flow_is_told_with_its_parameters_and_without_running_its_file() -> None:
    Path("own.py").write_text(FLOWS)

    (listed,) = list_flows("own.py").flows

    assert (listed.name, listed.target, listed.line) == ("Fine name", "own.py:etl", 9)
    assert listed.doc == "Bring it all."
    assert listed.parameters == (
        ListedParameter("a", "int", None, required=True),
        ListedParameter("b", "'str'", "'x'", required=False),
        ListedParameter("*more", None, None, required=False),
        ListedParameter("key", "SecretStr", "…", required=False),
        ListedParameter("**rest", None, None, required=False),
    )


@pytest.mark.parametrize(
    ("code", "is_flow"),
    [
        ("from taxietl import flow\n@flow\n", True),
        ("from taxietl import flow as f\n@f(run_name='x')\n", True),
        ("import taxietl\n@taxietl.flow\n", True),
        ("import taxietl as t\n@t.flow()\n", True),
        ("from taxietl import *\n@flow\n", True),
        ("from taxietl import orchestrator\n@orchestrator.flow\n", True),
        ("import taxietl.orchestrator\n@taxietl.orchestrator.flow\n", True),
        ("from taxietl.prefect import flow, task\n@flow(retries=2)\n", True),
        ("from taxietl import prefect\n@prefect.flow\n", True),
        ("try:\n    from taxietl import flow\nexcept ImportError: ...\n@flow\n", True),
        ("from prefect import flow  # not taxietl\n@flow\n", False),
        ("from taxietl import task as flow\n@flow\n", False),
    ],
)
def test_the_decorator_is_known_however_it_was_imported(code: str, is_flow: bool) -> None:
    Path("own.py").write_text(f"{code}def etl(): ...\n")

    assert [each.name for each in list_flows("own.py").flows] == ["etl"] * is_flow


def test_of_a_folder_only_files_of_ones_own_are_read() -> None:
    for place in (".", "deep/er", ".hidden", "venv/lib", "x/site-packages", "node_modules"):
        Path(place).mkdir(parents=True, exist_ok=True)
        Path(place, "own.py").write_text(FLOWS)
    Path("venv/pyvenv.cfg").touch()
    Path("own.txt").write_text(FLOWS)
    Path("other.py").write_text("this is not ((( Python")
    Path("broken.py").write_text("from taxietl import flow\ndef (")

    listing = list_flows(".")

    assert [each.target for each in listing.flows] == ["own.py:etl", "deep/er/own.py:etl"]
    assert [(each.where, each.line) for each in listing.skipped] == [("broken.py", 2)]


def test_a_module_is_found_without_importing_its_package() -> None:
    Path("own_listed/deep").mkdir(parents=True)
    Path("own_listed/__init__.py").write_text("raise SystemExit('was run')")
    Path("own_listed/deep/flows.py").write_text(FLOWS)

    one = list_flows("own_listed.deep.flows")
    package = list_flows("taxietl.flows")

    assert [each.target for each in one.flows] == ["own_listed.deep.flows:etl"]
    assert "taxietl.flows.ingest:ingest" in [each.target for each in package.flows]


def test_what_is_not_there_or_cannot_be_read_is_an_error() -> None:
    Path("broken.py").write_bytes(b"# taxietl\0")

    with pytest.raises(ConfigError, match=r"There is no file none\.py"):
        list_flows("none.py")
    with pytest.raises(ConfigError, match="no file, folder or module 'no_such'"):
        list_flows("no_such")
    with pytest.raises(UserCodeError, match=r"broken\.py cannot be loaded"):
        list_flows("broken.py")
